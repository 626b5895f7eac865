//! Closed months: the frozen usage of each account. When a month may close is the parent's.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::failure::Broken;

/// The first moment of the newest closed month.
pub(super) async fn last_closed(db: &mut PgConnection) -> Result<Option<OffsetDateTime>, Broken> {
    Ok(sqlx::query_scalar!("SELECT max(month_at) FROM months")
        .fetch_one(db)
        .await?)
}

/// The first hour of service ever booked; none before it.
pub(super) async fn first_service(db: &mut PgConnection) -> Result<Option<OffsetDateTime>, Broken> {
    // By account, because that is how transfers are indexed.
    Ok(sqlx::query_scalar!(
        "SELECT min(first.service_hour) FROM accounts AS a CROSS JOIN LATERAL (
             SELECT t.service_hour FROM transfers AS t WHERE t.account_id = a.account_id AND t.service_hour IS NOT NULL
             ORDER BY t.service_hour LIMIT 1) AS first"
    )
    .fetch_one(db)
    .await?)
}

/// True when no account is held back: none whose settling broke, and none in which something
/// runs that is not posted up to `until`.
pub(super) async fn is_settled(
    db: &mut PgConnection,
    until: OffsetDateTime,
) -> Result<bool, Broken> {
    Ok(sqlx::query_scalar!(
        r#"SELECT NOT EXISTS (
               SELECT 1 FROM meters WHERE failed_at IS NOT NULL
                   OR (running > 0 AND (settled_until IS NULL OR settled_until < $1))) AS "settled!""#,
        until
    )
    .fetch_one(db)
    .await?)
}

/// Closes a month; false when it was closed before.
pub(super) async fn insert(
    db: &mut PgConnection,
    month_at: OffsetDateTime,
    watermark_at: OffsetDateTime,
    is_forced: bool,
    now: OffsetDateTime,
) -> Result<bool, Broken> {
    let done = sqlx::query!(
        "INSERT INTO months (month_at, watermark_at, is_forced, closed_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT months_pkey DO NOTHING",
        month_at,
        watermark_at,
        is_forced,
        now
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Freezes what the accounts after `after` used in `[month_at, until)`, by the hour of service, at most `limit` accounts;
/// the last account looked at, none when there was none. Accounts that booked nothing get no row.
pub(super) async fn freeze(
    db: &mut PgConnection,
    (month_at, until): (OffsetDateTime, OffsetDateTime),
    after: Uuid,
    limit: i64,
) -> Result<Option<Uuid>, Broken> {
    let accounts = sqlx::query_scalar!(
        "SELECT account_id FROM accounts WHERE account_id > $1 ORDER BY account_id LIMIT $2",
        after,
        limit
    )
    .fetch_all(&mut *db)
    .await?;
    sqlx::query!(
        "INSERT INTO account_months (account_id, month_at, usage_ticks, credit_ticks, overrun_ticks)
         SELECT account_id, $2, sum(paid.ticks), coalesce(sum(paid.ticks) FILTER (WHERE paid.by_grant), 0),
                coalesce(sum(paid.ticks) FILTER (WHERE NOT paid.by_grant), 0)
         FROM (SELECT t.account_id, la.kind = 'grant' AS by_grant,
                      CASE t.kind WHEN 'correction' THEN -t.ticks ELSE t.ticks END AS ticks
               FROM transfers AS t
               JOIN ledger_accounts AS la ON la.account_id = t.account_id AND la.kind IN ('grant', 'overrun')
                    AND la.ledger_account_id = CASE t.kind WHEN 'correction' THEN t.credit_id ELSE t.debit_id END
               WHERE t.account_id = ANY($1) AND t.service_hour >= $2 AND t.service_hour < $3
                 AND t.kind IN ('usage', 'overrun', 'correction')) AS paid
         GROUP BY account_id",
        &accounts, month_at, until
    )
    .execute(db)
    .await?;
    Ok(accounts.last().copied())
}
