//! Forms about the monthly limit.

#[cfg(feature = "ssr")]
use backend::limit;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::words;
use crate::action::ActionError;
#[cfg(feature = "ssr")]
use crate::action::{answer, context, flash::Kept, request};

/// The part of the page that these forms stand in.
#[cfg(feature = "ssr")]
const PLACE: &str = "/alerts#limit";

#[server(endpoint = "limit/set")]
pub async fn set(#[server(default)] monthly: String) -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = limit::set(&backend, &actor, &monthly).await;
    answer::to(outcome, PLACE, PLACE, Kept::of([("monthly", &monthly)]))?;
    answer::say(PLACE, words::LIMIT_SET, Kept::nothing());
    Ok(())
}

#[server(endpoint = "limit/remove")]
pub async fn remove() -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = limit::remove(&backend, &actor).await;
    answer::to(outcome, PLACE, PLACE, Kept::nothing())?;
    answer::say(PLACE, words::LIMIT_REMOVED, Kept::nothing());
    Ok(())
}
