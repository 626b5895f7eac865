//! From events to money: the pure fold of one sandbox's events to running intervals, and their cut into priced UTC hours.
//! Which grant pays is `credit`'s; storing and posting are `backend`'s.

use crate::feed::{Event, EventKind, Skew};
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

impl Interval {
    /// The part of it from `from` on; none when it ended before.
    #[must_use]
    pub fn clipped(self, from: Moment) -> Option<Self> {
        let reaches = self.ended_at.is_none_or(|end| end > from);
        reaches.then(|| Self {
            started_at: self.started_at.max(from),
            ..self
        })
    }
}

/// A stretch of running time in which the orchestrator had lost the sandbox; over, half-open, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// First moment out of reach.
    pub started_at: Moment,
    /// First moment in reach again, or not running any more.
    pub ended_at: Moment,
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
    /// When it last stopped, and the sequence number of the event that did it; none while it runs.
    pub stopped: Option<(Moment, i64)>,
    /// Running intervals in order: never overlapping, never negative.
    pub intervals: Vec<Interval>,
    /// Stretches of those in which it was out of reach, those that are over, in order.
    pub lost: Vec<Lost>,
    /// Events whose time was odd.
    pub skews: Vec<Skew>,
    /// Events that made no sense where they stood and changed nothing (a resume after a destroy, a second create).
    pub ignored: usize,
}

/// Folds the events of one sandbox, given in the order of their sequence numbers. The order decides what happened, the
/// time only what it cost: each time is clamped (`Event::taken_at`), so skewed clocks can
/// shorten an interval but never turn it round.
#[must_use]
pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> History {
    let mut history = History {
        state: None,
        created_at: None,
        destroyed_at: None,
        stopped: None,
        intervals: Vec::new(),
        lost: Vec::new(),
        skews: Vec::new(),
        ignored: 0,
    };
    let mut latest = Moment::MIN;
    let mut lost_since = None;
    for event in events {
        let (at, fault) = event.taken_at(latest);
        latest = at;
        history.skews.extend(fault.map(|fault| Skew {
            seq: event.seq,
            event_id: event.event_id,
            fault,
            claimed: event.occurred_at,
            taken: at,
        }));
        let before = history.state;
        apply(&mut history, &mut lost_since, event.kind, at);
        if history.state != before {
            let runs = history.state == Some(SandboxState::Running);
            history.stopped = (!runs).then_some((at, event.seq));
        }
    }
    history
}

fn apply(history: &mut History, lost_since: &mut Option<Moment>, kind: EventKind, at: Moment) {
    match (kind, history.state) {
        (EventKind::Created, None) => {
            history.created_at = Some(at);
            open(history, at);
        }
        (EventKind::Resumed, Some(SandboxState::Hibernated)) => open(history, at),
        (EventKind::Hibernated, Some(SandboxState::Running)) => {
            history.state = Some(SandboxState::Hibernated);
            close(history, lost_since, at);
        }
        (EventKind::Destroyed, Some(SandboxState::Running | SandboxState::Hibernated)) => {
            history.state = Some(SandboxState::Destroyed);
            history.destroyed_at = Some(at);
            close(history, lost_since, at);
        }
        // Being out of sight neither starts nor ends an interval; credit for it is given apart, by name.
        (EventKind::Unreachable, Some(SandboxState::Running)) => {
            *lost_since = lost_since.or(Some(at));
        }
        (EventKind::Reachable, _) => found(history, lost_since, at),
        (EventKind::Unreachable, _) => {}
        _ => history.ignored += 1,
    }
}

fn open(history: &mut History, at: Moment) {
    history.state = Some(SandboxState::Running);
    history.intervals.push(Interval {
        started_at: at,
        ended_at: None,
    });
}

fn close(history: &mut History, lost_since: &mut Option<Moment>, at: Moment) {
    found(history, lost_since, at);
    if let Some(open) = history
        .intervals
        .last_mut()
        .filter(|interval| interval.ended_at.is_none())
    {
        open.ended_at = Some(at);
    }
}

fn found(history: &mut History, lost_since: &mut Option<Moment>, at: Moment) {
    history.lost.extend(
        lost_since
            .take()
            .filter(|since| *since < at)
            .map(|since| Lost {
                started_at: since,
                ended_at: at,
            }),
    );
}

/// The billed part of one sandbox inside one UTC hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// First moment of the UTC hour that it lies in.
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
mod tests;
