//! Usage per account, UTC hour and cohort: the sum of slices, moved by the same deltas in the same transaction; and the same
//! per UTC day, moved with it. What changed is `metering::settle`'s to say; check R3 compares. Reading days is `usage::days`'.

use std::collections::BTreeMap;

use domain::id::AccountId;
use domain::moment::Moment;
use domain::money::Ticks;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::numeric;
use crate::failure::Broken;

/// By how much one row moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delta {
    pub account_id: AccountId,
    pub hour: Moment,
    pub cohort_id: Uuid,
    /// Milliseconds more, or less when negative.
    pub billed_ms: i64,
    /// Ticks more, or less when negative.
    pub ticks: Ticks,
}

/// Accounts, hours or days, and cohorts: the keys of rows, each column by itself.
type Keys = (Vec<Uuid>, Vec<OffsetDateTime>, Vec<Uuid>);

/// Deltas of rows, each row named once, in the order of the rows.
#[derive(Default)]
struct Rows {
    accounts: Vec<Uuid>,
    hours: Vec<OffsetDateTime>,
    cohorts: Vec<Uuid>,
    billed: Vec<i64>,
    amounts: Vec<Decimal>,
}

impl Rows {
    /// Adds up what is said of each row: many sandboxes move the same one.
    fn of(deltas: &[Delta]) -> Result<Self, Broken> {
        let mut sums: BTreeMap<(Uuid, Moment, Uuid), (i64, Ticks)> = BTreeMap::new();
        for delta in deltas {
            let row = (delta.account_id.0, delta.hour, delta.cohort_id);
            let (billed, ticks) = sums.entry(row).or_default();
            *billed += delta.billed_ms;
            *ticks = ticks.saturating_add(delta.ticks);
        }
        let mut rows = Self::default();
        for ((account_id, hour, cohort_id), (billed, ticks)) in sums {
            if billed != 0 || ticks != Ticks::ZERO {
                rows.accounts.push(account_id);
                rows.hours.push(hour.into());
                rows.cohorts.push(cohort_id);
                rows.billed.push(billed);
                rows.amounts.push(numeric(ticks)?);
            }
        }
        Ok(rows)
    }
}

/// Moves rows by these deltas, of hours and of days; one row may be named several times. A row that comes down to nothing
/// goes. Must run under the meters of the accounts: nobody else writes here.
pub(super) async fn add(db: &mut PgConnection, deltas: &[Delta]) -> Result<(), Broken> {
    let rows = Rows::of(deltas)?;
    if rows.accounts.is_empty() {
        return Ok(());
    }
    // Not upserts: a check on a row that would be inserted with a negative delta fails before its conflict is seen.
    let empty = sqlx::query!(
        r#"WITH delta AS MATERIALIZED (
               SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::bigint[], $5::numeric[])
                    AS u (account_id, hour_at, cohort_id, billed_ms, ticks)),
           moved AS (
               UPDATE usage_hours AS h SET billed_ms = h.billed_ms + d.billed_ms, ticks = h.ticks + d.ticks
               FROM delta AS d
               WHERE (h.account_id, h.hour_at, h.cohort_id) = (d.account_id, d.hour_at, d.cohort_id)
               RETURNING h.account_id, h.hour_at, h.cohort_id, h.billed_ms, h.ticks),
           added AS (
               INSERT INTO usage_hours (account_id, hour_at, cohort_id, billed_ms, ticks)
               SELECT d.account_id, d.hour_at, d.cohort_id, d.billed_ms, d.ticks FROM delta AS d
               LEFT JOIN moved AS m USING (account_id, hour_at, cohort_id)
               WHERE m.account_id IS NULL ORDER BY 1, 2, 3),
           day AS MATERIALIZED (
               SELECT account_id, date_trunc('day', hour_at, 'UTC') AS day_at, cohort_id,
                      sum(billed_ms)::bigint AS billed_ms, sum(ticks) AS ticks
               FROM delta GROUP BY 1, 2, 3 HAVING sum(billed_ms) <> 0 OR sum(ticks) <> 0),
           moved_day AS (
               UPDATE usage_days AS u SET billed_ms = u.billed_ms + d.billed_ms, ticks = u.ticks + d.ticks
               FROM day AS d
               WHERE (u.account_id, u.day_at, u.cohort_id) = (d.account_id, d.day_at, d.cohort_id)
               RETURNING u.account_id, u.day_at, u.cohort_id, u.billed_ms, u.ticks),
           added_day AS (
               INSERT INTO usage_days (account_id, day_at, cohort_id, billed_ms, ticks)
               SELECT d.account_id, d.day_at, d.cohort_id, d.billed_ms, d.ticks FROM day AS d
               LEFT JOIN moved_day AS m USING (account_id, day_at, cohort_id)
               WHERE m.account_id IS NULL ORDER BY 1, 2, 3)
           SELECT false AS "is_day!", account_id AS "account_id!", hour_at AS "at!", cohort_id AS "cohort_id!" FROM moved
           WHERE billed_ms = 0 AND ticks = 0
           UNION ALL SELECT true, account_id, day_at, cohort_id FROM moved_day WHERE billed_ms = 0 AND ticks = 0"#,
        &rows.accounts, &rows.hours, &rows.cohorts, &rows.billed, &rows.amounts
    )
    .fetch_all(&mut *db)
    .await?;
    let (mut hours, mut days) = (Keys::default(), Keys::default());
    for row in empty {
        let keys = if row.is_day { &mut days } else { &mut hours };
        keys.0.push(row.account_id);
        keys.1.push(row.at);
        keys.2.push(row.cohort_id);
    }
    forget(db, &hours, &days).await
}

/// Deletes rows of hours and of days that came down to nothing.
async fn forget(db: &mut PgConnection, hours: &Keys, days: &Keys) -> Result<(), Broken> {
    if !hours.0.is_empty() {
        sqlx::query!(
            "DELETE FROM usage_hours AS h USING unnest($1::uuid[], $2::timestamptz[], $3::uuid[])
                  AS u (account_id, hour_at, cohort_id)
             WHERE (h.account_id, h.hour_at, h.cohort_id) = (u.account_id, u.hour_at, u.cohort_id)",
            &hours.0,
            &hours.1,
            &hours.2
        )
        .execute(&mut *db)
        .await?;
    }
    if !days.0.is_empty() {
        sqlx::query!(
            "DELETE FROM usage_days AS d USING unnest($1::uuid[], $2::timestamptz[], $3::uuid[])
                  AS u (account_id, day_at, cohort_id)
             WHERE (d.account_id, d.day_at, d.cohort_id) = (u.account_id, u.day_at, u.cohort_id)",
            &days.0,
            &days.1,
            &days.2
        )
        .execute(db)
        .await?;
    }
    Ok(())
}
