//! Forms about the calendar feed.

#[cfg(feature = "ssr")]
use backend::alerts::calendar;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::words;
use crate::action::ActionError;
#[cfg(feature = "ssr")]
use crate::action::{answer, context, flash::Kept, request};

/// The part of the page that these forms stand in.
#[cfg(feature = "ssr")]
const PLACE: &str = "/alerts#calendar";

#[server(endpoint = "calendar/create")]
pub async fn create() -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = calendar::create(&backend, &actor).await;
    answer::to(outcome, PLACE, PLACE, Kept::nothing())?;
    answer::say(PLACE, words::CALENDAR_CREATED, Kept::nothing());
    Ok(())
}

#[server(endpoint = "calendar/revoke")]
pub async fn revoke() -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = calendar::revoke(&backend, &actor).await;
    answer::to(outcome, PLACE, PLACE, Kept::nothing())?;
    answer::say(PLACE, words::CALENDAR_REVOKED, Kept::nothing());
    Ok(())
}
