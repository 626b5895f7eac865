//! From events to money: the pure fold of one sandbox's events to running intervals, and their cut into priced UTC hours.
//! Which grant pays is `credit`'s; storing and posting are `backend`'s.

use crate::feed::{Event, EventKind};
use crate::moment::{HOUR_MS, Moment};
use crate::money::Ticks;
use crate::price::{BilledMs, Price};
use crate::sandbox::{SandboxState, Size};

/// A stretch of running, half-open. At most one interval of a sandbox is open, and it is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// First running moment.
    pub started_at: Moment,
    /// First moment not running any more; none while it runs.
    pub ended_at: Option<Moment>,
}

/// What the events of one sandbox add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The state after the last event; none if it was never created.
    pub state: Option<SandboxState>,
    /// When it was created, by the feed.
    pub created_at: Option<Moment>,
    /// When it was destroyed, by the feed.
    pub destroyed_at: Option<Moment>,
    /// Running intervals in order: never overlapping, never negative.
    pub intervals: Vec<Interval>,
    /// Events that made no sense where they stood and changed nothing (a resume after a destroy, a second create).
    pub ignored: usize,
}

/// Folds the events of one sandbox, given in the order of their sequence numbers. The order decides what happened, the
/// time only what it cost: each time is clamped to be no later than its recording and no earlier than the event before
/// (reference/billing.md 1.5), so skewed clocks can shorten an interval but never turn it round.
#[must_use]
pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> History {
    let mut history = History {
        state: None,
        created_at: None,
        destroyed_at: None,
        intervals: Vec::new(),
        ignored: 0,
    };
    let mut latest = Moment::MIN;
    for event in events {
        let at = event.occurred_at.min(event.recorded_at).max(latest);
        latest = at;
        apply(&mut history, event.kind, at);
    }
    history
}

fn apply(history: &mut History, kind: EventKind, at: Moment) {
    match (kind, history.state) {
        (EventKind::Created, None) => {
            history.created_at = Some(at);
            history.state = Some(SandboxState::Running);
            history.intervals.push(Interval {
                started_at: at,
                ended_at: None,
            });
        }
        (EventKind::Resumed, Some(SandboxState::Hibernated)) => {
            history.state = Some(SandboxState::Running);
            history.intervals.push(Interval {
                started_at: at,
                ended_at: None,
            });
        }
        (EventKind::Hibernated, Some(SandboxState::Running)) => {
            history.state = Some(SandboxState::Hibernated);
            close(history, at);
        }
        (EventKind::Destroyed, Some(SandboxState::Running | SandboxState::Hibernated)) => {
            history.state = Some(SandboxState::Destroyed);
            history.destroyed_at = Some(at);
            close(history, at);
        }
        // Being out of sight neither starts nor ends an interval; credit for it is given apart, by name.
        (EventKind::Unreachable | EventKind::Reachable, _) => {}
        _ => history.ignored += 1,
    }
}

fn close(history: &mut History, at: Moment) {
    if let Some(open) = history
        .intervals
        .last_mut()
        .filter(|interval| interval.ended_at.is_none())
    {
        open.ended_at = Some(at);
    }
}

/// The billed part of one sandbox inside one UTC hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Start of the hour.
    pub hour: Moment,
    /// Milliseconds billed in it, 0 to 3,600,000.
    pub billed: BilledMs,
    /// Their exact cost.
    pub ticks: Ticks,
    /// Index into the price book that was given.
    pub price: usize,
}

/// No price rules at this hour, so nothing can be rated: a hole in the price book, never a free hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no price covers the hour at {} ms", hour.unix_ms())]
pub struct NoPrice {
    /// The hour without a price.
    pub hour: Moment,
}

