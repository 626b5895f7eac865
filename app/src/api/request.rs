//! All request plumbing, once: who asks, by which request, with which backend. Everything is read from the context that
//! `server` provides; nothing here decides.

use axum::http::request::Parts;
use backend::Backend;
use backend::actor::Actor;
use backend::failure::{Broken, Failure};
use backend::service::sessions;
use domain::id::UserId;
use domain::refusal::SignInRefusal;
use leptos::prelude::use_context;
use tower_sessions::Session;
use uuid::Uuid;

use super::ActionError;
use super::answer;
use crate::request_id::RequestId;

/// Key of the signed-in user in the session record.
pub const USER_ID: &str = "user_id";
/// Key of the session's kind in its record.
pub const KIND: &str = "kind";
/// The kind that customers' sessions have.
pub const CUSTOMER: &str = "customer";

/// The id of this request; empty outside of one.
#[must_use]
pub fn request_id() -> String {
    let parts = use_context::<Parts>();
    parts
        .and_then(|parts| parts.extensions.get::<RequestId>().cloned())
        .map_or_else(String::new, |id| id.0)
}

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

/// Who asks, or `None` for a stranger.
///
/// # Errors
/// [`ActionError::Unexpected`] when the session or the account cannot be read.
pub async fn visitor() -> Result<Option<Actor>, ActionError> {
    let (backend, session) = (backend()?, session()?);
    let user: Option<Uuid> = session
        .get(USER_ID)
        .await
        .map_err(|error| broken(&error.into()))?;
    match user {
        Some(user_id) => sessions::actor(&backend, UserId(user_id))
            .await
            .map_err(|error| broken(&error)),
        None => Ok(None),
    }
}

/// Who asks. A stranger is led to the sign-in page, whatever the caller answers after this.
///
/// # Errors
/// [`ActionError::SignedOut`] for a stranger, [`ActionError::Unexpected`] when our side broke.
pub async fn actor() -> Result<Actor, ActionError> {
    match visitor().await {
        Ok(Some(actor)) => Ok(actor),
        Ok(None) => Err(answer::fail("/sign-in", ActionError::SignedOut)),
        Err(error) => Err(answer::fail("/sign-in", error)),
    }
}

/// Makes this session the user's: with a new id, so that one known before the sign-in opens nothing.
pub(super) async fn sign_in(
    session: &Session,
    user_id: UserId,
) -> Result<(), Failure<SignInRefusal>> {
    session.cycle_id().await?;
    session.insert(KIND, CUSTOMER).await?;
    Ok(session.insert(USER_ID, user_id.0).await?)
}

/// Ends this session: its row goes, and its cookie with it.
pub(super) async fn sign_out(session: &Session) -> Result<(), Failure<SignInRefusal>> {
    Ok(session.flush().await?)
}

/// Logs a breakage, here and nowhere else, and turns it into what the person may know: the id to quote.
pub(crate) fn broken(error: &Broken) -> ActionError {
    let request_id = request_id();
    tracing::error!(request_id, cause = %error.cause(), place = %error.place(), verb = error.verb(), "broken");
    ActionError::Unexpected { request_id }
}
