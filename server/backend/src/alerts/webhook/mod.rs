//! The webhook of an account: its address, its secret, its test. Posting is `send`'s.

pub mod send;
mod store;

pub(super) use crate::alerts::webhook::store::get;

use domain::act::Act;
use domain::ceilings::{WEBHOOK_TEST_EVERY_S, WEBHOOK_TESTS_PER_DAY};
use domain::id::{AccountId, WebhookId};
use domain::webhook::WebhookRefusal;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use url::Url;

use crate::alerts::webhook::send::SendWebhook;
use crate::authority::actor::Actor;
use crate::failure::{Broken, Failure};
use crate::outside::poster;
use crate::targets::{self, Ceiling, Held, Target};
use crate::{Backend, audit, random};

/// The least time between two tests.
const GAP: Duration = Duration::seconds(WEBHOOK_TEST_EVERY_S);
/// How often one host is sent tests, by whichever accounts. Not by the day: customers of one service share its host, and one
/// of them must not use it up for the others.
const TESTS: Ceiling = Ceiling {
    purpose: "test_webhook",
    within: &[(GAP, 1)],
};

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
    store::lock_account(&mut change, account_id).await?;
    let Some(found) = store::get(&mut change, account_id).await? else {
        return Err(Failure::Refused(WebhookRefusal::NotSet));
    };
    may_test(&mut change, backend, account_id, &found.url, now).await?;
    if let Some(webhook_id) = store::ask_test(&mut change, account_id, now).await? {
        let test = SendWebhook::Test {
            test: webhook_id,
            asked_ns: i64::try_from(now.unix_timestamp_nanos())?,
        };
        change.enqueue(&test).await?;
    }
    Ok(change.commit("").await?)
}

/// Whether another test may go out: by the account, counted by its audit log, because a webhook that is set anew or removed
/// forgets its tests; and by the host, whichever account asks.
async fn may_test(
    db: &mut PgConnection,
    backend: &Backend,
    account_id: AccountId,
    url: &str,
    now: OffsetDateTime,
) -> Result<(), Failure<WebhookRefusal>> {
    let word = Act::WebhookTest
        .rule()
        .word
        .ok_or_else(|| Broken::new("a test without a word"))?;
    for (within, most, refusal) in [
        (GAP, 1, WebhookRefusal::TooManyTests),
        (
            Duration::DAY,
            WEBHOOK_TESTS_PER_DAY,
            WebhookRefusal::TestsUsedUp,
        ),
    ] {
        if audit::count_since(db, account_id, word, now - within).await? >= most {
            return Err(Failure::Refused(refusal));
        }
    }
    let target = Target::host(&Url::parse(url)?);
    let held = targets::reserve(db, backend, &target, &TESTS, now).await?;
    held.map_err(|held| match held {
        Held::Reached => Failure::Refused(WebhookRefusal::TooManyTests),
        Held::Unwanted => Failure::Broken(Broken::new("a host that refuses mail")),
    })
}
