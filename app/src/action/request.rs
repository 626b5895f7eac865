//! Who asks: from the session to an actor, and the beginning and end of a session. What a person may do is decided by
//! `backend`, with the actor.

use axum::http::request::Parts;
use backend::authority::actor::Actor;
use backend::authority::session::Visitor;
use backend::failure::{Broken, Failure};
use domain::id::UserId;
use domain::identity::SignInRefusal;
use leptos::prelude::use_context;
use tower_sessions::Session;

use super::context::{backend, broken};
use super::{ActionError, answer};

/// Key of the signed-in user in the session record.
pub const USER_ID: &str = "user_id";
/// Key of the session's kind in its record.
pub const KIND: &str = "kind";
/// The kind that customers' sessions have.
pub const CUSTOMER: &str = "customer";

/// Who asks, or `None` for a stranger: what the guard put into the request.
///
/// # Errors
/// [`ActionError::Unexpected`] when the session or the account cannot be read.
pub async fn visitor() -> Result<Option<Actor>, ActionError> {
    let backend = backend()?;
    let visitor = use_context::<Parts>()
        .and_then(|parts| parts.extensions.get::<Visitor>().cloned())
        .ok_or_else(|| broken(&Broken::new("no guard on this route")))?;
    visitor
        .actor(&backend)
        .await
        .map_err(|error| broken(&error))
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
pub(crate) async fn sign_in(
    session: &Session,
    user_id: UserId,
) -> Result<(), Failure<SignInRefusal>> {
    session.cycle_id().await?;
    session.insert(KIND, CUSTOMER).await?;
    Ok(session.insert(USER_ID, user_id.0).await?)
}

/// Ends this session: its row goes, and its cookie with it.
pub(crate) async fn sign_out(session: &Session) -> Result<(), Failure<SignInRefusal>> {
    Ok(session.flush().await?)
}
