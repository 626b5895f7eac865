//! Forms about the calendar feed.

#[cfg(feature = "ssr")]
use backend::alerts::calendar;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::words;
use crate::action::ActionError;
#[cfg(feature = "ssr")]
use crate::action::{answer, context, flash::Kept, request};

#[server(endpoint = "calendar/create")]
pub async fn create() -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = calendar::create(&backend, &actor).await;
    answer::to(outcome, "/alerts", "/alerts", Kept::nothing())?;
    answer::say("/alerts", words::CALENDAR_CREATED, Kept::nothing());
    Ok(())
}

#[server(endpoint = "calendar/revoke")]
pub async fn revoke() -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = calendar::revoke(&backend, &actor).await;
    answer::to(outcome, "/alerts", "/alerts", Kept::nothing())?;
    answer::say("/alerts", words::CALENDAR_REVOKED, Kept::nothing());
    Ok(())
}
