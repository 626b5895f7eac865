//! Posts one alert, or a test, to the account's webhook. Safe to run twice: what got through is marked and not posted
//! again, and a post whose answer was lost repeats with the same id, by which the receiver knows it.

use domain::ceilings::WEBHOOK_ATTEMPTS_MAX;
use domain::id::{AccountId, DeliveryId, WebhookId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Backend;
use crate::alerts::webhook::store;
use crate::alerts::{self, store::AlertRow};
use crate::outside::poster::{PostError, secret_of};
use crate::queue::lane::Lane;
use crate::queue::{Job, JobError, LeasedJob};

/// A post to the account's webhook.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub enum SendWebhook {
    /// An alert, enqueued by the transaction that raises it.
    Alert {
        /// What of it is delivered, and how.
        delivery_id: DeliveryId,
    },
    /// A test, of which each is a job of its own.
    Test {
        /// The webhook that was set when it was asked for.
        test: WebhookId,
        /// When it was asked for, in nanoseconds since 1970.
        asked_ns: i64,
    },
}

impl Job for SendWebhook {
    const NAME: &'static str = "send-webhook";
    const LANE: Lane = Lane::Posts;

    fn unique_key(&self) -> String {
        match self {
            Self::Alert { delivery_id } => format!("send-webhook:{delivery_id}"),
            Self::Test { test, asked_ns } => format!("send-webhook:test:{test}:{asked_ns}"),
        }
    }

    async fn run(self, backend: &Backend, lease: &LeasedJob) -> Result<(), JobError> {
        let account_id = lease.account()?;
        match self {
            Self::Alert { delivery_id } => deliver(backend, lease, account_id, delivery_id).await,
            Self::Test { .. } => test(backend, lease, account_id).await,
        }
    }
}

async fn deliver(
    backend: &Backend,
    lease: &LeasedJob,
    account_id: AccountId,
    delivery_id: DeliveryId,
) -> Result<(), JobError> {
    let mut db = backend.pool().acquire().await?;
    let Some(alert) = alerts::store::undelivered(&mut db, account_id, delivery_id).await? else {
        return Ok(());
    };
    let found = store::get(&mut db, account_id).await?;
    // No connection is held while a receiver takes its time.
    drop(db);
    let Some(webhook) = found else {
        return end(backend, account_id, delivery_id, "webhook_removed").await;
    };
    let secret = secret_of(backend.root().await?, webhook.webhook_id.0);
    let body = body(account_id, delivery_id, &alert);
    match post(backend, &webhook.url, &secret, body).await {
        Ok(()) => {
            let mut db = backend.pool().acquire().await?;
            let now = backend.clock().now();
            Ok(alerts::store::delivered(&mut db, account_id, delivery_id, now).await?)
        }
        // Given up is an end, not a failure of ours: no person of ours must look.
        Err(error) if lease.attempt >= WEBHOOK_ATTEMPTS_MAX => {
            end(backend, account_id, delivery_id, &error.class()).await
        }
        Err(error) => {
            let mut db = backend.pool().acquire().await?;
            alerts::store::failed(&mut db, account_id, delivery_id, &error.class(), None).await?;
            Err(JobError::Retry("webhook_failed"))
        }
    }
}

/// One attempt only: whoever tests sits in front of the page and tries again. Its id is the job's: each test has its own, and
/// one whose answer was lost repeats with it.
async fn test(backend: &Backend, lease: &LeasedJob, account_id: AccountId) -> Result<(), JobError> {
    let mut db = backend.pool().acquire().await?;
    let Some(webhook) = store::get(&mut db, account_id).await? else {
        return Ok(());
    };
    drop(db);
    let Some(asked_at) = webhook
        .test_asked_at
        .filter(|_| webhook.test_ended_at.is_none())
    else {
        return Ok(());
    };
    let body = json!({
        "id": lease.job_id, "type": "test", "account_id": account_id, "created_at": rfc3339(asked_at),
    });
    let secret = secret_of(backend.root().await?, webhook.webhook_id.0);
    let failure = post(backend, &webhook.url, &secret, body).await.err();
    let failure = failure.as_ref().map(PostError::class);
    let (mut db, now) = (backend.pool().acquire().await?, backend.clock().now());
    Ok(store::end_test(&mut db, account_id, asked_at, failure.as_deref(), now).await?)
}

async fn post(backend: &Backend, url: &str, secret: &str, body: Value) -> Result<(), PostError> {
    let now = backend.clock().now();
    let outcome = backend
        .poster()
        .post(url, secret, body.to_string(), now)
        .await;
    let counted = if outcome.is_ok() { "sent" } else { "failed" };
    metrics::counter!("webhook_posts_total", "outcome" => counted).increment(1);
    outcome
}

async fn end(
    backend: &Backend,
    account_id: AccountId,
    delivery_id: DeliveryId,
    failure: &str,
) -> Result<(), JobError> {
    let mut db = backend.pool().acquire().await?;
    let now = backend.clock().now();
    Ok(alerts::store::failed(&mut db, account_id, delivery_id, failure, Some(now)).await?)
}

fn body(account_id: AccountId, delivery_id: DeliveryId, row: &AlertRow) -> Value {
    json!({
        "id": delivery_id,
        "type": "alert",
        "account_id": account_id,
        "created_at": rfc3339(row.raised_at),
        "alert": {
            "id": row.alert_id,
            "kind": row.alert.kind.as_str(),
            "threshold": row.alert.threshold,
            "epoch": row.alert.epoch,
            "left_ticks": row.left,
            "left": row.left.dollars(6),
            "ends_at": row.zero_at.map(rfc3339),
        },
    })
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
