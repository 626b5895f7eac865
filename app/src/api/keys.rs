//! Forms that make and revoke keys.

use leptos::prelude::*;

use super::ActionError;

/// Makes a key and leads to the one page that shows it.
#[server(endpoint = "key/create")]
pub async fn create(#[server(default)] name: String) -> Result<(), ActionError> {
    use super::{answer, once, request};
    let (backend, actor) = (request::backend()?, request::actor().await?);
    let outcome = backend::service::keys::create(&backend, &actor, &name).await;
    let kept = once::Kept::nothing().with("name", &name);
    let key = answer::to(outcome, "/keys/created", "/keys/new", kept)?;
    once::keep_new_key(&backend, &key);
    Ok(())
}

/// Revokes a key. `key_id` comes from the form, so it may be anything; a foreign key is not found.
#[server(endpoint = "key/revoke")]
pub async fn revoke(#[server(default)] key_id: String) -> Result<(), ActionError> {
    use super::{answer, once, request};
    let (backend, actor) = (request::backend()?, request::actor().await?);
    let outcome = match key_id.parse() {
        Ok(key_id) => backend::service::keys::revoke(&backend, &actor, key_id).await,
        Err(_) => Err(backend::failure::Failure::Refused(domain::refusal::KeyRefusal::NotFound)),
    };
    answer::to(outcome, "/keys", "/keys", once::Kept::nothing())?;
    answer::say("/keys", once::Done::KeyRevoked, once::Kept::nothing());
    Ok(())
}
