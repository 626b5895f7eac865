//! Forms of the page behind the link in a mail that somebody else had sent.

#[cfg(feature = "ssr")]
use backend::targets;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{no_more_mail, words};
use crate::action::ActionError;
#[cfg(feature = "ssr")]
use crate::action::{answer, context, flash::Kept, sealed};

/// Where the link leads.
#[cfg(feature = "ssr")]
const LINK_PAGE: &str = "/no-more-mail";

/// Refuses such mail for ever, with the token of the link that led to the page.
#[server(endpoint = "target/refuse-mail")]
pub async fn refuse_mail() -> Result<(), ActionError> {
    let backend = context::backend()?;
    let token: String = sealed::peek(&backend, &no_more_mail::TOKEN).unwrap_or_default();
    let outcome = targets::refuse(&backend, &token).await;
    answer::to(outcome, LINK_PAGE, LINK_PAGE, Kept::nothing())?;
    answer::say(LINK_PAGE, words::MAIL_REFUSED, Kept::nothing());
    Ok(())
}

/// Takes it back.
#[server(endpoint = "target/allow-mail")]
pub async fn allow_mail() -> Result<(), ActionError> {
    let backend = context::backend()?;
    let token: String = sealed::peek(&backend, &no_more_mail::TOKEN).unwrap_or_default();
    let outcome = targets::allow(&backend, &token).await;
    answer::to(outcome, LINK_PAGE, LINK_PAGE, Kept::nothing())?;
    answer::say(LINK_PAGE, words::MAIL_ALLOWED, Kept::nothing());
    Ok(())
}
