//! Forms that command sandboxes.

#[cfg(feature = "ssr")]
use backend::failure::Failure;
#[cfg(feature = "ssr")]
use backend::sandboxes;
#[cfg(feature = "ssr")]
use domain::sandbox::SandboxId;
#[cfg(feature = "ssr")]
use domain::sandbox::SandboxRefusal;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::words;
use crate::action::ActionError;
#[cfg(feature = "ssr")]
use crate::action::{answer, context, flash::Kept, request};

/// Restarts the timer that destroys a sandbox. Both fields come from the form, so they may be anything.
#[server(endpoint = "sandbox/set-timeout")]
pub async fn set_timeout(
    #[server(default)] sandbox_id: String,
    #[server(default)] minutes: String,
) -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = match (SandboxId::parse(&sandbox_id), minutes.parse()) {
        (Some(id), Ok(minutes)) => sandboxes::set_timeout(&backend, &actor, &id, minutes).await,
        (Some(_), Err(_)) => Err(Failure::Refused(SandboxRefusal::TimeoutUnknown)),
        (None, _) => Err(Failure::Refused(SandboxRefusal::NotFound)),
    };
    answer::to(outcome, "/waste", "/waste", Kept::nothing())?;
    answer::say("/waste", words::TIMEOUT_SET, Kept::nothing());
    Ok(())
}
