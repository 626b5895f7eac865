//! What the overview reads at a glance: counts and single facts in one query, and spend by day. Sums come from
//! `usage_hours`; slices and transfers are never walked here.

use domain::id::AccountId;
use domain::moment::Moment;
use domain::money::{Cents, Ticks};
use domain::price::BilledMs;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{moment, ticks};
use crate::failure::Broken;

/// Single facts about an account.
pub struct Glance {
    /// Running sandboxes.
    pub running: i64,
    /// Live keys.
    pub keys: i64,
    /// When the very first sandbox was started; none before.
    pub first_at: Option<OffsetDateTime>,
    /// The customer's own monthly limit.
    pub limit: Option<Cents>,
}

/// Reads them.
pub async fn glance(db: &mut PgConnection, account_id: AccountId) -> Result<Glance, Broken> {
    let row = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM sandboxes WHERE account_id = $1 AND state = 'running') AS "running!",
                  (SELECT count(*) FROM keys WHERE account_id = $1 AND revoked_at IS NULL) AS "keys!",
                  (SELECT created_at FROM sandboxes WHERE account_id = $1 ORDER BY created_at, sandbox_id LIMIT 1)
                      AS first_at,
                  (SELECT monthly_cents FROM spending_limits WHERE account_id = $1) AS limit_cents"#,
        account_id.0
    )
    .fetch_one(db)
    .await?;
    Ok(Glance {
        running: row.running,
        keys: row.keys,
        first_at: row.first_at,
        limit: row.limit_cents.map(Cents),
    })
}

/// Posted usage by UTC day since a moment, oldest first; at most 100 days.
pub async fn by_day(
    db: &mut PgConnection,
    account_id: AccountId,
    since: Moment,
) -> Result<Vec<(Moment, BilledMs, Ticks)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT date_trunc('day', hour_at, 'UTC') AS "day!", sum(billed_ms)::bigint AS "billed_ms!", sum(ticks) AS "ticks!"
           FROM usage_hours WHERE account_id = $1 AND hour_at >= $2 GROUP BY 1 ORDER BY 1 LIMIT 100"#,
        account_id.0, OffsetDateTime::from(since)
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| Ok((moment(row.day), BilledMs(row.billed_ms), ticks(row.ticks)?)))
        .collect()
}

/// Alerts that could not be delivered since a moment, by mail and to the webhook.
pub async fn undelivered(
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