/// Cuts intervals into priced hours. An open interval is cut up to `horizon`, which must be a whole hour that the
/// feed's watermark has passed; what lies behind it is shown live and posted later. Hours without a billed grain are
/// left out; several intervals inside one hour become one slice.
///
/// # Errors
/// [`NoPrice`] when an hour is not covered by `prices`.
pub fn slices(
    intervals: &[Interval],
    size: Size,
    prices: &[Price],
    horizon: Moment,
) -> Result<Vec<Slice>, NoPrice> {
    let mut out: Vec<Slice> = Vec::new();
    for interval in intervals {
        let end = interval
            .ended_at
            .unwrap_or_else(|| horizon.max(interval.started_at));
        let mut at = interval.started_at;
        while at < end {
            let hour = at.hour();
            let next = hour.plus_ms(HOUR_MS).min(end);
            let price = prices
                .iter()
                .position(|price| price.covers(hour))
                .ok_or(NoPrice { hour })?;
            let billed = prices[price].billed_ms(at, next);
            add(
                &mut out,
                hour,
                billed,
                prices[price].cost(billed, size),
                price,
            );
            at = next;
        }
    }
    Ok(out)
}

fn add(out: &mut Vec<Slice>, hour: Moment, billed: BilledMs, ticks: Ticks, price: usize) {
    if billed.0 == 0 {
        return;
    }
    match out.last_mut().filter(|last| last.hour == hour) {
        Some(last) => {
            last.billed.0 += billed.0;
            last.ticks = last.ticks.saturating_add(ticks);
        }
        None => out.push(Slice {
            hour,
            billed,
            ticks,
            price,
        }),
    }
}

