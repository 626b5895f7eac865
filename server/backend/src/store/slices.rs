//! Rated usage per sandbox and UTC hour: absolute amounts, so that writing them again changes nothing.

use domain::id::{AccountId, PriceId};
use domain::interval::Slice;
use domain::moment::Moment;
use domain::money::Ticks;
use domain::sandbox::SandboxId;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::usage_hours::Delta;
use super::{moment, numeric, ticks};
use crate::failure::Broken;

/// Makes the slices of a sandbox from `from` on equal to `slices`: hours that vanished are removed, others written.
/// Gives what that changed, hour by hour: sums move and bookings follow by it.
pub async fn put(
    db: &mut PgConnection,
    account_id: AccountId,
    (sandbox_id, cohort_id): (&SandboxId, Uuid),
    from: Moment,
    slices: &[(Slice, PriceId)],
) -> Result<Vec<Delta>, Broken> {
    let before = sqlx::query!(
        "SELECT hour_at, billed_ms, ticks FROM slices WHERE account_id = $1 AND sandbox_id = $2 AND hour_at >= $3",
        account_id.0, sandbox_id.as_str(), OffsetDateTime::from(from)
    )
    .fetch_all(&mut *db)
    .await?;
    let hours: Vec<OffsetDateTime> = slices.iter().map(|(slice, _)| slice.hour.into()).collect();
    let prices: Vec<Uuid> = slices.iter().map(|(_, price)| price.0).collect();
    let billed: Vec<i64> = slices.iter().map(|(slice, _)| slice.billed.0).collect();
    let amounts = slices
        .iter()
        .map(|(slice, _)| numeric(slice.ticks))
        .collect::<Result<Vec<Decimal>, _>>()?;
    sqlx::query!(
        "DELETE FROM slices WHERE account_id = $1 AND sandbox_id = $2 AND hour_at >= $3 AND NOT hour_at = ANY($4)",
        account_id.0, sandbox_id.as_str(), OffsetDateTime::from(from), &hours
    )
    .execute(&mut *db)
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
    let delta = |hour, billed_ms, ticks| Delta {
        account_id,
        hour,
        cohort_id,
        billed_ms,
        ticks,
    };
    let mut deltas = Vec::with_capacity(before.len() + slices.len());
    for row in before {
        deltas.push(delta(
            moment(row.hour_at),
            -row.billed_ms,
            Ticks::ZERO.saturating_sub(ticks(row.ticks)?),
        ));
    }
    deltas.extend(
        slices
            .iter()
            .map(|(slice, _)| delta(slice.hour, slice.billed.0, slice.ticks)),
    );
    Ok(deltas)
}

/// Rated and booked amounts of an account for each of these hours: what the delta is made of.
pub async fn balance_of_hours(
    db: &mut PgConnection,
    account_id: AccountId,
    hours: &[OffsetDateTime],
) -> Result<Vec<(Moment, Ticks, Ticks)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT h.hour_at AS "hour_at!",
                  (SELECT coalesce(sum(s.ticks), 0) FROM usage_hours AS s
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
