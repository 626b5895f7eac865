//! Forms about the person: signing up and confirming the address.

use leptos::prelude::*;

use super::ActionError;

/// Signs up. A known address gets the same answer as a new one; only the mail differs.
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
    use super::{answer, once, request};
    let fields = [("email", &email), ("country", &country), ("terms", &terms), ("aup", &aup), ("dpa", &dpa), ("export_statement", &export_statement)];
    let kept = fields.into_iter().fold(once::Kept::nothing(), |kept, (name, typed)| kept.with(name, typed));
    let ticked = |typed: &str| typed == "yes";
    let (terms, aup, dpa, export_statement) = (ticked(&terms), ticked(&aup), ticked(&dpa), ticked(&export_statement));
    let sign_up = backend::service::accounts::SignUp { email: email.clone(), password, country, terms, aup, dpa, export_statement };
    let outcome = backend::service::accounts::sign_up(&request::backend()?, sign_up).await;
    answer::to(outcome, "/check-mail", "/sign-up", kept)?;
    answer::say("/check-mail", once::Done::MailSent, once::Kept::nothing().with("email", email.trim()));
    Ok(())
}

/// Confirms the address with the token of the link that led to the page, then signs in.
#[server(endpoint = "account/verify-email")]
pub async fn verify_email() -> Result<(), ActionError> {
    use super::{answer, once, request};
    let (backend, session) = (request::backend()?, request::session()?);
    let token: String = once::peek(&backend, once::Slot::Verification).unwrap_or_default();
    let outcome = backend::service::accounts::confirm_email(&backend, &token).await;
    let user_id = answer::to(outcome, "/overview", "/verify-email", once::Kept::nothing())?;
    once::clear(&backend, once::Slot::Verification);
    answer::to(request::sign_in(&session, user_id).await, "/overview", "/sign-in", once::Kept::nothing())?;
    answer::say("/overview", once::Done::EmailConfirmed, once::Kept::nothing());
    Ok(())
}

/// Sends the confirmation mail again.
#[server(endpoint = "account/resend-verification")]
pub async fn resend_verification() -> Result<(), ActionError> {
    use super::{answer, once, request};
    let (backend, actor) = (request::backend()?, request::actor().await?);
    let outcome = backend::service::accounts::resend_verification(&backend, &actor).await;
    answer::to(outcome, "/settings", "/settings", once::Kept::nothing())?;
    answer::say("/settings", once::Done::MailSent, once::Kept::nothing());
    Ok(())
}
