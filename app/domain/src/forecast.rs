//! The future of an account as its present rates imply it: when credit or the customer's own limit ends, and when a share
//! of them is used. Rates are constant between events, so moments are computed, never polled. The orchestrator computes the
//! same by the formula of `Allowance` in docs/orchestrator.yaml; the vectors named there hold both to it.
//! Which warnings follow is `alert`'s; telling the orchestrator and people is `backend`'s.

use crate::credit::{self, Grant, Payer};
use crate::interval::NoPrice;
use crate::moment::{DAY_MS, Moment};
use crate::money::Ticks;
use crate::price::Price;
use crate::sandbox::Size;

/// How far ahead is looked, in milliseconds: beyond ten years an answer would only be a guess about prices.
pub const HORIZON_MS: i64 = 3_653 * DAY_MS;
/// Segments walked at most, besides one for each start and end of what runs: 120 months, both ends of 500 grants and the price
/// book fit several times.
const SEGMENTS_MAX: usize = 4_000;

/// The present, exact up to `as_of`.
#[derive(Clone, Debug)]
pub struct Present<'a> {
    /// Up to when the figures below are exact.
    pub as_of: Moment,
    /// Grants with what is left of each once everything up to `as_of` is taken off.
    pub grants: &'a [Grant],
    /// What runs, or begins to run later.
    pub running: &'a [Run],
    /// The account's own price book.
    pub book: &'a [Price],
    /// The customer's own limit.
    pub limit: Option<Limit>,
}

/// Sandboxes of one size that run alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// What each of them is billed by.
    pub size: Size,
    /// How many they are.
    pub count: u32,
    /// Since when they run: after `as_of` for what the feed knows of ahead of it.
    pub from: Moment,
    /// When their timer destroys them, where that is known: they cost nothing from then on.
    pub until: Option<Moment>,
}

/// A monthly limit of the customer's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Most that may be spent in one UTC month.
    pub monthly: Ticks,
    /// Spent in the UTC month of `as_of`, up to it.
    pub spent: Ticks,
}

/// What ends first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No usable credit is left.
    Credit,
    /// The monthly limit is reached.
    Limit,
}

impl Cause {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Limit => "limit",
        }
    }

    /// None for a word that is none of them.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Credit, Self::Limit]
            .into_iter()
            .find(|cause| cause.as_str() == word)
    }
}

/// The moment from which nothing may run, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zero {
    /// The first millisecond at which nothing is left.
    pub at: Moment,
    /// What ended.
    pub cause: Cause,
}

/// A level whose first moment is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Usable credit is this much or less.
    CreditLeft(Ticks),
    /// This much or more is spent in a UTC month.
    MonthSpent(Ticks),
}

/// When credit or limit ends, whichever is first; credit when both end together. None within the horizon: no end.
///
/// # Errors
/// [`NoPrice`] when an hour that something runs in is not covered by the book.
pub fn zero(present: &Present<'_>) -> Result<Option<Zero>, NoPrice> {
    let credit = reach(present, Level::CreditLeft(Ticks::ZERO))?;
    let limit = match present.limit {
        Some(limit) => reach(present, Level::MonthSpent(limit.monthly))?,
        None => None,
    };
    let of = |cause| move |at| Zero { at, cause };
    Ok(match (credit, limit) {
        (Some(credit), Some(limit)) if limit < credit => Some(of(Cause::Limit)(limit)),
        (Some(credit), _) => Some(of(Cause::Credit)(credit)),
        (None, limit) => limit.map(of(Cause::Limit)),
    })
}

/// The first millisecond, from `as_of` on, at which a level is reached, should all go on as it does. Prices, both ends of
/// grants and months change on whole UTC hours, and what runs at moments that are known, so between them one division answers.
///
/// # Errors
/// [`NoPrice`] when an hour that something runs in is not covered by the book.
pub fn reach(present: &Present<'_>, level: Level) -> Result<Option<Moment>, NoPrice> {
    let horizon = present.as_of.plus_ms(HORIZON_MS);
    let mut grants = present.grants.to_vec();
    let mut spent = present.limit.map_or(Ticks::ZERO, |limit| limit.spent);
    let mut load = Load::of(present);
    let mut at = present.as_of;
    for _ in 0..SEGMENTS_MAX + load.changes.len() {
        let room = match level {
            Level::CreditLeft(least) => usable(&grants, at).saturating_sub(least),
            Level::MonthSpent(most) => most.saturating_sub(spent),
        };
        if !room.is_positive() {
            return Ok(Some(at));
        }
        if at >= horizon {
            return Ok(None);
        }
        load.advance(at);
        let end = next_change(present, &load, at).min(horizon);
        let (rate, grain) = rate(present, &load, at)?;
        if rate.is_positive() {
            let first = at.unix_ms().div_euclid(grain);
            let grains = i128::from(end.unix_ms().div_euclid(grain) - first);
            let needed = (room.get() + rate.get() - 1) / rate.get();
            let reached = i64::try_from(needed)
                .ok()
                .and_then(|needed| first.checked_add(needed)?.checked_mul(grain))
                .map_or(Moment::MAX, Moment::from_unix_ms);
            // Reached together with a change: what holds from there on decides, in the next turn.
            if reached < end {
                return Ok(Some(reached));
            }
            let cost = Ticks::new(rate.get().saturating_mul(grains)).unwrap_or(room);
            take(&mut grants, at, cost);
            spent = spent.saturating_add(cost);
        }
        if month(end) != month(at) {
            spent = Ticks::ZERO;
        }
        at = end;
    }
    Ok(None)
}

