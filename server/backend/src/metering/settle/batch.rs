//! Settles a lot of accounts in one transaction: refolds the sandboxes that have news, rates them by the hour and posts the
//! difference to what is booked. Everything is absolute state plus delta, so any rerun converges and a crash costs nothing.
//! Folding is `refold`'s, booking `post`'s, incidents `give_back`'s, ends of grants `expire`'s.

use crate::accounts::touched;
use crate::metering::key_uses;
use std::collections::{BTreeSet, HashMap, HashSet};

use domain::id::AccountId;
use domain::interval::Interval;
use domain::moment::Moment;
use sqlx::{Acquire as _, PgConnection};
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::findings::{self, Finding};
use crate::ledger::bulk::Hour;
use crate::metering::feed::events::{self, News, StoredEvent};
use crate::metering::feed::pending as news;
use crate::metering::meters::{self, BehindRow, Settled};
use crate::metering::settle::folded::{self, Place, Ran};
use crate::metering::settle::plan::{Books, Plan, Scene};
use crate::metering::settle::replay::{self, Refolded};
use crate::metering::settle::slices::{self, Rated};
use crate::metering::settle::{expiry, incidents, post, sums};
use crate::{db as store, prices};

/// Settles those of these accounts that stand where they were seen and nobody else is settling; gives how many.
///
/// # Errors
/// When a row makes no sense, an hour has no price, or the database fails; then nothing of it is kept.
pub(super) async fn settle(
    db: &mut PgConnection,
    scene: &Scene<'_>,
    seen: &[BehindRow],
) -> Result<usize, Broken> {
    let mut tx = db.begin().await?;
    store::expect_keys(&mut tx).await?;
    let held = meters::lock(&mut tx, seen).await?;
    let plans: Vec<Plan> = seen
        .iter()
        .filter(|row| held.contains(&row.account_id))
        .map(|row| Plan::of(row, scene.horizon))
        .collect();
    if plans.is_empty() {
        return Ok(0);
    }
    let books = prices::books(&mut tx, &held).await?;
    let news: Vec<News> = plans
        .iter()
        .map(|plan| News {
            account_id: plan.account_id,
            after: plan.after,
            last: plan.last,
            is_whole: plan.is_whole,
        })
        .collect();
    let events = events::of_touched(&mut tx, (scene.feed, scene.epoch), &news).await?;
    let refolded = replay::all(&mut tx, &events, &plans, &books).await?;
    let hours = write(&mut tx, &plans, &books, &refolded).await?;
    post::post(&mut tx, &hours, scene.now).await?;
    incidents::note(&mut tx, &refolded, scene.now).await?;
    incidents::weigh(&mut tx, &plans, &books, scene.now).await?;
    expiry::expire(&mut tx, &plans, scene.now).await?;
    note_skews(&mut tx, &plans, &refolded, scene.now).await?;
    note_key_use(&mut tx, &plans, &events).await?;
    touched::mark_stale(&mut tx, &held).await?;
    let settled: Vec<Settled> = plans
        .iter()
        .map(|plan| Settled {
            account_id: plan.account_id,
            seq: plan.last,
            until: plan.horizon.into(),
        })
        .collect();
    meters::settled(&mut tx, &settled).await?;
    news::take(&mut tx, &settled).await?;
    tx.commit().await?;
    Ok(plans.len())
}

/// Stores what the fold says and what it costs; gives the hours whose booking may have to follow.
async fn write(
    db: &mut PgConnection,
    plans: &[Plan],
    books: &Books,
    refolded: &[Refolded],
) -> Result<BTreeSet<Hour>, Broken> {
    let mut hours = BTreeSet::new();
    let mut rated = Vec::with_capacity(refolded.len());
    let afresh: HashSet<AccountId> = plans
        .iter()
        .filter(|plan| plan.after == 0)
        .map(|plan| plan.account_id)
        .collect();
    if !refolded.is_empty() {
        let rows: Vec<_> = refolded.iter().map(|row| &row.folded).collect();
        folded::put(db, &rows).await?;
        let ran: Vec<Ran<'_>> = refolded
            .iter()
            .map(|row| Ran {
                place: &row.folded.place,
                is_new: row.is_new,
                intervals: &row.history.intervals,
            })
            .collect();
        folded::put_intervals(db, &ran).await?;
    }
    for row in refolded {
        let account_id = row.folded.place.0;
        if afresh.contains(&account_id) {
            // Settled from the first event on: compare every hour with its booking, whatever the slices say.
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
    rated.extend(extended(db, plans, books, refolded).await?);
    if !rated.is_empty() {
        let deltas = slices::put(db, &rated).await?;
        sums::add(db, &deltas).await?;
        hours.extend(deltas.iter().map(|delta| (delta.account_id, delta.hour)));
    }
    Ok(hours)
}

/// Rates the whole hours that passed for sandboxes without news: what runs for weeks is booked by the hour.
async fn extended(
    db: &mut PgConnection,
    plans: &[Plan],
    books: &Books,
    refolded: &[Refolded],
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
    let fresh: HashSet<&Place> = refolded.iter().map(|row| &row.folded.place).collect();
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
    refolded: &[Refolded],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let after: HashMap<AccountId, i64> = plans
        .iter()
        .map(|plan| (plan.account_id, plan.after))
        .collect();
    let mut found = Vec::new();
    for row in refolded {
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
        let is_news = after
            .get(&event.account_id)
            .is_some_and(|after| event.seq > *after);
        if let Some(key_id) = event.key_id.filter(|_| is_news) {
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
