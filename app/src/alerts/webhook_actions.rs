//! Forms about the webhook. Its address may hold a secret: it is kept in the sealed flash and nowhere else.

#[cfg(feature = "ssr")]
use backend::alerts::webhook;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::words;
use crate::action::ActionError;
#[cfg(feature = "ssr")]
use crate::action::{answer, context, flash::Kept, request};

/// The part of the page that these forms stand in.
#[cfg(feature = "ssr")]
const PLACE: &str = "/alerts#webhook";

#[server(endpoint = "webhook/set")]
pub async fn set(#[server(default)] url: String) -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = webhook::set(&backend, &actor, &url).await;
    answer::to(outcome, PLACE, PLACE, Kept::of([("url", &url)]))?;
    answer::say(PLACE, words::WEBHOOK_SET, Kept::nothing());
    Ok(())
}

#[server(endpoint = "webhook/remove")]
pub async fn remove() -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = webhook::remove(&backend, &actor).await;
    answer::to(outcome, PLACE, PLACE, Kept::nothing())?;
    answer::say(PLACE, words::WEBHOOK_REMOVED, Kept::nothing());
    Ok(())
}

/// Makes another secret for the webhook.
#[server(endpoint = "webhook/renew")]
pub async fn renew() -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = webhook::renew(&backend, &actor).await;
    answer::to(outcome, PLACE, PLACE, Kept::nothing())?;
    answer::say(PLACE, words::WEBHOOK_RENEWED, Kept::nothing());
    Ok(())
}

#[server(endpoint = "webhook/test")]
pub async fn test() -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = webhook::test(&backend, &actor).await;
    answer::to(outcome, PLACE, PLACE, Kept::nothing())?;
    answer::say(PLACE, words::WEBHOOK_TESTED, Kept::nothing());
    Ok(())
}
