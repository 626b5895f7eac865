//! From the events of sandboxes to what is stored of them: the pure fold, rated by the account's own price book.
//! Reading events and writing the outcome is `batch`'s.

use std::collections::{HashMap, HashSet};

use domain::feed::{EventKind, StopReason};
use domain::id::{AccountId, PriceId};
use domain::interval::{self, History, Interval, Slice};
use domain::moment::Moment;
use domain::price::Price;
use domain::sandbox::{SandboxState, Size};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::metering::feed::events::StoredEvent;
use crate::metering::settle::cohorts::{self, Cohort};
use crate::metering::settle::folded::Folded;
use crate::metering::settle::plan::{Books, Plan};

/// A sandbox as its events say it is.
pub struct Replayed {
    /// True when no event of it was settled before: then nothing of it is stored.
    pub is_new: bool,
    pub folded: Folded,
    pub history: History,
    pub slices: Vec<(Slice, PriceId)>,
}

/// Folds and rates the sandboxes of a batch, given all their events by account and sandbox.
pub(super) async fn all(
    db: &mut PgConnection,
    events: &[StoredEvent],
    plans: &[Plan],
    books: &Books,
) -> Result<Vec<Replayed>, Broken> {
    let sandboxes = |a: &StoredEvent, b: &StoredEvent| {
        a.event.account_id == b.event.account_id && a.event.sandbox_id == b.event.sandbox_id
    };
    let wanted: HashSet<Cohort> = events
        .chunk_by(sandboxes)
        .filter_map(created)
        .map(cohort)
        .collect();
    let ids = cohorts::ids(db, wanted.into_iter().collect()).await?;
    let plans: HashMap<AccountId, &Plan> =
        plans.iter().map(|plan| (plan.account_id, plan)).collect();
    let mut replayed = Vec::new();
    for events in events.chunk_by(sandboxes) {
        let history = interval::fold(events.iter().map(|row| &row.event));
        if history.ignored > 0 {
            metrics::counter!("feed_events_ignored_total")
                .increment(u64::try_from(history.ignored)?);
        }
        // Events without a create are kept and wait: when it arrives, the fold runs again from the first event.
        let Some(first) = created(events) else {
            continue;
        };
        let (Some(state), Some(created_at)) = (history.state, history.created_at) else {
            continue;
        };
        let account_id = first.event.account_id;
        let plan = plans
            .get(&account_id)
            .ok_or_else(|| Broken::new("event of an account that is not settled"))?;
        let cohort_id = ids
            .get(&cohort(first))
            .ok_or_else(|| Broken::new("cohort was not made"))?;
        let size = first.event.size;
        let first_seq = events.first().map_or(0, |row| row.event.seq);
        replayed.push(Replayed {
            // An account that is settled from its first event on may have been settled before.
            is_new: plan.after > 0 && first_seq > plan.after,
            folded: Folded {
                place: (account_id, first.event.sandbox_id.clone()),
                cohort_id: *cohort_id,
                state,
                image: first.event.image.clone(),
                region: first.event.region.clone(),
                size,
                key_id: first.event.key_id,
                parent_id: first.parent_id.clone(),
                created_at: created_at.into(),
                destroyed_at: history.destroyed_at.map(Into::into),
                stopped: history
                    .stopped
                    .map(|(at, seq)| (at.into(), reason(events, seq))),
                destroy_at: (state == SandboxState::Running)
                    .then(|| timer(events))
                    .flatten(),
                cpu: cpu(events),
            },
            slices: rate(
                &history.intervals,
                size,
                book(books, account_id)?,
                plan.horizon,
            )?,
            history,
        });
    }
    Ok(replayed)
}

/// The event that created the sandbox: its size, image and key are the ones that count.
fn created(events: &[StoredEvent]) -> Option<&StoredEvent> {
    events
        .iter()
        .find(|row| row.event.kind == EventKind::Created)
}

fn cohort(created: &StoredEvent) -> Cohort {
    Cohort {
        account_id: created.event.account_id,
        key_id: created.event.key_id,
        image: created.event.image.clone(),
        region: created.event.region.clone(),
        size: created.event.size,
    }
}

/// Processor milliseconds as the events last said them, and when.
fn cpu(events: &[StoredEvent]) -> Option<(i64, OffsetDateTime)> {
    let said = |row: &StoredEvent| {
        let at = row.event.occurred_at.min(row.event.recorded_at);
        Some((row.cpu_ms?, at.into()))
    };
    events.iter().rev().find_map(said)
}

/// When the timer of what runs will destroy it, as the event that started it says. What restarts the timer is no event: one
/// that has passed is not known any more.
fn timer(events: &[StoredEvent]) -> Option<OffsetDateTime> {
    let starts = [EventKind::Created, EventKind::Resumed];
    let start = events
        .iter()
        .rfind(|row| starts.contains(&row.event.kind))?;
    start.destroy_at
}

/// Why the sandbox stopped, as the event that stopped it says.
fn reason(events: &[StoredEvent], seq: i64) -> Option<StopReason> {
    events.iter().find(|row| row.event.seq == seq)?.reason
}

pub(super) fn book(books: &Books, account_id: AccountId) -> Result<&[Price], Broken> {
    let book = books.get(&account_id).map(|book| &book[..]);
    book.ok_or_else(|| Broken::new("account without a price book"))
}

/// Cuts intervals into hours, each with the price it is rated by.
pub(super) fn rate(
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
