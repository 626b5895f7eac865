//! Forms about the person: signing up and confirming the address.
#![expect(
    clippy::too_many_arguments,
    reason = "a server function's arguments are the form's fields; seven are asked at sign-up"
)]

#[cfg(feature = "ssr")]
use backend::identity::verification;
#[cfg(feature = "ssr")]
use backend::sign_up;
#[cfg(feature = "ssr")]
use backend::sign_up::confirm;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{verify_email, words};
use crate::action::ActionError;
#[cfg(feature = "ssr")]
use crate::action::{answer, context, flash::Kept, request, sealed};

/// Signs up. A known address gets the same answer as a new one; only the mail differs. A box that is not ticked sends
/// nothing, a ticked one `yes`.
#[server(endpoint = "account/sign-up")]
pub async fn sign_up(
    #[server(default)] email: String,
    #[server(default)] password: String,
    #[server(default)] country: String,
    #[server(default)] terms: String,
    #[server(default)] aup: String,
    #[server(default)] dpa: String,
    #[server(default)] export_statement: String,
) -> Result<(), ActionError> {
    let kept = Kept::of([
        ("email", &email),
        ("country", &country),
        ("terms", &terms),
        ("aup", &aup),
        ("dpa", &dpa),
        ("export_statement", &export_statement),
    ]);
    let typed = Kept::of([("email", email.trim())]);
    let [terms, aup, dpa, export_statement] =
        [terms, aup, dpa, export_statement].map(|ticked| ticked == "yes");
    let sign_up = sign_up::SignUp {
        email,
        password,
        country,
        terms,
        aup,
        dpa,
        export_statement,
    };
    let outcome = sign_up::sign_up(&context::backend()?, sign_up).await;
    answer::to(outcome, "/check-mail", "/sign-up", kept)?;
    answer::say("/check-mail", words::MAIL_SENT, typed);
    Ok(())
}

/// Confirms the address with the token of the link that led to the page, then signs in.
#[server(endpoint = "account/verify-email")]
pub async fn verify_email() -> Result<(), ActionError> {
    let (backend, session) = (context::backend()?, context::session()?);
    let token: String = sealed::peek(&backend, &verify_email::TOKEN).unwrap_or_default();
    let outcome = confirm::confirm_email(&backend, &token).await;
    let user_id = answer::to(outcome, "/overview", "/verify-email", Kept::nothing())?;
    sealed::clear(&backend, &verify_email::TOKEN);
    answer::to(
        request::sign_in(&session, user_id).await,
        "/overview",
        "/sign-in",
        Kept::nothing(),
    )?;
    answer::say("/overview", words::EMAIL_CONFIRMED, Kept::nothing());
    Ok(())
}

/// Sends the confirmation mail again.
#[server(endpoint = "account/resend-verification")]
pub async fn resend_verification() -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = verification::resend_verification(&backend, &actor).await;
    answer::to(outcome, "/settings", "/settings", Kept::nothing())?;
    answer::say("/settings", words::MAIL_SENT, Kept::nothing());
    Ok(())
}
