//! The future of an account, computed ahead and pushed ahead: when its credit or its limit ends, the orchestrator knows
//! the moment beforehand, so nothing runs past it though this program be dead. What the moment is decides
//! `domain::forecast`; which warnings follow, `domain::alert`.

pub(crate) mod allowance;
mod store;

pub use crate::forecast::store::Forecast;
pub(crate) use crate::forecast::store::{due, peek, postpone, put, take};

use domain::alert::{self, Standing};
use domain::ceilings::FORECAST_SWEEP_MS;
use domain::forecast::{self, Present, Run, Zero};
use domain::moment::{HOUR_MS, Moment};
use domain::money::Ticks;

use crate::credit::standing;
use crate::failure::Broken;
use crate::forecast::store::Before;
use crate::ledger::{GrantReason, GrantRow};

/// What a forecast is made from: where the account stands, and when that changes by itself.
pub(crate) struct Figures {
    standing: standing::Standing,
    running: Vec<Run>,
    /// How many grants that begin an epoch have started.
    epoch: i32,
    /// Grants not started yet, ends of all, and timers of what runs: when the answer may change by itself.
    changes: Vec<Moment>,
}

impl Figures {
    pub(crate) fn of(standing: standing::Standing) -> Self {
        let running = standing::runs(&standing.live);
        let as_of = standing.present(&running).as_of;
        let (epoch, mut changes) = epoch_and_changes(standing.burned.stored(), as_of);
        changes.extend(running.iter().filter_map(|run| run.until));
        Self {
            standing,
            running,
            epoch,
            changes,
        }
    }

    /// Up to when the figures are exact.
    pub(crate) fn as_of(&self) -> Moment {
        self.present().as_of
    }

    pub(crate) fn present(&self) -> Present<'_> {
        self.standing.present(&self.running)
    }

    pub(crate) fn zero(&self) -> Result<Option<Zero>, Broken> {
        self.standing.zero()
    }

    /// What all that runs costs in one hour.
    pub(crate) fn per_hour(&self) -> Ticks {
        let present = self.present();
        let price = present
            .book
            .iter()
            .find(|price| price.covers(present.as_of));
        let cost = |run: &Run| {
            let one = price.map_or(Ticks::ZERO, |price| price.per_hour(run.size));
            Ticks::new(one.get().saturating_mul(i128::from(run.count))).unwrap_or(one)
        };
        self.running.iter().map(cost).sum()
    }
}

/// An epoch begins with each grant that is not an incident's.
fn epoch_and_changes(stored: &[GrantRow], as_of: Moment) -> (i32, Vec<Moment>) {
    let started = stored
        .iter()
        .filter(|row| row.reason != GrantReason::Incident && row.grant.starts_at <= as_of);
    let epoch = i32::try_from(started.count()).unwrap_or(i32::MAX);
    let ends = stored
        .iter()
        .flat_map(|row| [Some(row.grant.starts_at), row.grant.ends_at]);
    (epoch, ends.flatten().collect())
}

pub(crate) fn standing(before: &Before, figures: &Figures, zero: Option<Zero>) -> Standing {
    let present = figures.present();
    let left = forecast::usable(present.grants, present.as_of);
    let is_new = figures.epoch != before.epoch;
    Standing {
        as_of: present.as_of,
        epoch: figures.epoch,
        base: if is_new { left } else { before.base },
        left,
        limit: present.limit,
        zero,
    }
}

/// The next moment at which something is known to change: a warning's threshold, 24 hours and 1 hour before the end and the
/// end itself, a grant's, price's or month's boundary; and the sweep behind it all.
pub(crate) fn next_due(
    figures: &Figures,
    standing: &Standing,
    wanted: &alert::Wanted,
) -> Result<Moment, Broken> {
    let present = figures.present();
    let mut ahead = figures.changes.clone();
    for level in alert::levels_ahead(standing, wanted) {
        ahead.extend(forecast::reach(&present, level)?);
    }
    if let Some(zero) = standing.zero {
        ahead.extend(alert::HOURS.map(|hours| zero.at.plus_ms(-i64::from(hours) * HOUR_MS)));
        ahead.push(zero.at);
    }
    ahead.extend(present.book.iter().map(|price| price.from));
    ahead.push(forecast::next_month(present.as_of));
    let sweep = present.as_of.plus_ms(FORECAST_SWEEP_MS);
    let after = ahead.into_iter().filter(|at| *at > present.as_of);
    Ok(after.fold(sweep, Moment::min))
}
