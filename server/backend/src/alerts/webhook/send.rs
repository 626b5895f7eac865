//! Posts one alert, or a test, to the account's webhook. Safe to run twice: what got through is marked and not posted
//! again, and a post whose answer was lost repeats with the same id, by which the receiver knows it.

use domain::id::{AccountId, DeliveryId, WebhookId};
use domain::limits::WEBHOOK_ATTEMPTS_MAX;
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Backend;
use crate::alerts::store as alerts;
use crate::alerts::store::AlertRow;
use crate::alerts::webhook::store::{self, WebhookRow};
use crate::failure::Broken;
use crate::outside::poster as webhook;
use crate::outside::poster::PostError;
use crate::queue::store::{LeasedJob, NewJob};
use crate::queue::{Kind, Trouble, account_of, payload_id, store as jobs};

/// Enqueues the post of an alert, in the transaction that raises it.
pub(crate) async fn enqueue(
    db: &mut PgConnection,
    account_id: AccountId,
    delivery_id: DeliveryId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let job = NewJob {
        kind: Kind::SendWebhook.as_str(),
        account_id: Some(account_id),
        payload: json!({ "delivery_id": delivery_id }),
        unique_key: format!("send-webhook:{delivery_id}"),
    };
    jobs::enqueue(db, &job, now).await
}

/// Enqueues a test of the webhook.
pub(crate) async fn enqueue_test(
    db: &mut PgConnection,
    account_id: AccountId,
    webhook_id: WebhookId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let job = NewJob {
        kind: Kind::SendWebhook.as_str(),
        account_id: Some(account_id),
        payload: json!({ "test": webhook_id }),
        unique_key: format!(
            "send-webhook:test:{webhook_id}:{}",
            now.unix_timestamp_nanos()
        ),
    };
    jobs::enqueue(db, &job, now).await
}

pub(crate) async fn run(backend: &Backend, job: &LeasedJob) -> Result<(), Trouble> {
    let account_id = account_of(job)?;
    if job.payload.get("test").is_some() {
        return test(backend, account_id).await;
    }
    let delivery_id = DeliveryId(payload_id(&job.payload, "delivery_id")?);
    let mut db = backend.pool().acquire().await?;
    let Some(alert) = alerts::undelivered(&mut db, account_id, delivery_id).await? else {
        return Ok(());
    };
    let found = store::get(&mut db, account_id).await?;
    // No connection is held while a receiver takes its time.
    drop(db);
    let Some(webhook) = found else {
        return end(backend, account_id, delivery_id, "webhook_removed").await;
    };
    let body = body(account_id, delivery_id, &alert);
    match post(backend, &webhook, body).await {
        Ok(()) => {
            let mut db = backend.pool().acquire().await?;
            let now = backend.clock().now();
            Ok(alerts::delivered(&mut db, account_id, delivery_id, now).await?)
        }
        // Given up is an end, not a failure of ours: no person of ours must look.
        Err(error) if job.attempt >= WEBHOOK_ATTEMPTS_MAX => {
            end(backend, account_id, delivery_id, &error.class()).await
        }
        Err(error) => {
            let mut db = backend.pool().acquire().await?;
            alerts::failed(&mut db, account_id, delivery_id, &error.class(), None).await?;
            Err(Trouble::Retry("webhook_failed"))
        }
    }
}

/// One attempt only: whoever tests sits in front of the page and tries again.
async fn test(backend: &Backend, account_id: AccountId) -> Result<(), Trouble> {
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
        "id": webhook.webhook_id, "type": "test", "account_id": account_id, "created_at": rfc3339(asked_at),
    });
    let failure = post(backend, &webhook, body).await.err();
    let failure = failure.as_ref().map(PostError::class);
    let (mut db, now) = (backend.pool().acquire().await?, backend.clock().now());
    Ok(store::end_test(&mut db, account_id, asked_at, failure.as_deref(), now).await?)
}

async fn post(backend: &Backend, webhook: &WebhookRow, body: Value) -> Result<(), PostError> {
    let secret = webhook::secret_of(&backend.settings().secret_key, webhook.webhook_id.0);
    let now = backend.clock().now();
    let outcome = backend
        .poster()
        .post(&webhook.url, &secret, body.to_string(), now)
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
) -> Result<(), Trouble> {
    let mut db = backend.pool().acquire().await?;
    let now = backend.clock().now();
    Ok(alerts::failed(&mut db, account_id, delivery_id, failure, Some(now)).await?)
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
