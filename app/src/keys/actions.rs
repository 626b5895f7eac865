//! Forms that make and revoke keys.

#[cfg(feature = "ssr")]
use backend::failure::Failure;
#[cfg(feature = "ssr")]
use backend::keys;
#[cfg(feature = "ssr")]
use domain::key::KeyRefusal;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{created, words};
use crate::action::ActionError;
#[cfg(feature = "ssr")]
use crate::action::{answer, context, flash::Kept, request};

/// Makes a key and leads to the one page that shows it.
#[server(endpoint = "key/create")]
pub async fn create(#[server(default)] name: String) -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = keys::create(&backend, &actor, &name).await;
    let kept = Kept::of([("name", &name)]);
    let key = answer::to(outcome, "/keys/created", "/keys/new", kept)?;
    created::keep(&backend, &key);
    Ok(())
}

/// Revokes a key. `key_id` comes from the form, so it may be anything; a foreign key is not found.
#[server(endpoint = "key/revoke")]
pub async fn revoke(#[server(default)] key_id: String) -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = match key_id.parse() {
        Ok(key_id) => keys::revoke(&backend, &actor, key_id).await,
        Err(_) => Err(Failure::Refused(KeyRefusal::NotFound)),
    };
    answer::to(outcome, "/keys", "/keys", Kept::nothing())?;
    answer::say("/keys", words::REVOKED, Kept::nothing());
    Ok(())
}
