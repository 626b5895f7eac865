//! The future of an account, computed ahead and pushed ahead: when its credit or its limit ends, the orchestrator knows
//! the moment beforehand, so nothing runs past it though this program be dead. What the moment is decides
//! `domain::outlook`; which warnings follow, `service::alerts`.

mod store;

pub(crate) use crate::forecast::store::{due, peek, postpone, put, take};
pub use crate::forecast::store::Outlook;

use crate::metering::running;
use domain::alert::{self, Standing};
use domain::credit::Grant;
use domain::id::AccountId;
use domain::interval::{self, Interval};
use domain::limits::OUTLOOK_SWEEP_MS;
use domain::moment::{HOUR_MS, Moment};
use domain::money::{Cents, Ticks};
use domain::outlook::{self, Limit, Present, Zero};
use domain::price::Price;
use domain::sandbox::Size;
use sqlx::PgConnection;

use crate::failure::Broken;
use crate::forecast::store::Before;
use crate::ledger::{self, GrantReason, GrantRow};
use crate::limit as limits;
use crate::metering::meters;
use crate::usage::days as usage_days;

/// The figures of an account, exact up to one moment.
pub(crate) struct Figures {
    pub(crate) as_of: Moment,
    grants: Vec<Grant>,
    /// How many grants that begin an epoch have started.
    epoch: i32,
    running: Vec<(Size, u32)>,
    book: Vec<Price>,
    limit: Option<Limit>,
    /// Grants not started yet, and ends of all: when the answer may change by itself.
    changes: Vec<Moment>,
}

impl Figures {
    pub(crate) fn present(&self) -> Present<'_> {
        Present {
            as_of: self.as_of,
            grants: &self.grants,
            running: &self.running,
            book: &self.book,
            limit: self.limit,
        }
    }

    pub(crate) fn per_hour(&self) -> Ticks {
        let price = self.book.iter().find(|price| price.covers(self.as_of));
        let cost = |(size, count): &(Size, u32)| {
            let one = price.map_or(Ticks::ZERO, |price| price.per_hour(*size));
            Ticks::new(one.get().saturating_mul(i128::from(*count))).unwrap_or(one)
        };
        self.running.iter().map(cost).sum()
    }
}

/// Reads the figures. They hold for the settled watermark, or for the start of the newest sandbox when that was later: all
/// that runs then runs at one rate from there on, and a start just before the watermark moves counts from its own moment.
pub(crate) async fn figures(
    db: &mut PgConnection,
    account_id: AccountId,
    settled: Moment,
    book: Vec<Price>,
) -> Result<Figures, Broken> {
    let rows = running::running(db, account_id).await?;
    let starts = rows.iter().map(|row| row.interval.started_at);
    let as_of = starts.fold(settled, Moment::max);
    let posted_until = meters::peek(db, account_id)
        .await?
        .and_then(|meter| meter.settled_until)
        .map_or(Moment::MIN, Moment::from);
    let stored = ledger::grants(db, account_id).await?;
    let (epoch, changes) = epoch_and_changes(&stored, as_of);
    let mut grants: Vec<Grant> = stored.into_iter().map(|row| row.grant).collect();
    let month = outlook::month_start(as_of);
    let mut spent = usage_days::since(db, account_id, month).await?;
    let mut running: Vec<(Size, u32)> = Vec::new();
    let mut unposted = Vec::new();
    for row in &rows {
        match running.iter_mut().find(|(size, _)| *size == row.size) {
            Some((_, count)) => *count += 1,
            None => running.push((row.size, 1)),
        }
        let since = row.interval.started_at.max(posted_until);
        let rest = Interval {
            started_at: since,
            ended_at: Some(as_of.max(since)),
        };
        unposted.extend(interval::slices(&[rest], row.size, &book, as_of)?);
    }
    unposted.sort_by_key(|slice| slice.hour);
    for slice in &unposted {
        outlook::take(&mut grants, slice.hour, slice.ticks);
        if slice.hour >= month {
            spent = spent.saturating_add(slice.ticks);
        }
    }
    let monthly = limits::get(db, account_id).await?;
    let limit = monthly.map(|monthly: Cents| Limit {
        monthly: Ticks::from_cents(monthly),
        spent,
    });
    Ok(Figures {
        as_of,
        grants,
        epoch,
        running,
        book,
        limit,
        changes,
    })
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
    let left = outlook::usable(&figures.grants, figures.as_of);
    let is_new = figures.epoch != before.epoch;
    Standing {
        as_of: figures.as_of,
        epoch: figures.epoch,
        base: if is_new { left } else { before.base },
        left,
        limit: figures.limit,
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
        ahead.extend(outlook::reach(&present, level)?);
    }
    if let Some(zero) = standing.zero {
        ahead.extend(alert::HOURS.map(|hours| zero.at.plus_ms(-i64::from(hours) * HOUR_MS)));
        ahead.push(zero.at);
    }
    ahead.extend(figures.book.iter().map(|price| price.from));
    ahead.push(outlook::next_month(figures.as_of));
    let sweep = figures.as_of.plus_ms(OUTLOOK_SWEEP_MS);
    let after = ahead.into_iter().filter(|at| *at > figures.as_of);
    Ok(after.fold(sweep, Moment::min))
}
