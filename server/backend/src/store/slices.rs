//! Rated usage per sandbox and UTC hour: absolute amounts, so that writing them again changes nothing.

use domain::id::{AccountId, PriceId};
use domain::interval::Slice;
use domain::moment::Moment;
use domain::money::Ticks;
use domain::price::BilledMs;
use domain::sandbox::SandboxId;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{moment, numeric, ticks};
use crate::failure::Broken;

/// Makes the slices of a sandbox from `from` on equal to `slices`: hours that vanished are removed, others written.
/// Gives the hours that vanished, because their bookings must be taken back.
pub async fn put(
    db: &mut PgConnection,
    account_id: AccountId,
    sandbox_id: &SandboxId,
    from: Moment,
    slices: &[(Slice, PriceId)],
) -> Result<Vec<Moment>, Broken> {
    let hours: Vec<OffsetDateTime> = slices.iter().map(|(slice, _)| slice.hour.into()).collect();
    let prices: Vec<Uuid> = slices.iter().map(|(_, price)| price.0).collect();
    let billed: Vec<i64> = slices.iter().map(|(slice, _)| slice.billed.0).collect();
    let amounts = slices
        .iter()
        .map(|(slice, _)| numeric(slice.ticks))
        .collect::<Result<Vec<Decimal>, _>>()?;
    let vanished = sqlx::query_scalar!(
        "DELETE FROM slices WHERE account_id = $1 AND sandbox_id = $2 AND hour_at >= $3 AND NOT hour_at = ANY($4)
         RETURNING hour_at",
        account_id.0, sandbox_id.as_str(), OffsetDateTime::from(from), &hours
    )
    .fetch_all(&mut *db)
    .await?;
    sqlx::query!(
        "INSERT INTO slices (account_id, sandbox_id, hour_at, price_id, billed_ms, ticks)
         SELECT $1, $2, * FROM unnest($3::timestamptz[], $4::uuid[], $5::bigint[], $6::numeric[])
         ON CONFLICT ON CONSTRAINT slices_pkey DO UPDATE
             SET price_id = excluded.price_id, billed_ms = excluded.billed_ms, ticks = excluded.ticks
             WHERE (slices.price_id, slices.billed_ms, slices.ticks)
                   IS DISTINCT FROM (excluded.price_id, excluded.billed_ms, excluded.ticks)",
        account_id.0, sandbox_id.as_str(), &hours, &prices, &billed, &amounts
    )
    .execute(db)
    .await?;
    Ok(vanished.into_iter().map(moment).collect())
}

/// Rated and booked amounts of an account for each of these hours: what the delta is made of.
pub async fn balance_of_hours(
    db: &mut PgConnection,
    account_id: AccountId,
    hours: &[OffsetDateTime],
) -> Result<Vec<(Moment, Ticks, Ticks)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT h.hour_at AS "hour_at!",
                  (SELECT coalesce(sum(s.ticks), 0) FROM slices AS s
                   WHERE s.account_id = $1 AND s.hour_at = h.hour_at) AS "rated!",
                  (SELECT coalesce(sum(CASE t.kind WHEN 'correction' THEN -t.ticks ELSE t.ticks END), 0)
                   FROM transfers AS t WHERE t.account_id = $1 AND t.service_hour = h.hour_at) AS "booked!"
           FROM unnest($2::timestamptz[]) AS h (hour_at) ORDER BY h.hour_at"#,
        account_id.0, hours
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| Ok((moment(row.hour_at), ticks(row.rated)?, ticks(row.booked)?)))
        .collect()
}

/// Posted usage of an account by hour since a moment; at most 800 hours, a little over the 31 days of a month.
pub async fn by_hour(
    db: &mut PgConnection,
    account_id: AccountId,
    since: Moment,
) -> Result<Vec<(Moment, BilledMs, Ticks)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT hour_at, sum(billed_ms)::bigint AS "billed_ms!", sum(ticks) AS "ticks!"
           FROM slices WHERE account_id = $1 AND hour_at >= $2 GROUP BY hour_at ORDER BY hour_at LIMIT 800"#,
        account_id.0, OffsetDateTime::from(since)
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok((
                moment(row.hour_at),
                BilledMs(row.billed_ms),
                ticks(row.ticks)?,
            ))
        })
        .collect()
}

/// Posted cost of an account in `[from, until)`.
pub async fn total(
    db: &mut PgConnection,
    account_id: AccountId,
    from: Moment,
    until: Moment,
) -> Result<Ticks, Broken> {
    let sum = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(ticks), 0) AS "ticks!" FROM slices WHERE account_id = $1 AND hour_at >= $2 AND hour_at < $3"#,
        account_id.0, OffsetDateTime::from(from), OffsetDateTime::from(until)
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
        r#"SELECT s.key_id AS "key_id!", sum(l.ticks) AS "ticks!"
           FROM slices AS l JOIN sandboxes AS s USING (account_id, sandbox_id)
           WHERE l.account_id = $1 AND l.hour_at >= $3 AND s.key_id = ANY($2) GROUP BY s.key_id"#,
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
