//! The webhook of an account: its address, its secret, its test. Posting is `send`'s.

pub mod send;
mod store;

pub(super) use crate::alerts::webhook::store::get;

use domain::act::Act;
use domain::ceilings::WEBHOOK_TEST_EVERY_S;
use domain::id::WebhookId;
use domain::webhook::WebhookRefusal;
use time::Duration;

use crate::alerts::webhook::send::SendWebhook;
use crate::authority::actor::Actor;
use crate::failure::Failure;
use crate::outside::poster;
use crate::{Backend, random};

/// Sets the address. An address that is changed keeps its secret.
///
/// # Errors
/// [`WebhookRefusal`], or broken.
#[tracing::instrument(skip_all, name = "webhook.set")]
pub async fn set(
    backend: &Backend,
    actor: &Actor,
    typed: &str,
) -> Result<(), Failure<WebhookRefusal>> {
    let mut change = actor.begin(backend, Act::WebhookSet).await?;
    let url = poster::parse(typed, backend.settings().webhook_reach).map_err(Failure::Refused)?;
    let (account_id, now) = (change.account_id(), change.now());
    let webhook_id = WebhookId(random::id(now));
    store::put(&mut change, account_id, webhook_id, url.as_str(), now).await?;
    // Without the address: its path may be a secret.
    Ok(change.commit("").await?)
}

/// Removes the webhook. Posts that wait are given up.
///
/// # Errors
/// [`WebhookRefusal`], or broken.
#[tracing::instrument(skip_all, name = "webhook.remove")]
pub async fn remove(backend: &Backend, actor: &Actor) -> Result<(), Failure<WebhookRefusal>> {
    let mut change = actor.begin(backend, Act::WebhookRemove).await?;
    let account_id = change.account_id();
    if !store::remove(&mut change, account_id).await? {
        return Err(Failure::Refused(WebhookRefusal::NotSet));
    }
    Ok(change.commit("").await?)
}

/// Makes another secret; the old one signs nothing from now on.
///
/// # Errors
/// [`WebhookRefusal`], or broken.
#[tracing::instrument(skip_all, name = "webhook.renew")]
pub async fn renew(backend: &Backend, actor: &Actor) -> Result<(), Failure<WebhookRefusal>> {
    let mut change = actor.begin(backend, Act::WebhookRenew).await?;
    let (account_id, now) = (change.account_id(), change.now());
    if !store::renew(&mut change, account_id, WebhookId(random::id(now))).await? {
        return Err(Failure::Refused(WebhookRefusal::NotSet));
    }
    Ok(change.commit("").await?)
}

/// Has a test posted; the page shows how it ended.
///
/// # Errors
/// [`WebhookRefusal`], or broken.
#[tracing::instrument(skip_all, name = "webhook.test")]
pub async fn test(backend: &Backend, actor: &Actor) -> Result<(), Failure<WebhookRefusal>> {
    let mut change = actor.begin(backend, Act::WebhookTest).await?;
    let (account_id, now) = (change.account_id(), change.now());
    let Some(found) = store::get(&mut change, account_id).await? else {
        return Err(Failure::Refused(WebhookRefusal::NotSet));
    };
    let soonest = now - Duration::seconds(WEBHOOK_TEST_EVERY_S);
    if found.test_asked_at.is_some_and(|asked| asked > soonest) {
        return Err(Failure::Refused(WebhookRefusal::TooManyTests));
    }
    if let Some(webhook_id) = store::ask_test(&mut change, account_id, now).await? {
        let test = SendWebhook::Test {
            test: webhook_id,
            asked_ns: i64::try_from(now.unix_timestamp_nanos())?,
        };
        change.enqueue(&test).await?;
    }
    Ok(change.commit("").await?)
}
