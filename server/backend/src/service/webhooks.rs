//! The webhook of an account: its address, its secret, its test. Posting is `jobs::send_webhook`'s.

use domain::id::WebhookId;
use domain::limits::WEBHOOK_TEST_EVERY_S;
use domain::refusal::WebhookRefusal;
use time::Duration;

use crate::Backend;
use crate::actor::Actor;
use crate::failure::Failure;
use crate::jobs::send_webhook;
use crate::random;
use crate::store::audit::{self, Action};
use crate::store::webhooks;
use crate::webhook;

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
    let url = webhook::parse(typed, backend.settings().webhook_reach).map_err(Failure::Refused)?;
    may_change(actor)?;
    let (account_id, now) = (actor.account_id(), backend.clock().now());
    let mut tx = backend.pool().begin().await?;
    let webhook_id = WebhookId(random::id(now));
    webhooks::put(&mut tx, account_id, webhook_id, url.as_str(), now).await?;
    let who = actor.user_id();
    // Without the address: its path may be a secret.
    audit::append(&mut tx, account_id, who, Action::WebhookSet, "", now).await?;
    Ok(tx.commit().await?)
}

/// Removes the webhook. Posts that wait are given up.
///
/// # Errors
/// [`WebhookRefusal`], or broken.
#[tracing::instrument(skip_all, name = "webhook.remove")]
pub async fn remove(backend: &Backend, actor: &Actor) -> Result<(), Failure<WebhookRefusal>> {
    may_change(actor)?;
    let (account_id, now) = (actor.account_id(), backend.clock().now());
    let mut tx = backend.pool().begin().await?;
    if !webhooks::remove(&mut tx, account_id).await? {
        return Err(Failure::Refused(WebhookRefusal::NotSet));
    }
    let who = actor.user_id();
    audit::append(&mut tx, account_id, who, Action::WebhookRemoved, "", now).await?;
    Ok(tx.commit().await?)
}

/// Makes another secret; the old one signs nothing from now on.
///
/// # Errors
/// [`WebhookRefusal`], or broken.
#[tracing::instrument(skip_all, name = "webhook.renew")]
pub async fn renew(backend: &Backend, actor: &Actor) -> Result<(), Failure<WebhookRefusal>> {
    may_change(actor)?;
    let (account_id, now) = (actor.account_id(), backend.clock().now());
    let mut tx = backend.pool().begin().await?;
    if !webhooks::renew(&mut tx, account_id, WebhookId(random::id(now))).await? {
        return Err(Failure::Refused(WebhookRefusal::NotSet));
    }
    let who = actor.user_id();
    audit::append(&mut tx, account_id, who, Action::WebhookRenewed, "", now).await?;
    Ok(tx.commit().await?)
}

/// Has a test posted; the page shows how it ended.
///
/// # Errors
/// [`WebhookRefusal`], or broken.
#[tracing::instrument(skip_all, name = "webhook.test")]
pub async fn test(backend: &Backend, actor: &Actor) -> Result<(), Failure<WebhookRefusal>> {
    may_change(actor)?;
    let (account_id, now) = (actor.account_id(), backend.clock().now());
    let mut tx = backend.pool().begin().await?;
    let Some(found) = webhooks::get(&mut tx, account_id).await? else {
        return Err(Failure::Refused(WebhookRefusal::NotSet));
    };
    let soonest = now - Duration::seconds(WEBHOOK_TEST_EVERY_S);
    if found.test_asked_at.is_some_and(|asked| asked > soonest) {
        return Err(Failure::Refused(WebhookRefusal::TooManyTests));
    }
    if let Some(webhook_id) = webhooks::ask_test(&mut tx, account_id, now).await? {
        send_webhook::enqueue_test(&mut tx, account_id, webhook_id, now).await?;
    }
    Ok(tx.commit().await?)
}

fn may_change(actor: &Actor) -> Result<(), Failure<WebhookRefusal>> {
    if actor.role().may_change_money() {
        Ok(())
    } else {
        Err(Failure::Refused(WebhookRefusal::Forbidden))
    }
}