/// The exact cost of `[start, end)`, hour by hour at each hour's price.
///
/// # Errors
/// [`NoPrice`] when an hour is not covered by `prices`.
pub fn cost(
    start: Moment,
    end: Moment,
    size: Size,
    prices: &[Price],
) -> Result<(BilledMs, Ticks), NoPrice> {
    let interval = Interval {
        started_at: start,
        ended_at: Some(end),
    };
    let slices = slices(&[interval], size, prices, end)?;
    let billed = slices.iter().map(|slice| slice.billed.0).sum();
    Ok((
        BilledMs(billed),
        slices.iter().map(|slice| slice.ticks).sum(),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::id::AccountId;
    use crate::money::MicroDollars;
    use crate::price::tests::first_price;
    use crate::sandbox::SandboxId;

    const SIZE: Size = Size {
        vcpus: 1,
        mem_mib: 1_024,
    };

    fn event(seq: i64, kind: EventKind, occurred: i64, recorded: i64) -> Event {
        Event {
            seq,
            event_id: Uuid::from_u128(seq.unsigned_abs().into()),
            account_id: AccountId(Uuid::nil()),
            sandbox_id: SandboxId::parse("run1").unwrap(),
            key_id: None,
            kind,
            occurred_at: Moment::from_unix_ms(occurred),
            recorded_at: Moment::from_unix_ms(recorded),
            image: "node:22".into(),
            region: "us".into(),
            size: SIZE,
        }
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let kind = prop::sample::select(EventKind::ALL.to_vec());
        prop::collection::vec((kind, 0_i64..20_000_000, -30_000_i64..30_000), 0..30).prop_map(
            |raw| {
                let mut recorded: Vec<_> = raw.iter().map(|(_, at, _)| *at).collect();
                recorded.sort_unstable();
                let rows = raw.into_iter().zip(recorded).zip(1..);
                rows.map(|(((kind, _, skew), at), seq)| event(seq, kind, at + skew, at))
                    .collect()
            },
        )
    }

    #[test]
    fn a_life_with_a_nap() {
        let kinds = [
            EventKind::Created,
            EventKind::Hibernated,
            EventKind::Resumed,
            EventKind::Destroyed,
        ];
        let life: Vec<_> = kinds
            .iter()
            .zip(1_i64..)
            .map(|(kind, seq)| event(seq, *kind, seq * 10_000, seq * 10_000))
            .collect();
        let history = fold(&life);
        assert_eq!(history.state, Some(SandboxState::Destroyed));
        assert_eq!(history.intervals.len(), 2);
        let slices = slices(&history.intervals, SIZE, &[first_price()], Moment::MAX).unwrap();
        assert_eq!(slices.len(), 1, "both intervals lie in one hour");
        assert_eq!(slices[0].billed, BilledMs(20_000));
    }

    #[test]
    fn a_negative_duration_becomes_nothing() {
        let history = fold(&[
            event(1, EventKind::Created, 9_000, 9_000),
            event(2, EventKind::Destroyed, 1_000, 9_500),
        ]);
        assert_eq!(
            history.intervals[0].ended_at,
            Some(Moment::from_unix_ms(9_000))
        );
        assert!(
            slices(&history.intervals, SIZE, &[first_price()], Moment::MAX)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn an_hour_without_a_price_is_an_error() {
        let late = Price {
            from: Moment::from_unix_ms(HOUR_MS),
            ..first_price()
        };
        let result = cost(
            Moment::from_unix_ms(0),
            Moment::from_unix_ms(2 * HOUR_MS),
            SIZE,
            &[late],
        );
        assert_eq!(
            result,
            Err(NoPrice {
                hour: Moment::from_unix_ms(0)
            })
        );
    }

    proptest! {
        #[test]
        fn intervals_never_overlap_and_at_most_the_last_is_open(events in events()) {
            let history = fold(&events);
            for pair in history.intervals.windows(2) {
                let end = pair[0].ended_at.expect("only the last may be open");
                prop_assert!(pair[0].started_at <= end && end <= pair[1].started_at);
            }
            let running = history.state == Some(SandboxState::Running);
            prop_assert_eq!(history.intervals.last().is_some_and(|last| last.ended_at.is_none()), running);
        }

        #[test]
        fn a_prefix_then_the_whole_equals_the_whole(events in events(), cut in 0_usize..30) {
            // The fold starts from the first event each time, so seeing a prefix before changes nothing.
            let _ = fold(&events[..cut.min(events.len())]);
            let mut twice = fold(&events);
            prop_assert_eq!(&twice, &fold(&events));
            twice.ignored = 0;
            let closed = |history: &History| history.intervals.iter().filter(|i| i.ended_at.is_some()).copied().collect::<Vec<_>>();
            let prefix = closed(&fold(&events[..cut.min(events.len())]));
            prop_assert_eq!(&closed(&twice)[..prefix.len()], &prefix[..], "closed intervals are final");
        }

        #[test]
        fn slices_add_up_to_the_interval(start in 0_i64..100_000_000, length in 0_i64..50_000_000, change in 1_i64..20) {
            let change = Moment::from_unix_ms(change * HOUR_MS);
            let old = Price { until: Some(change), ..first_price() };
            let new = Price { from: change, vcpu_hour: MicroDollars(30_000), ..first_price() };
            let (start, end) = (Moment::from_unix_ms(start), Moment::from_unix_ms(start + length));
            let (billed, ticks) = cost(start, end, SIZE, &[old.clone(), new.clone()]).unwrap();
            prop_assert_eq!(billed, first_price().billed_ms(start, end));
            let before = old.cost(old.billed_ms(start.min(change), end.min(change)), SIZE);
            let after = new.cost(new.billed_ms(start.max(change), end.max(change)), SIZE);
            prop_assert_eq!(ticks, before.saturating_add(after));
        }

        #[test]
        fn posting_by_the_hour_and_the_live_rest_equal_the_whole(start in 0_i64..20_000_000, length in 0_i64..30_000_000) {
            let open = Interval { started_at: Moment::from_unix_ms(start), ended_at: None };
            let now = Moment::from_unix_ms(start + length);
            let horizon = now.hour();
            let posted: Ticks = slices(&[open], SIZE, &[first_price()], horizon).unwrap().iter().map(|s| s.ticks).sum();
            let (_, live) = cost(open.started_at.max(horizon), now, SIZE, &[first_price()]).unwrap();
            let (_, whole) = cost(open.started_at, now, SIZE, &[first_price()]).unwrap();
            prop_assert_eq!(posted.saturating_add(live), whole);
        }
    }
}
