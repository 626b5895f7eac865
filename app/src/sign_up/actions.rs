//! Forms of whoever has no account yet: asking for one, and opening it.
#![expect(
    clippy::too_many_arguments,
    reason = "a server function's arguments are the form's fields; seven are asked to open an account"
)]

#[cfg(feature = "ssr")]
use backend::sign_up::{self, opening};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{check_mail, open_account, words};
use crate::action::ActionError;
#[cfg(feature = "ssr")]
use crate::action::{answer, context, flash::Kept, request, sealed};

/// Has a link mailed to an address. A known address gets the same answer as a new one; only the mail differs. `again` comes
/// from the page that says to look for the mail.
#[server(endpoint = "account/sign-up")]
pub async fn sign_up(
    #[server(default)] email: String,
    #[server(default)] again: String,
) -> Result<(), ActionError> {
    let backend = context::backend()?;
    let kept = Kept::of([("email", &email)]);
    let outcome = sign_up::sign_up(&backend, &email).await;
    answer::to(outcome, "/check-mail", "/sign-up", kept)?;
    sealed::put(&backend, &check_mail::ADDRESS, &email.trim());
    if again == "yes" {
        answer::say("/check-mail", words::ASKED_AGAIN, Kept::nothing());
    }
    Ok(())
}

/// Opens the account of the link that led to the page, and signs in. A box that is not ticked sends nothing, a ticked one
/// `yes`; `leaving` is who the page said is signed out by this.
#[server(name = OpenAccount, endpoint = "account/open")]
pub async fn open(
    #[server(default)] password: String,
    #[server(default)] country: String,
    #[server(default)] terms: String,
    #[server(default)] aup: String,
    #[server(default)] dpa: String,
    #[server(default)] export_statement: String,
    #[server(default)] leaving: String,
) -> Result<(), ActionError> {
    let (backend, session) = (context::backend()?, context::session()?);
    let visitor = request::visitor().await;
    let visitor = visitor.map_err(|error| answer::fail("/open-account", error))?;
    let token: String = sealed::peek(&backend, &open_account::TOKEN).unwrap_or_default();
    let kept = Kept::of([
        ("country", &country),
        ("terms", &terms),
        ("aup", &aup),
        ("dpa", &dpa),
        ("export_statement", &export_statement),
    ]);
    let [terms, aup, dpa, export_statement] =
        [terms, aup, dpa, export_statement].map(|ticked| ticked == "yes");
    let typed = opening::Opening {
        password,
        country,
        terms,
        aup,
        dpa,
        export_statement,
        leaving,
    };
    let outcome = opening::open(&backend, &token, visitor.as_ref(), typed).await;
    let user_id = answer::to(outcome, "/overview", "/open-account", kept)?;
    sealed::clear(&backend, &open_account::TOKEN);
    sealed::clear(&backend, &check_mail::ADDRESS);
    if visitor.is_some() {
        answer::forget_kept_pages();
    }
    answer::to(
        request::sign_in(&session, user_id).await,
        "/overview",
        "/sign-in",
        Kept::nothing(),
    )?;
    answer::say("/overview", words::ACCOUNT_OPEN, Kept::nothing());
    Ok(())
}
