//! Usage per account, UTC hour and cohort: the sum of slices, moved by the same deltas in the same transaction.
//! What changed is `metering::settle`'s to say; check R3 compares the two.

use domain::id::AccountId;
use domain::moment::Moment;
use domain::money::Ticks;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{numeric, ticks};
use crate::failure::Broken;

/// By how much one row moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delta {
    /// Whose.
    pub account_id: AccountId,
    /// Start of the hour.
    pub hour: Moment,
    /// The cohort of the sandbox.
    pub cohort_id: Uuid,
    /// Milliseconds more, or less when negative.
    pub billed_ms: i64,
    /// Ticks more, or less when negative.
    pub ticks: Ticks,
}

/// Moves rows by these deltas; one row may be named several times. A row that comes down to nothing goes. Must run under
/// the meters of the accounts: nobody else writes here.
pub async fn add(db: &mut PgConnection, deltas: &[Delta]) -> Result<(), Broken> {
    if deltas.is_empty() {
        return Ok(());
    }
    let accounts: Vec<Uuid> = deltas.iter().map(|delta| delta.account_id.0).collect();
    let hours: Vec<OffsetDateTime> = deltas.iter().map(|delta| delta.hour.into()).collect();
    let cohorts: Vec<Uuid> = deltas.iter().map(|delta| delta.cohort_id).collect();
    let billed: Vec<i64> = deltas.iter().map(|delta| delta.billed_ms).collect();
    let amounts = deltas
        .iter()
        .map(|delta| numeric(delta.ticks))
        .collect::<Result<Vec<Decimal>, _>>()?;
    // Not an upsert: a check on a row that would be inserted with a negative delta fails before its conflict is seen.
    sqlx::query!(
        "WITH delta AS MATERIALIZED (
             SELECT account_id, hour_at, cohort_id, sum(billed_ms)::bigint AS billed_ms, sum(ticks) AS ticks
             FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::bigint[], $5::numeric[])
                  AS u (account_id, hour_at, cohort_id, billed_ms, ticks)
             GROUP BY account_id, hour_at, cohort_id HAVING sum(billed_ms) <> 0 OR sum(ticks) <> 0),
         moved AS (
             UPDATE usage_hours AS h SET billed_ms = h.billed_ms + d.billed_ms, ticks = h.ticks + d.ticks
             FROM delta AS d
             WHERE (h.account_id, h.hour_at, h.cohort_id) = (d.account_id, d.hour_at, d.cohort_id)
             RETURNING h.account_id, h.hour_at, h.cohort_id)
         INSERT INTO usage_hours (account_id, hour_at, cohort_id, billed_ms, ticks)
         SELECT d.account_id, d.hour_at, d.cohort_id, d.billed_ms, d.ticks FROM delta AS d
         LEFT JOIN moved AS m USING (account_id, hour_at, cohort_id)
         WHERE m.account_id IS NULL ORDER BY 1, 2, 3",
        &accounts, &hours, &cohorts, &billed, &amounts
    )
    .execute(&mut *db)
    .await?;
    if billed.iter().any(|ms| *ms < 0) {
        sqlx::query!(
            "DELETE FROM usage_hours AS h USING unnest($1::uuid[], $2::timestamptz[], $3::uuid[])
                  AS u (account_id, hour_at, cohort_id)
             WHERE (h.account_id, h.hour_at, h.cohort_id) = (u.account_id, u.hour_at, u.cohort_id)
               AND h.billed_ms = 0 AND h.ticks = 0",
            &accounts,
            &hours,
            &cohorts
        )
        .execute(db)
        .await?;
    }
    Ok(())
}

/// Posted cost of an account in `[from, until)`.
pub async fn total(
    db: &mut PgConnection,
    account_id: AccountId,
    from: Moment,
    until: Moment,
) -> Result<Ticks, Broken> {
    let sum = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(ticks), 0) AS "ticks!" FROM usage_hours
           WHERE account_id = $1 AND hour_at >= $2 AND hour_at < $3"#,
        account_id.0,
        OffsetDateTime::from(from),
        OffsetDateTime::from(until)
    )
    .fetch_one(db)
    .await?;
    ticks(sum)
}

/// Posted cost per key since a moment.
pub async fn by_key(
    db: &mut PgConnection,
    account_id: AccountId,
    keys: &[Uuid],
    since: Moment,
) -> Result<Vec<(Uuid, Ticks)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT c.key_id AS "key_id!", sum(h.ticks) AS "ticks!"
           FROM usage_hours AS h JOIN cohorts AS c USING (account_id, cohort_id)
           WHERE h.account_id = $1 AND h.hour_at >= $3 AND c.key_id = ANY($2) GROUP BY c.key_id"#,
        account_id.0,
        keys,
        OffsetDateTime::from(since)
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| Ok((row.key_id, ticks(row.ticks)?)))
        .collect()
}
