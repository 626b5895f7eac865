//! Days as check R3 adds them up: what is summed by day beside what is summed by hour. Reads only; what follows from a
//! difference is `checks::days`'. Hours and balances are `ledger`'s.

use domain::id::AccountId;
use domain::moment::Moment;
use domain::money::Ticks;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{moment, ticks};
use crate::failure::Broken;

/// A day and cohort whose sum is not that of its hours.
pub(in crate::checks) struct DayRow {
    pub day: Moment,
    pub cohort_id: Uuid,
    /// Milliseconds and cost as the hours have them.
    pub of_hours: (i64, Ticks),
    /// Milliseconds and cost as the day has them.
    pub of_day: (i64, Ticks),
    /// True when the hours of the day add up to its slices, so that the day must be what is wrong.
    pub is_told: bool,
}

/// Days of `[from, until)`, both midnights, whose sums are not those of their hours, oldest first.
pub(in crate::checks) async fn uneven(
    db: &mut PgConnection,
    account_id: AccountId,
    (from, until): (Moment, Moment),
    limit: i64,
) -> Result<Vec<DayRow>, Broken> {
    let rows = sqlx::query!(
        r#"WITH uneven AS MATERIALIZED (
               SELECT day_at, cohort_id, sum(hours_ms)::bigint AS hours_ms, sum(hours_ticks) AS hours_ticks,
                      sum(day_ms)::bigint AS day_ms, sum(day_ticks) AS day_ticks
               FROM (SELECT date_trunc('day', hour_at, 'UTC') AS day_at, cohort_id, billed_ms AS hours_ms, ticks AS hours_ticks,
                            0 AS day_ms, 0 AS day_ticks
                     FROM usage_hours WHERE account_id = $1 AND hour_at >= $2 AND hour_at < $3
                     UNION ALL SELECT day_at, cohort_id, 0, 0, billed_ms, ticks
                     FROM usage_days WHERE account_id = $1 AND day_at >= $2 AND day_at < $3) AS both_sums
               GROUP BY day_at, cohort_id HAVING sum(hours_ms) <> sum(day_ms) OR sum(hours_ticks) <> sum(day_ticks)
               ORDER BY day_at, cohort_id LIMIT $4)
           SELECT u.day_at AS "day_at!", u.cohort_id AS "cohort_id!", u.hours_ms AS "hours_ms!", u.hours_ticks AS "hours_ticks!",
                  u.day_ms AS "day_ms!", u.day_ticks AS "day_ticks!",
                  (s.ms, s.ticks) IS NOT DISTINCT FROM (h.ms, h.ticks) AS "is_told!"
           FROM uneven AS u
           CROSS JOIN LATERAL (SELECT sum(billed_ms) AS ms, sum(ticks) AS ticks FROM slices WHERE account_id = $1
                               AND hour_at >= u.day_at AND hour_at < u.day_at + interval '24 hours') AS s
           CROSS JOIN LATERAL (SELECT sum(billed_ms) AS ms, sum(ticks) AS ticks FROM usage_hours WHERE account_id = $1
                               AND hour_at >= u.day_at AND hour_at < u.day_at + interval '24 hours') AS h
           ORDER BY u.day_at, u.cohort_id"#,
        account_id.0, OffsetDateTime::from(from), OffsetDateTime::from(until), limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(DayRow {
                day: moment(row.day_at),
                cohort_id: row.cohort_id,
                of_hours: (row.hours_ms, ticks(row.hours_ticks)?),
                of_day: (row.day_ms, ticks(row.day_ticks)?),
                is_told: row.is_told,
            })
        })
        .collect()
}
