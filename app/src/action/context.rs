//! What `server` provides with each request: the backend and the session. Nothing here decides.

use axum::http::request::Parts;
use backend::Backend;
use backend::failure::Broken;
use leptos::prelude::use_context;
use tower_sessions::Session;

use super::{ActionError, request_id};

/// The backend.
///
/// # Errors
/// [`ActionError::Unexpected`] when `server` provided none.
pub fn backend() -> Result<Backend, ActionError> {
    use_context::<Backend>().ok_or_else(|| broken(&Broken::new("no backend in the context")))
}

/// The session of this request, signed in or not.
///
/// # Errors
/// [`ActionError::Unexpected`] when the session layer is missing.
pub fn session() -> Result<Session, ActionError> {
    let session =
        use_context::<Parts>().and_then(|parts| parts.extensions.get::<Session>().cloned());
    session.ok_or_else(|| broken(&Broken::new("no session layer on this route")))
}

/// Logs a breakage, here and nowhere else, and turns it into what the person may know: the id to quote.
pub(crate) fn broken(error: &Broken) -> ActionError {
    let request_id = request_id::current();
    tracing::error!(request_id, cause = %error.cause(), place = %error.place(), verb = error.verb(), "broken");
    ActionError::Unexpected { request_id }
}
