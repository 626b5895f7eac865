//! Posted usage per account, cohort and whole UTC days, for what is asked since a midnight: a month, thirty days, a year.
//! Writing is `metering::settle`'s; ranges that end inside a day are `sums`'.

use domain::id::AccountId;
use domain::moment::Moment;
use domain::money::Ticks;
use domain::price::BilledMs;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{moment, ticks};
use crate::failure::Broken;

/// A moment that days can be counted from.
fn midnight(at: Moment) -> Result<OffsetDateTime, Broken> {
    if at != at.day() {
        return Err(Broken::new(
            "usage by day is asked since a moment inside a day",
        ));
    }
    Ok(at.into())
}

/// Posted cost of an account from one midnight UTC to another, whoever pays for it.
pub(crate) async fn between(
    db: &mut PgConnection,
    account_id: AccountId,
    from: Moment,
    until: Moment,
) -> Result<Ticks, Broken> {
    let sum = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(ticks), 0) AS "ticks!" FROM usage_days
           WHERE account_id = $1 AND day_at >= $2 AND day_at < $3"#,
        account_id.0,
        midnight(from)?,
        midnight(until)?
    );
    ticks(sum.fetch_one(db).await?)
}

/// Posted usage by day since a midnight UTC, oldest first; at most 100 days.
pub(crate) async fn by_day(
    db: &mut PgConnection,
    account_id: AccountId,
    from: Moment,
) -> Result<Vec<(Moment, BilledMs, Ticks)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT day_at, sum(billed_ms)::bigint AS "billed_ms!", sum(ticks) AS "ticks!"
           FROM usage_days WHERE account_id = $1 AND day_at >= $2 GROUP BY day_at ORDER BY day_at LIMIT 100"#,
        account_id.0,
        midnight(from)?
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok((
                moment(row.day_at),
                BilledMs(row.billed_ms),
                ticks(row.ticks)?,
            ))
        })
        .collect()
}

/// Posted cost per key since a midnight UTC.
pub(crate) async fn by_key(
    db: &mut PgConnection,
    account_id: AccountId,
    keys: &[Uuid],
    from: Moment,
) -> Result<Vec<(Uuid, Ticks)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT c.key_id AS "key_id!", sum(d.ticks) AS "ticks!"
           FROM usage_days AS d JOIN cohorts AS c ON c.account_id = $1 AND c.cohort_id = d.cohort_id
           WHERE d.account_id = $1 AND d.day_at >= $3 AND c.key_id = ANY($2) GROUP BY c.key_id"#,
        account_id.0,
        keys,
        midnight(from)?
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| Ok((row.key_id, ticks(row.ticks)?)))
        .collect()
}
