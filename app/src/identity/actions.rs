//! Forms that begin and end a session.

#[cfg(feature = "ssr")]
use backend::identity::sign_in;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::words;
use crate::action::ActionError;
#[cfg(feature = "ssr")]
use crate::action::{answer, context, flash::Kept, request};

#[server(endpoint = "session/sign-in")]
pub async fn sign_in(
    #[server(default)] email: String,
    #[server(default)] password: String,
) -> Result<(), ActionError> {
    let (backend, session) = (context::backend()?, context::session()?);
    let kept = Kept::of([("email", &email)]);
    let outcome = sign_in::sign_in(&backend, &email, &password).await;
    let user_id = answer::to(outcome, "/overview", "/sign-in", kept.clone())?;
    answer::to(
        request::sign_in(&session, user_id).await,
        "/overview",
        "/sign-in",
        kept,
    )
}

/// Signs out here. Asks the browser to forget what it cached, so that "back" shows nothing.
#[server(endpoint = "session/sign-out")]
pub async fn sign_out() -> Result<(), ActionError> {
    answer::to(
        request::sign_out(&context::session()?).await,
        "/sign-in",
        "/overview",
        Kept::nothing(),
    )?;
    answer::forget_kept_pages();
    answer::say("/sign-in", words::SIGNED_OUT, Kept::nothing());
    Ok(())
}
