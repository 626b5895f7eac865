//! Settles an account: refolds the sandboxes that have new events, rates them by the hour and posts the difference to what
//! is booked. Everything is absolute state plus delta in one transaction, so any rerun converges and a crash costs nothing.

use std::collections::BTreeSet;

use domain::credit::{self, Grant, Payer};
use domain::id::{AccountId, LedgerAccountId, PriceId};
use domain::interval::{self, Interval, Slice};
use domain::limits::SETTLED_ACCOUNTS_PER_ROUND;
use domain::moment::Moment;
use domain::money::Ticks;
use domain::price::Price;
use domain::sandbox::Size;
use sqlx::{Acquire as _, PgConnection};
use time::OffsetDateTime;

use super::FEED;
use crate::Backend;
use crate::failure::Broken;
use crate::store::feed::{self, StoredEvent};
use crate::store::ledger::{self, NewTransfer, System, TransferKind};
use crate::store::sandboxes::{self, Folded};
use crate::store::{meters, outlooks, prices, slices, usage_hours};

/// Settles every account that is behind, a bounded number; gives how many were. One that breaks is noted, alarmed and
/// tried again in a minute; it does not hold up the others.
///
/// # Errors
/// When the database cannot be asked who is behind.
pub async fn round(backend: &Backend) -> Result<usize, Broken> {
    let mut db = backend.pool().acquire().await?;
    let Some(watermark) = feed::peek(&mut db, FEED)
        .await?
        .and_then(|cursor| cursor.watermark_at)
    else {
        return Ok(0);
    };
    let horizon = Moment::from(watermark).hour();
    let behind = meters::behind(
        &mut db,
        horizon.into(),
        backend.clock().now(),
        SETTLED_ACCOUNTS_PER_ROUND,
    )
    .await?;
    if behind.is_empty() {
        feed::settled(&mut db, FEED, watermark).await?;
        return Ok(0);
    }
    let book = prices::of(&mut db, prices::SANDBOX).await?;
    for account_id in &behind {
        if let Err(broken) =
            account(&mut db, *account_id, &book, horizon, backend.clock().now()).await
        {
            tracing::error!(account.id = %account_id, error = %broken, "settling broke; other accounts go on");
            metrics::counter!("settling_failures_total").increment(1);
            meters::failed(&mut db, *account_id, backend.clock().now()).await?;
        }
    }
    Ok(behind.len())
}

/// Settles one account up to its newest stored event and, for what still runs, up to `horizon`.
///
/// # Errors
/// When a row makes no sense, an hour has no price, or the database fails; then nothing of it is kept.
pub async fn account(
    db: &mut PgConnection,
    account_id: AccountId,
    book: &[Price],
    horizon: Moment,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let mut tx = db.begin().await?;
    let Some(meter) = meters::lock(&mut tx, account_id).await? else {
        return Ok(());
    };
    let settled_until = meter.settled_until.map(Moment::from);
    let horizon = settled_until.map_or(horizon, |until| until.max(horizon));
    let events = feed::events_of_touched(&mut tx, account_id, meter.settled_seq).await?;
    let mut hours = BTreeSet::new();
    for events in events.chunk_by(|a, b| a.event.sandbox_id == b.event.sandbox_id) {
        refold(&mut tx, account_id, events, book, horizon, &mut hours).await?;
    }
    note_key_use(&mut tx, account_id, &events, meter.settled_seq).await?;
    if let Some(from) = settled_until.filter(|from| *from < horizon) {
        extend_running(&mut tx, account_id, book, from, horizon, &mut hours).await?;
    }
    post(&mut tx, account_id, &hours, now).await?;
    outlooks::touch(&mut tx, &[account_id]).await?;
    meters::settled(&mut tx, account_id, meter.ingested_seq, horizon.into()).await?;
    Ok(tx.commit().await?)
}

/// Folds all events of one sandbox and stores what they say.
async fn refold(
    db: &mut PgConnection,
    account_id: AccountId,
    events: &[StoredEvent],
    book: &[Price],
    horizon: Moment,
    hours: &mut BTreeSet<Moment>,
) -> Result<(), Broken> {
    let history = interval::fold(events.iter().map(|row| &row.event));
    if history.ignored > 0 {
        metrics::counter!("feed_events_ignored_total").increment(u64::try_from(history.ignored)?);
    }
    // Events without a create are kept and wait: when the create arrives, the fold runs again from the first event.
    let (Some(state), Some(created_at), Some(first)) =
        (history.state, history.created_at, created(events))
    else {
        return Ok(());
    };
    let row = Folded {
        sandbox_id: first.event.sandbox_id.clone(),
        state,
        image: first.event.image.clone(),
        region: first.event.region.clone(),
        size: first.event.size,
        key_id: first.event.key_id,
        parent_id: first.parent_id.clone(),
        created_at: created_at.into(),
        destroyed_at: history.destroyed_at.map(Into::into),
    };
    let cohort_id = sandboxes::upsert(db, account_id, &row).await?;
    sandboxes::put_intervals(db, account_id, &row.sandbox_id, &history.intervals).await?;
    let rated = rate(&history.intervals, row.size, book, horizon)?;
    let deltas = slices::put(
        db,
        account_id,
        (&row.sandbox_id, cohort_id),
        Moment::MIN,
        &rated,
    )
    .await?;
    usage_hours::add(db, &deltas).await?;
    hours.extend(deltas.iter().map(|delta| delta.hour));
    Ok(())
}

