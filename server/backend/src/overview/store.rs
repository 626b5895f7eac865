//! What the overview reads at a glance: counts and single facts in one query. Spend by day is `usage::days`'; slices and
//! transfers are never walked here.

use domain::forecast::Cause;
use domain::id::AccountId;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;

pub(super) struct Glance {
    pub running: i64,
    pub keys: i64,
    /// When the very first sandbox was started; none before.
    pub first_at: Option<OffsetDateTime>,
    /// When nothing may run any more and what ends then, as the orchestrator was told.
    pub told: Option<(OffsetDateTime, Cause)>,
}

pub(super) async fn glance(db: &mut PgConnection, account_id: AccountId) -> Result<Glance, Broken> {
    let row = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM sandboxes WHERE account_id = $1 AND state = 'running') AS "running!",
                  (SELECT count(*) FROM keys WHERE account_id = $1 AND revoked_at IS NULL) AS "keys!",
                  (SELECT created_at FROM sandboxes WHERE account_id = $1 ORDER BY created_at, sandbox_id LIMIT 1)
                      AS first_at, a.run_until, a.run_until_cause
           FROM accounts AS a WHERE a.account_id = $1"#,
        account_id.0
    )
    .fetch_one(db)
    .await?;
    Ok(Glance {
        running: row.running,
        keys: row.keys,
        first_at: row.first_at,
        told: row
            .run_until
            .zip(row.run_until_cause.as_deref().and_then(Cause::parse)),
    })
}

/// Sandboxes that are hibernated because credit ended, or because the limit was reached.
pub(super) async fn hibernated_by(
    db: &mut PgConnection,
    account_id: AccountId,
    cause: Cause,
) -> Result<i64, Broken> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM sandboxes
           WHERE account_id = $1 AND state = 'hibernated' AND stop_reason = $2"#,
        account_id.0,
        cause.as_str()
    )
    .fetch_one(db)
    .await?)
}

/// Alerts that could not be delivered since a moment, by mail and to the webhook.
pub(super) async fn undelivered(
    db: &mut PgConnection,
    account_id: AccountId,
    since: OffsetDateTime,
) -> Result<(i64, i64), Broken> {
    let row = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE webhook_id IS NULL) AS "mails!",
                  count(*) FILTER (WHERE webhook_id IS NOT NULL) AS "webhooks!"
           FROM (SELECT alert_id FROM alerts WHERE account_id = $1 AND raised_at >= $2
                 ORDER BY raised_at DESC, alert_id DESC LIMIT 100) AS a
           JOIN alert_deliveries AS d ON d.account_id = $1 AND d.alert_id = a.alert_id
           WHERE d.given_up_at IS NOT NULL AND d.delivered_at IS NULL"#,
        account_id.0,
        since
    )
    .fetch_one(db)
    .await?;
    Ok((row.mails, row.webhooks))
}
