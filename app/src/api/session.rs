//! Forms that begin and end a session.

use leptos::prelude::*;

use super::ActionError;

/// Signs in.
#[server(endpoint = "session/sign-in")]
pub async fn sign_in(#[server(default)] email: String, #[server(default)] password: String) -> Result<(), ActionError> {
    use super::{answer, once, request};
    let (backend, session) = (request::backend()?, request::session()?);
    let kept = once::Kept::nothing().with("email", &email);
    let outcome = backend::service::accounts::sign_in(&backend, &email, &password).await;
    let user_id = answer::to(outcome, "/overview", "/sign-in", kept.clone())?;
    answer::to(request::sign_in(&session, user_id).await, "/overview", "/sign-in", kept)
}

/// Signs out here. Asks the browser to forget what it cached, so that "back" shows nothing.
#[server(endpoint = "session/sign-out")]
pub async fn sign_out() -> Result<(), ActionError> {
    use super::{answer, once, request};
    answer::to(request::sign_out(&request::session()?).await, "/sign-in", "/overview", once::Kept::nothing())?;
    answer::forget_kept_pages();
    answer::say("/sign-in", once::Done::SignedOut, once::Kept::nothing());
    Ok(())
}
