//! Settles a batch of accounts in one transaction: replays the sandboxes that have pending events, rates them by the hour
//! and posts the difference to what is booked. Everything is absolute state plus delta, so any rerun converges and a crash costs nothing.
//! Folding is `replay`'s, posting `post`'s, incident credit `incidents`', ends of grants `expiry`'s.

use crate::accounts;
use crate::metering::key_uses;
use std::collections::{BTreeSet, HashMap, HashSet};

use domain::id::AccountId;
use domain::interval::Interval;
use domain::moment::Moment;
use sqlx::{Acquire as _, PgConnection};
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::findings::{self, Finding};
use crate::ledger::postings::Hour;
use crate::metering::feed::events::{self, Pending, StoredEvent};
use crate::metering::feed::pending;
use crate::metering::meters::{self, BehindRow, Settled};
use crate::metering::settle::folded::{self, Place, Ran};
use crate::metering::settle::plan::{Books, Plan, Round};
use crate::metering::settle::replay::{self, Replayed};
use crate::metering::settle::slices::{self, Rated};
use crate::metering::settle::{expiry, incidents, post, sums};
use crate::{db, prices};

/// Settles those of these accounts that stand where they were seen and nobody else is settling; gives how many.
///
/// # Errors
/// When a row makes no sense, an hour has no price, or the database fails; then nothing of it is kept.
pub(super) async fn settle(
    db: &mut PgConnection,
    round: &Round<'_>,
    seen: &[BehindRow],
) -> Result<usize, Broken> {
    let mut tx = db.begin().await?;
    db::expect_keys(&mut tx).await?;
    let held = meters::lock(&mut tx, seen).await?;
    let plans: Vec<Plan> = seen
        .iter()
        .filter(|row| held.contains(&row.account_id))
        .map(|row| Plan::of(row, round.horizon))
        .collect();
    if plans.is_empty() {
        return Ok(0);
    }
    let books = prices::books(&mut tx, &held).await?;
    let unsettled: Vec<Pending> = plans
        .iter()
        .map(|plan| Pending {
            account_id: plan.account_id,
            after: plan.after,
            last: plan.last,
            is_whole: plan.is_whole,
        })
        .collect();
    let events = events::of_touched(&mut tx, (round.feed, round.epoch), &unsettled).await?;
    let replayed = replay::all(&mut tx, &events, &plans, &books).await?;
    let hours = write(&mut tx, &plans, &books, &replayed).await?;
    let recovered = post::post(&mut tx, &hours, round.now).await?;
    incidents::again(&mut tx, &recovered).await?;
    incidents::note(&mut tx, &replayed, round.now).await?;
    incidents::weigh(&mut tx, &plans, &books, round.now).await?;
    expiry::expire(&mut tx, &plans, round.now).await?;
    note_skews(&mut tx, &plans, &replayed, round.now).await?;
    note_key_use(&mut tx, &plans, &events).await?;
    accounts::mark_stale(&mut tx, &held).await?;
    let settled: Vec<Settled> = plans
        .iter()
        .map(|plan| Settled {
            account_id: plan.account_id,
            seq: plan.last,
            until: plan.horizon.into(),
            at: plan.is_whole.then_some(round.watermark),
        })
        .collect();
    meters::settled(&mut tx, &settled).await?;
    pending::take(&mut tx, &settled).await?;
    tx.commit().await?;
    Ok(plans.len())
}

/// Stores what the fold says and what it costs; gives the hours whose postings may have to follow.
async fn write(
    db: &mut PgConnection,
    plans: &[Plan],
    books: &Books,
    replayed: &[Replayed],
) -> Result<BTreeSet<Hour>, Broken> {
    let mut hours = BTreeSet::new();
    let mut rated = Vec::with_capacity(replayed.len());
    let afresh: HashSet<AccountId> = plans
        .iter()
        .filter(|plan| plan.after == 0)
        .map(|plan| plan.account_id)
        .collect();
    if !replayed.is_empty() {
        let rows: Vec<_> = replayed.iter().map(|row| &row.folded).collect();
        folded::put(db, &rows).await?;
        let ran: Vec<Ran<'_>> = replayed
            .iter()
            .map(|row| Ran {
                place: &row.folded.place,
                is_new: row.is_new,
                intervals: &row.history.intervals,
            })
            .collect();
        folded::put_intervals(db, &ran).await?;
    }
    for row in replayed {
        let account_id = row.folded.place.0;
        if afresh.contains(&account_id) {
            // Settled from the first event on: compare every hour with its postings, whatever the slices say.
            hours.extend(row.slices.iter().map(|(slice, _)| (account_id, slice.hour)));
        }
        rated.push(Rated {
            place: row.folded.place.clone(),
            cohort_id: row.folded.cohort_id,
            is_new: row.is_new,
            from: Moment::MIN,
            slices: row.slices.clone(),
        });
    }
    rated.extend(extended(db, plans, books, replayed).await?);
    if !rated.is_empty() {
        let deltas = slices::put(db, &rated).await?;
        sums::add(db, &deltas).await?;
        hours.extend(deltas.iter().map(|delta| (delta.account_id, delta.hour)));
    }
    Ok(hours)
}