/// Credit that may pay for service in the hour of `at`.
#[must_use]
pub fn usable(grants: &[Grant], at: Moment) -> Ticks {
    let hour = at.hour();
    let usable =
        |grant: &&Grant| grant.starts_at <= hour && grant.ends_at.is_none_or(|end| hour < end);
    grants
        .iter()
        .filter(usable)
        .map(|grant| grant.remaining)
        .sum()
}

/// What runs, as processors and memory in all, while time goes on.
struct Load {
    /// When it changes and by how much, in order.
    changes: Vec<(Moment, i128, i128)>,
    /// How many of them have come.
    passed: usize,
    vcpus: i128,
    mem_mib: i128,
}

impl Load {
    fn of(present: &Present<'_>) -> Self {
        let mut changes = Vec::with_capacity(present.running.len() * 2);
        for run in present.running {
            let from = run.from.max(present.as_of);
            if run.until.is_some_and(|until| until <= from) {
                continue;
            }
            let count = i128::from(run.count);
            let (vcpus, mem_mib) = (
                count * i128::from(run.size.vcpus),
                count * i128::from(run.size.mem_mib),
            );
            changes.push((from, vcpus, mem_mib));
            changes.extend(run.until.map(|until| (until, -vcpus, -mem_mib)));
        }
        changes.sort_unstable_by_key(|(at, ..)| *at);
        Self {
            changes,
            passed: 0,
            vcpus: 0,
            mem_mib: 0,
        }
    }

    /// Lets every change up to `at` come.
    fn advance(&mut self, at: Moment) {
        let ahead = self.changes.iter().skip(self.passed);
        for (_, vcpus, mem_mib) in ahead.take_while(|(change, ..)| *change <= at) {
            self.passed += 1;
            self.vcpus += vcpus;
            self.mem_mib += mem_mib;
        }
    }

    fn next(&self) -> Option<Moment> {
        self.changes.get(self.passed).map(|(at, ..)| *at)
    }
}

/// What everything that runs costs per grain of the price at `at`, and that grain in milliseconds.
fn rate(present: &Present<'_>, load: &Load, at: Moment) -> Result<(Ticks, i64), NoPrice> {
    if load.vcpus == 0 && load.mem_mib == 0 {
        return Ok((Ticks::ZERO, 1_000));
    }
    let hour = at.hour();
    let price = present.book.iter().find(|price| price.covers(hour));
    let price = price.ok_or(NoPrice { hour })?;
    let grain = price.grain_ms.max(1);
    let ticks = price
        .per_ms(load.vcpus, load.mem_mib)
        .saturating_mul(i128::from(grain));
    Ok((Ticks::new(ticks).unwrap_or(Ticks::ZERO), grain))
}

/// The next moment after `at` at which a price, a grant, the month or what runs changes.
fn next_change(present: &Present<'_>, load: &Load, at: Moment) -> Moment {
    let prices = present
        .book
        .iter()
        .flat_map(|price| [Some(price.from), price.until]);
    let grants = present
        .grants
        .iter()
        .flat_map(|grant| [Some(grant.starts_at), grant.ends_at]);
    prices
        .chain(grants)
        .chain([load.next()])
        .flatten()
        .filter(|change| *change > at)
        .fold(next_month(at), Moment::min)
}

/// Takes what service in the hour of `at` costs off the grants, in the order in which they burn.
pub fn take(grants: &mut [Grant], at: Moment, cost: Ticks) {
    for (payer, part) in credit::burn(grants, at.hour(), cost) {
        let Payer::Grant(id) = payer else { continue };
        for grant in grants.iter_mut().filter(|grant| grant.grant_id == id) {
            grant.remaining = grant.remaining.saturating_sub(part);
        }
    }
}

/// Months since year 0, UTC: equal numbers are the same month.
fn month(at: Moment) -> i32 {
    let date = time::OffsetDateTime::from(at).date();
    date.year() * 12 + i32::from(u8::from(date.month())) - 1
}

/// The first moment of the UTC month after that of `at`.
#[must_use]
pub fn next_month(at: Moment) -> Moment {
    // The 1st plus 31 days lies in the next month, whatever the month.
    let first = month_start(at);
    month_start(first.plus_ms(31 * DAY_MS))
}

/// The first moment of the UTC month of `at`.
#[must_use]
pub fn month_start(at: Moment) -> Moment {
    let date = time::OffsetDateTime::from(at).date();
    at.day().plus_ms(-i64::from(date.day() - 1) * DAY_MS)
}

#[cfg(test)]
mod tests;
