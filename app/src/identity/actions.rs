//! Forms that begin and end a session.

#[cfg(feature = "ssr")]
use backend::identity::sign_in::{self, KnownBrowser};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::words;
use crate::action::ActionError;
#[cfg(feature = "ssr")]
use crate::action::{
    answer, context,
    flash::Kept,
    request,
    sealed::{self, SealedCookie},
    wanted,
};

/// By which a browser is known in which somebody has signed in: for a season, and sent with this form only.
#[cfg(feature = "ssr")]
const KNOWN: SealedCookie =
    SealedCookie::new("known_browser", "/api/session/sign-in", 90 * 24 * 60 * 60);

#[server(endpoint = "session/sign-in")]
pub async fn sign_in(
    #[server(default)] email: String,
    #[server(default)] password: String,
) -> Result<(), ActionError> {
    let (backend, session) = (context::backend()?, context::session()?);
    let kept = Kept::of([("email", &email)]);
    let browser = sealed::peek::<KnownBrowser>(&backend, &KNOWN);
    let outcome = sign_in::sign_in_from(&backend, browser.as_ref(), &email, &password).await;
    let (user_id, browser) = answer::to(outcome, "/overview", "/sign-in", kept.clone())?;
    sealed::put(&backend, &KNOWN, &browser);
    let outcome = request::sign_in(&session, user_id).await;
    answer::to(outcome, "/overview", "/sign-in", kept)?;
    answer::redirect(&wanted::take(&backend, user_id));
    Ok(())
}

/// Signs out here. Asks the browser to forget what it cached, so that "back" shows nothing.
#[server(endpoint = "session/sign-out")]
pub async fn sign_out() -> Result<(), ActionError> {
    let (backend, session) = (context::backend()?, context::session()?);
    // Who it was matters to the log; that they want to leave counts in any case.
    let known = request::visitor().await.ok().flatten();
    let mut outcome = request::sign_out(&session).await;
    if let (Ok(()), Some(actor)) = (&outcome, known) {
        outcome = sign_in::sign_out(&backend, &actor).await;
    }
    answer::to(outcome, "/sign-in", "/overview", Kept::nothing())?;
    answer::forget_kept_pages();
    answer::say("/sign-in", words::SIGNED_OUT, Kept::nothing());
    Ok(())
}
