//! The future of an account, computed ahead and pushed ahead: when its credit or its limit ends, the orchestrator knows
//! the moment beforehand, so nothing runs past it though this program be dead. What the moment is decides
//! `domain::outlook`; which warnings follow, `service::alerts`.

use domain::alert::{self, Standing};
use domain::credit::Grant;
use domain::id::AccountId;
use domain::interval::{self, Interval};
use domain::limits::{OUTLOOK_SWEEP_MS, OUTLOOKS_PER_ROUND};
use domain::moment::{HOUR_MS, Moment};
use domain::money::{Cents, Ticks};
use domain::outlook::{self, Limit, Present, Zero};
use domain::price::Price;
use domain::sandbox::Size;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::alerts;
use crate::Backend;
use crate::failure::Broken;
use crate::jobs::push_tenant;
use crate::metering::{FEED, live};
use crate::store::ledger::{self, GrantReason, GrantRow};
use crate::store::outlooks::{self, Before, Outlook};
use crate::store::{accounts, feed, limits, meters, sandboxes, usage_days};

/// How long an outlook that cannot be computed is put off, in milliseconds of the feed.
const POSTPONED_MS: i64 = 60_000;

/// Computes every outlook that is due, a bounded number, each in a transaction of its own. One that breaks is put off and
/// does not hold up the others.
///
/// # Errors
/// When the database cannot be asked which are due.
#[tracing::instrument(skip_all, name = "forecast.round")]
pub async fn round(backend: &Backend) -> Result<(), Broken> {
    let mut db = backend.pool().acquire().await?;
    let settled_at = feed::peek(&mut db, FEED)
        .await?
        .and_then(|cursor| cursor.settled_at);
    // Before the first answer nothing can have run, so now is as true as any moment.
    let as_of = settled_at.unwrap_or_else(|| backend.clock().now());
    let due = outlooks::due(&mut db, as_of, OUTLOOKS_PER_ROUND).await?;
    drop(db);
    for account_id in due {
        match account(backend, account_id).await {
            Ok(()) => {}
            Err(broken) if broken.is_race() => {
                metrics::counter!("outlooks_raced_total").increment(1);
            }
            Err(broken) => {
                tracing::error!(account.id = %account_id, cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "outlook broke; other accounts go on");
                metrics::counter!("outlooks_broken_total").increment(1);
                let until = Moment::from(as_of).plus_ms(POSTPONED_MS);
                let mut db = backend.pool().acquire().await?;
                outlooks::postpone(&mut db, account_id, until.into()).await?;
            }
        }
    }
    Ok(())
}

/// Computes one outlook if it is due, and commits it with everything that follows from it: the generation to push, the job
/// that pushes it, and the warnings. The snapshot is the transaction's own: what changes meanwhile touches the outlook
/// again, and must wait for this to end.
async fn account(backend: &Backend, account_id: AccountId) -> Result<(), Broken> {
    let mut tx = backend
        .pool()
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await?;
    let live = live::read(backend, &mut tx, account_id).await?;
    let Some(before) = outlooks::take(&mut tx, account_id, live.feed.as_of).await? else {
        return Ok(());
    };
    let figures = figures(&mut tx, account_id, live.feed.as_of.into(), live.book).await?;
    let present = figures.present();
    let zero = outlook::zero(&present)?;
    let standing = standing(&before, &figures, zero);
    let wanted = alerts::wanted(&mut tx, account_id).await?;
    let ahead = next_due(&figures, &standing, &wanted)?;
    let now = backend.clock().now();
    let computed = Outlook {
        computed_at: live.feed.as_of,
        rate: figures.per_hour(),
        zero: zero.map(|zero| (zero.at.into(), zero.cause)),
        epoch: standing.epoch,
        base: standing.base,
    };
    outlooks::put(&mut tx, account_id, &computed, ahead.into()).await?;
    if let Some(run_until) = moved(before.run_until, zero, figures.as_of) {
        let generation = accounts::set_run_until(&mut tx, account_id, run_until).await?;
        push_tenant::enqueue(&mut tx, account_id, generation, now).await?;
    }
    alerts::raise(&mut tx, account_id, &standing, &wanted, now).await?;
    Ok(tx.commit().await?)
}

/// What the orchestrator must be told instead of `told`; none when it knows already. An account that is at its end and
/// stays there keeps the moment at which it came: a new one each time would only be noise.
fn moved(
    told: Option<OffsetDateTime>,
    zero: Option<Zero>,
    as_of: Moment,
) -> Option<Option<OffsetDateTime>> {
    let told_moment = told.map(Moment::from);
    let stays = matches!((told_moment, zero), (Some(told), Some(zero)) if told <= as_of && zero.at <= as_of);
    let wanted = zero.map(|zero| zero.at);
    (!stays && wanted != told_moment).then(|| wanted.map(Into::into))
}

/// The figures of an account, exact up to one moment.
struct Figures {
    as_of: Moment,
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
    fn present(&self) -> Present<'_> {
        Present {
            as_of: self.as_of,
            grants: &self.grants,
            running: &self.running,
            book: &self.book,
            limit: self.limit,
        }
    }

    fn per_hour(&self) -> Ticks {
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
async fn figures(
    db: &mut PgConnection,
    account_id: AccountId,
    settled: Moment,
    book: Vec<Price>,
) -> Result<Figures, Broken> {
    let rows = sandboxes::running(db, account_id).await?;
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

fn standing(before: &Before, figures: &Figures, zero: Option<Zero>) -> Standing {
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
fn next_due(
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

#[cfg(test)]
mod tests {
    use domain::outlook::Cause;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_orchestrator_is_told_of_changes_and_of_nothing_else() {
        let noon = datetime!(2026-11-24 12:00 UTC);
        let as_of = Moment::from(noon);
        let zero = |ms: i64| {
            Some(Zero {
                at: as_of.plus_ms(ms),
                cause: Cause::Credit,
            })
        };
        let told = |ms: i64| Some(OffsetDateTime::from(as_of.plus_ms(ms)));
        assert_eq!(moved(None, None, as_of), None);
        assert_eq!(moved(None, zero(5_000), as_of), Some(told(5_000)));
        assert_eq!(moved(told(5_000), zero(5_000), as_of), None);
        assert_eq!(moved(told(5_000), zero(4_000), as_of), Some(told(4_000)));
        assert_eq!(moved(told(5_000), None, as_of), Some(None));
        assert_eq!(
            moved(None, zero(0), as_of),
            Some(told(0)),
            "no credit at all"
        );
        assert_eq!(
            moved(told(-9_000), zero(0), as_of),
            None,
            "at its end and stays there"
        );
        assert_eq!(
            moved(told(-9_000), zero(1), as_of),
            Some(told(1)),
            "credit came"
        );
    }
}
