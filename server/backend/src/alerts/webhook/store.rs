//! The address that an account's alerts are posted to. Its path may be a secret, so it is never logged.

use domain::id::{AccountId, WebhookId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;

/// A webhook with its last test.
#[derive(Clone)]
pub(in crate::alerts) struct WebhookRow {
    /// What its secret is derived from; another one after each renewal.
    pub webhook_id: WebhookId,
    pub url: String,
    pub test_asked_at: Option<OffsetDateTime>,
    pub test_ended_at: Option<OffsetDateTime>,
    /// Why it did not get through; none when it did.
    pub test_failure: Option<String>,
}

pub(in crate::alerts) async fn get(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Option<WebhookRow>, Broken> {
    let row = sqlx::query_as!(
        WebhookRow,
        "SELECT webhook_id, url, test_asked_at, test_ended_at, test_failure FROM webhooks WHERE account_id = $1",
        account_id.0
    );
    Ok(row.fetch_optional(db).await?)
}

/// Locks the account, so that two tests that are asked for at the same moment count one after the other.
pub(super) async fn lock_account(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<(), Broken> {
    let lock = sqlx::query!(
        "SELECT 1 AS one FROM accounts WHERE account_id = $1 FOR NO KEY UPDATE",
        account_id.0
    );
    lock.fetch_optional(db).await?;
    Ok(())
}

/// Sets the address; a webhook that exists keeps its id, and with it its secret.
pub(super) async fn put(
    db: &mut PgConnection,
    account_id: AccountId,
    webhook_id: WebhookId,
    url: &str,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO webhooks (account_id, webhook_id, url, set_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT webhooks_pkey DO UPDATE
             SET url = excluded.url, set_at = excluded.set_at, test_asked_at = NULL, test_ended_at = NULL,
                 test_failure = NULL",
        account_id.0,
        webhook_id.0,
        url,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives the webhook another id, and with it another secret; false when there is none.
pub(super) async fn renew(
    db: &mut PgConnection,
    account_id: AccountId,
    webhook_id: WebhookId,
) -> Result<bool, Broken> {
    let done = sqlx::query!(
        "UPDATE webhooks SET webhook_id = $2 WHERE account_id = $1",
        account_id.0,
        webhook_id.0
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes the webhook; false when there is none.
pub(super) async fn remove(db: &mut PgConnection, account_id: AccountId) -> Result<bool, Broken> {
    let done = sqlx::query!("DELETE FROM webhooks WHERE account_id = $1", account_id.0);
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Notes that a test was asked for; none when there is no webhook.
pub(super) async fn ask_test(
    db: &mut PgConnection,
    account_id: AccountId,
    now: OffsetDateTime,
) -> Result<Option<WebhookId>, Broken> {
    let id = sqlx::query_scalar!(
        "UPDATE webhooks SET test_asked_at = $2, test_ended_at = NULL, test_failure = NULL WHERE account_id = $1
         RETURNING webhook_id",
        account_id.0,
        now
    );
    Ok(id.fetch_optional(db).await?.map(Into::into))
}

/// Notes how the test ended, unless another was asked for since.
pub(super) async fn end_test(
    db: &mut PgConnection,
    account_id: AccountId,
    asked_at: OffsetDateTime,
    failure: Option<&str>,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE webhooks SET test_ended_at = $3, test_failure = $4 WHERE account_id = $1 AND test_asked_at = $2",
        account_id.0,
        asked_at,
        now,
        failure
    )
    .execute(db)
    .await?;
    Ok(())
}
