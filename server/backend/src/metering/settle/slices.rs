//! Rated usage per sandbox and UTC hour: absolute amounts, so that writing them again changes nothing.
//! Their sums by hour and cohort are `sums`'.

use std::collections::{BTreeMap, HashMap};

use domain::id::PriceId;
use domain::interval::Slice;
use domain::moment::Moment;
use domain::money::Ticks;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{moment, numeric, ticks};
use crate::failure::Broken;
use crate::metering::settle::folded::{Place, place, places};
use crate::metering::settle::sums::Delta;

/// What the slices of one sandbox shall be from some hour on.
pub struct Rated {
    pub place: Place,
    pub cohort_id: Uuid,
    /// True when none are stored.
    pub is_new: bool,
    /// Slices before this hour are left alone.
    pub from: Moment,
    /// All from there on, each with the price it is rated by.
    pub slices: Vec<(Slice, PriceId)>,
}

/// What is stored of one hour.
type Stored = (PriceId, i64, Ticks);

/// Makes the slices of these sandboxes equal to what is rated: hours that vanished are removed, others written. Gives by
/// how much that moves each hour and cohort: sums and postings follow by it.
pub(super) async fn put(db: &mut PgConnection, wanted: &[Rated]) -> Result<Vec<Delta>, Broken> {
    let mut stored = stored(db, wanted).await?;
    let (mut written, mut vanished, mut deltas) = (Vec::new(), Vec::new(), Vec::new());
    for rated in wanted {
        let mut before = stored.remove(&rated.place).unwrap_or_default();
        let mut delta = |hour, billed_ms, ticks| {
            deltas.push(Delta {
                account_id: rated.place.0,
                hour,
                cohort_id: rated.cohort_id,
                billed_ms,
                ticks,
            });
        };
        for (slice, price_id) in &rated.slices {
            let (_, ms, amount) = match before.remove(&slice.hour) {
                Some(same) if same == (*price_id, slice.billed.0, slice.ticks) => continue,
                other => other.unwrap_or((*price_id, 0, Ticks::ZERO)),
            };
            delta(
                slice.hour,
                slice.billed.0 - ms,
                slice.ticks.saturating_sub(amount),
            );
            written.push((&rated.place, slice, price_id));
        }
        for (hour, (_, ms, amount)) in before {
            delta(hour, -ms, Ticks::ZERO.saturating_sub(amount));
            vanished.push((&rated.place, hour));
        }
    }
    remove(db, &vanished).await?;
    write(db, &written).await?;
    Ok(deltas)
}

async fn stored(
    db: &mut PgConnection,
    wanted: &[Rated],
) -> Result<HashMap<Place, BTreeMap<Moment, Stored>>, Broken> {
    let known = wanted.iter().filter(|rated| !rated.is_new);
    let (accounts, ids) = places(known.clone().map(|rated| &rated.place));
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let froms: Vec<OffsetDateTime> = known.map(|rated| rated.from.into()).collect();
    let rows = sqlx::query!(
        "SELECT s.account_id, s.sandbox_id, s.hour_at, s.price_id, s.billed_ms, s.ticks
         FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS u (account_id, sandbox_id, since)
         JOIN slices AS s ON s.account_id = u.account_id AND s.sandbox_id = u.sandbox_id AND s.hour_at >= u.since",
        &accounts,
        &ids,
        &froms
    )
    .fetch_all(db)
    .await?;
    let mut stored: HashMap<Place, BTreeMap<Moment, Stored>> = HashMap::new();
    for row in rows {
        let slice = (row.price_id.into(), row.billed_ms, ticks(row.ticks)?);
        let place = place(row.account_id, &row.sandbox_id)?;
        stored
            .entry(place)
            .or_default()
            .insert(moment(row.hour_at), slice);
    }
    Ok(stored)
}

async fn remove(db: &mut PgConnection, vanished: &[(&Place, Moment)]) -> Result<(), Broken> {
    if vanished.is_empty() {
        return Ok(());
    }
    let (accounts, ids) = places(vanished.iter().map(|(place, _)| *place));
    let hours: Vec<OffsetDateTime> = vanished.iter().map(|(_, hour)| (*hour).into()).collect();
    sqlx::query!(
        "DELETE FROM slices AS s USING unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS u (account_id, sandbox_id, hour_at)
         WHERE (s.account_id, s.sandbox_id, s.hour_at) = (u.account_id, u.sandbox_id, u.hour_at)",
        &accounts,
        &ids,
        &hours
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn write(
    db: &mut PgConnection,
    written: &[(&Place, &Slice, &PriceId)],
) -> Result<(), Broken> {
    if written.is_empty() {
        return Ok(());
    }
    let (accounts, ids) = places(written.iter().map(|(place, ..)| *place));
    let hours: Vec<OffsetDateTime> = written
        .iter()
        .map(|(_, slice, _)| slice.hour.into())
        .collect();
    let prices: Vec<Uuid> = written.iter().map(|(.., price)| price.0).collect();
    let billed: Vec<i64> = written.iter().map(|(_, slice, _)| slice.billed.0).collect();
    let amounts = written
        .iter()
        .map(|(_, slice, _)| numeric(slice.ticks))
        .collect::<Result<Vec<Decimal>, _>>()?;
    sqlx::query!(
        "INSERT INTO slices (account_id, sandbox_id, hour_at, price_id, billed_ms, ticks)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::uuid[], $5::bigint[], $6::numeric[])
         ON CONFLICT ON CONSTRAINT slices_pkey DO UPDATE
             SET price_id = excluded.price_id, billed_ms = excluded.billed_ms, ticks = excluded.ticks",
        &accounts,
        &ids,
        &hours,
        &prices,
        &billed,
        &amounts
    )
    .execute(db)
    .await?;
    Ok(())
}