/// The event that created the sandbox: its size, image and key are the ones that count.
fn created(events: &[StoredEvent]) -> Option<&StoredEvent> {
    events
        .iter()
        .find(|row| row.event.kind == domain::feed::EventKind::Created)
}

fn rate(
    intervals: &[Interval],
    size: Size,
    book: &[Price],
    horizon: Moment,
) -> Result<Vec<(Slice, PriceId)>, Broken> {
    let cut = interval::slices(intervals, size, book, horizon)?;
    let priced = |slice: Slice| {
        let price_id = book[slice.price].price_id;
        (slice, price_id)
    };
    Ok(cut.into_iter().map(priced).collect())
}

/// Posts the whole hours that passed for sandboxes without news: what runs for weeks is booked by the hour.
async fn extend_running(
    db: &mut PgConnection,
    account_id: AccountId,
    book: &[Price],
    from: Moment,
    horizon: Moment,
    hours: &mut BTreeSet<Moment>,
) -> Result<(), Broken> {
    let rows = sandboxes::running_after(db, account_id, Some(from.into())).await?;
    for rows in rows.chunk_by(|a, b| a.sandbox_id == b.sandbox_id) {
        let Some(first) = rows.first() else { continue };
        // Only hours from `from` on can change; every interval that reaches into them is here, so they are absolute.
        let clipped: Vec<Interval> = rows
            .iter()
            .map(|row| Interval {
                started_at: row.interval.started_at.max(from),
                ended_at: row.interval.ended_at,
            })
            .collect();
        let rated = rate(&clipped, first.size, book, horizon)?;
        let deltas = slices::put(
            db,
            account_id,
            (&first.sandbox_id, first.cohort_id),
            from,
            &rated,
        )
        .await?;
        usage_hours::add(db, &deltas).await?;
        hours.extend(deltas.iter().map(|delta| delta.hour));
    }
    Ok(())
}

async fn note_key_use(
    db: &mut PgConnection,
    account_id: AccountId,
    events: &[StoredEvent],
    after_seq: i64,
) -> Result<(), Broken> {
    let fresh = events
        .iter()
        .map(|row| &row.event)
        .filter(|event| event.seq > after_seq);
    let (keys, times): (Vec<_>, Vec<_>) = fresh
        .filter_map(|event| Some((event.key_id?.0, OffsetDateTime::from(event.recorded_at))))
        .unzip();
    if keys.is_empty() {
        Ok(())
    } else {
        sandboxes::touch_keys(db, account_id, &keys, &times).await
    }
}

/// Books, per hour, the difference between what is rated and what is booked, oldest hour first.
async fn post(
    db: &mut PgConnection,
    account_id: AccountId,
    hours: &BTreeSet<Moment>,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let hours: Vec<OffsetDateTime> = hours.iter().map(|hour| (*hour).into()).collect();
    for (hour, rated, booked) in slices::balance_of_hours(db, account_id, &hours).await? {
        let delta = rated
            .checked_sub(booked)
            .ok_or_else(|| Broken::new("an hour's amount is out of range"))?;
        if delta == Ticks::ZERO {
            continue;
        }
        let (payers, revision) = ledger::booked(db, account_id, hour).await?;
        let grants: Vec<Grant> = ledger::grants(db, account_id)
            .await?
            .into_iter()
            .map(|row| row.grant)
            .collect();
        let (kind, parts) = if delta.is_positive() {
            (TransferKind::Usage, credit::burn(&grants, hour, delta))
        } else {
            (
                TransferKind::Correction,
                credit::unwind(&payers, delta.abs()),
            )
        };
        let revenue = ledger::system_account(db, account_id, System::Revenue, now).await?;
        let mut transfers = Vec::with_capacity(parts.len());
        for (payer, ticks) in parts {
            let from = match payer {
                Payer::Grant(grant_id) => LedgerAccountId(grant_id.0),
                Payer::Overrun => {
                    ledger::system_account(db, account_id, System::Overrun, now).await?
                }
            };
            let corrects = kind == TransferKind::Correction;
            let (debit, credit) = if corrects {
                (revenue, from)
            } else {
                (from, revenue)
            };
            let kind = if payer == Payer::Overrun && !corrects {
                TransferKind::Overrun
            } else {
                kind
            };
            // `revision` counts the transfers of this hour under the meter's lock: the same state posts the same key.
            let key = format!("usage:{}:{revision}:{from}", hour.unix_ms());
            transfers.push(NewTransfer {
                debit,
                credit,
                ticks,
                kind,
                key,
                service_hour: Some(hour),
            });
        }
        ledger::append(db, account_id, &transfers, now).await?;
    }
    Ok(())
}
