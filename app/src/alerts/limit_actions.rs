//! Forms about the monthly limit.

#[cfg(feature = "ssr")]
use backend::limit;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::words;
use crate::action::ActionError;
#[cfg(feature = "ssr")]
use crate::action::{answer, context, flash::Kept, request};

#[server(endpoint = "limit/set")]
pub async fn set(#[server(default)] monthly: String) -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = limit::set(&backend, &actor, &monthly).await;
    answer::to(
        outcome,
        "/alerts",
        "/alerts",
        Kept::of([("monthly", &monthly)]),
    )?;
    answer::say("/alerts", words::LIMIT_SET, Kept::nothing());
    Ok(())
}

#[server(endpoint = "limit/remove")]
pub async fn remove() -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = limit::remove(&backend, &actor).await;
    answer::to(outcome, "/alerts", "/alerts", Kept::nothing())?;
    answer::say("/alerts", words::LIMIT_REMOVED, Kept::nothing());
    Ok(())
}