/// Rates the whole hours that passed for sandboxes without pending events: what runs for weeks is booked by the hour.
async fn extended(
    db: &mut PgConnection,
    plans: &[Plan],
    books: &Books,
    replayed: &[Replayed],
) -> Result<Vec<Rated>, Broken> {
    let extends: HashMap<AccountId, (Moment, Moment)> = plans
        .iter()
        .filter_map(|plan| Some((plan.account_id, (plan.extends_from()?, plan.horizon))))
        .collect();
    if extends.is_empty() {
        return Ok(Vec::new());
    }
    let since: Vec<(AccountId, OffsetDateTime)> = extends
        .iter()
        .map(|(account_id, (from, _))| (*account_id, (*from).into()))
        .collect();
    let fresh: HashSet<&Place> = replayed.iter().map(|row| &row.folded.place).collect();
    let rows = folded::open_since(db, &since).await?;
    let mut rated = Vec::new();
    for rows in rows.chunk_by(|a, b| a.place == b.place) {
        let Some(first) = rows.first().filter(|row| !fresh.contains(&row.place)) else {
            continue;
        };
        let Some((from, horizon)) = extends.get(&first.place.0).copied() else {
            continue;
        };
        // Only hours from `from` on can change; every interval that reaches into them is here, so they are absolute.
        let clipped: Vec<Interval> = rows
            .iter()
            .filter_map(|row| row.interval.clipped(from))
            .collect();
        let book = replay::book(books, first.place.0)?;
        rated.push(Rated {
            place: first.place.clone(),
            cohort_id: first.cohort_id,
            is_new: false,
            from,
            slices: replay::rate(&clipped, first.size, book, horizon)?,
        });
    }
    Ok(rated)
}

/// Raises a finding for each event whose time was odd.
async fn note_skews(
    db: &mut PgConnection,
    plans: &[Plan],
    replayed: &[Replayed],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let after: HashMap<AccountId, i64> = plans
        .iter()
        .map(|plan| (plan.account_id, plan.after))
        .collect();
    let mut found = Vec::new();
    for row in replayed {
        let account_id = row.folded.place.0;
        let fresh = |seq: i64| after.get(&account_id).is_some_and(|after| seq > *after);
        let skews = row.history.skews.iter().filter(|skew| fresh(skew.seq));
        found.extend(skews.map(|skew| Finding {
            account_id: Some(account_id),
            fault: skew.fault.as_str(),
            subject: skew.event_id.to_string(),
            expected: skew.taken.unix_ms().to_string(),
            found: skew.claimed.unix_ms().to_string(),
        }));
    }
    if found.is_empty() {
        return Ok(());
    }
    metrics::counter!("feed_events_skewed_total").increment(u64::try_from(found.len())?);
    findings::raise(db, "skew", &found, now).await
}

async fn note_key_use(
    db: &mut PgConnection,
    plans: &[Plan],
    events: &[StoredEvent],
) -> Result<(), Broken> {
    let after: HashMap<AccountId, i64> = plans
        .iter()
        .map(|plan| (plan.account_id, plan.after))
        .collect();
    let mut latest: HashMap<_, OffsetDateTime> = HashMap::new();
    for event in events.iter().map(|row| &row.event) {
        let is_pending = after
            .get(&event.account_id)
            .is_some_and(|after| event.seq > *after);
        if let Some(key_id) = event.key_id.filter(|_| is_pending) {
            let at = OffsetDateTime::from(event.recorded_at);
            let last = latest.entry((event.account_id, key_id)).or_insert(at);
            *last = at.max(*last);
        }
    }
    if latest.is_empty() {
        return Ok(());
    }
    let uses: Vec<_> = latest
        .into_iter()
        .map(|((account_id, key_id), at)| (account_id, key_id, at))
        .collect();
    key_uses::note(db, &uses).await
}
