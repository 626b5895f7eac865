//! Watching accounts: a forecast that is due is computed, the orchestrator is told when it ends, and warnings are raised,
//! all in one transaction. What the moment is decides `domain::forecast`; which warnings follow, `alerts`.

use crate::alerts::raise;
use crate::credit::standing::Standing;
use crate::forecast::{self, Figures, Forecast, allowance, next_due, standing};
use domain::alert;
use domain::ceilings::FORECASTS_PER_ROUND;
use domain::feed::StopReason;
use domain::forecast::{Cause, Limit, Zero, month_start, next_month};
use domain::id::AccountId;
use domain::moment::Moment;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Backend;
use crate::accounts::{self, Told, tenant::PushTenant};
use crate::failure::Broken;
use crate::metering::feed;
use crate::metering::{FEED, live, running};
use crate::queue;
use crate::usage;

/// How long a forecast that cannot be computed is put off, in milliseconds of the feed.
pub(crate) const POSTPONED_MS: i64 = 60_000;

/// Months that are looked back at after a time in which nothing was computed.
const MONTHS_MISSED_MAX: usize = 12;

/// Computes every forecast that is due, a bounded number, each in a transaction of its own. One that breaks is put off and
/// does not hold up the others.
///
/// # Errors
/// When the database cannot be asked which are due.
#[tracing::instrument(skip_all, name = "watch.round")]
pub async fn round(backend: &Backend) -> Result<(), Broken> {
    let mut db = backend.pool().acquire().await?;
    let settled_at = feed::log::peek(&mut db, FEED)
        .await?
        .and_then(|cursor| cursor.settled_at);
    // Before the first answer nothing can have run, so now is as true as any moment.
    let as_of = settled_at.unwrap_or_else(|| backend.clock().now());
    let due = forecast::due(&mut db, as_of, FORECASTS_PER_ROUND).await?;
    drop(db);
    for account_id in due {
        match account(backend, account_id, as_of).await {
            Ok(()) => {}
            Err(broken) if broken.is_race() => {
                metrics::counter!("outlooks_raced_total").increment(1);
            }
            Err(broken) => {
                tracing::error!(account.id = %account_id, cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "forecast broke; other accounts go on");
                metrics::counter!("outlooks_broken_total").increment(1);
                let until = Moment::from(as_of).plus_ms(POSTPONED_MS);
                let mut db = backend.pool().acquire().await?;
                forecast::postpone(&mut db, account_id, until.into()).await?;
            }
        }
    }
    Ok(())
}

/// Computes one forecast if it is due, and commits it with everything that follows from it: the generation to push, the job
/// that pushes it, and the warnings. The snapshot is the transaction's own: what changes meanwhile touches the forecast
/// again, and must wait for this to end.
async fn account(
    backend: &Backend,
    account_id: AccountId,
    feed_at: OffsetDateTime,
) -> Result<(), Broken> {
    let mut tx = backend
        .pool()
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await?;
    let live = live::read(backend, &mut tx, account_id).await?;
    let settled_at = live.feed.as_of;
    let Some(before) = forecast::take(&mut tx, account_id, settled_at.max(feed_at)).await? else {
        return Ok(());
    };
    let figures = Figures::of(Standing::read(&mut tx, account_id, live).await?);
    let zero = figures.zero()?;
    let standing = standing(&before, &figures, zero);
    let wanted = raise::wanted(&mut tx, account_id).await?;
    let mut ahead = next_due(&figures, &standing, &wanted)?;
    if settled_at < feed_at {
        // Its settling is broken and its figures stand still: what was due before is due at every look.
        ahead = ahead.max(Moment::from(feed_at).plus_ms(POSTPONED_MS));
    }
    let now = backend.clock().now();
    let computed = Forecast {
        computed_at: settled_at,
        rate: figures.per_hour(),
        zero: zero.map(|zero| (zero.at.into(), zero.cause)),
        epoch: standing.epoch,
        base: standing.base,
    };
    forecast::put(&mut tx, account_id, &computed, ahead.into()).await?;
    let (allowance, basis) = allowance::of(&figures)?;
    let end = moved(before.told, zero, figures.as_of());
    if end.is_some() || before.basis.as_deref() != Some(&basis) {
        let end = match end.unwrap_or(before.told) {
            Some(end) if end.at <= figures.as_of() && Some(end) != before.told => {
                Some(came(&mut tx, account_id, end, before.computed_at).await?)
            }
            told => told,
        };
        let told = Told {
            end: end.map(|end| (end.at.into(), end.cause)),
            allowance,
            basis,
        };
        let generation = accounts::tell(&mut tx, account_id, &told).await?;
        let job = PushTenant {
            account_id,
            generation,
        };
        queue::enqueue(&mut tx, account_id, &job, now).await?;
    }
    let missed = missed(
        &mut tx,
        account_id,
        (before.computed_at, &standing),
        &wanted,
    )
    .await?;
    raise::raise(&mut tx, account_id, &standing, (&wanted, &missed), now).await?;
    Ok(tx.commit().await?)
}

/// Limits reached in months that have ended since a forecast was last computed: nobody was there to warn of them.
async fn missed(
    db: &mut PgConnection,
    account_id: AccountId,
    (computed_at, standing): (Option<OffsetDateTime>, &alert::Standing),
    wanted: &alert::Wanted,
) -> Result<Vec<alert::Alert>, Broken> {
    let (Some(limit), Some(computed_at)) = (standing.limit, computed_at) else {
        return Ok(Vec::new());
    };
    let mut missed = Vec::new();
    let mut month = month_start(computed_at.into());
    for _ in 0..MONTHS_MISSED_MAX {
        if month >= month_start(standing.as_of) {
            break;
        }
        let next = next_month(month);
        let spent = usage::days::between(db, account_id, month, next).await?;
        missed.extend(alert::missed(Limit { spent, ..limit }, month, wanted));
        month = next;
    }
    Ok(missed)
}

/// The moment at which an account came to its end, where sandboxes tell it: what we were not there to compute shows only later,
/// and pages say when everything stopped.
async fn came(
    db: &mut PgConnection,
    account_id: AccountId,
    end: Zero,
    computed_at: Option<OffsetDateTime>,
) -> Result<Zero, Broken> {
    let reason = match end.cause {
        Cause::Credit => StopReason::Credit,
        Cause::Limit => StopReason::Limit,
    };
    let after = computed_at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let stopped = running::last_stop(db, account_id, reason, after).await?;
    let at = stopped.map_or(end.at, |at| Moment::from(at).min(end.at));
    Ok(Zero { at, ..end })
}

/// What the orchestrator must be told instead of `told`; none when it knows already. An account that is at its end and
/// stays there keeps the moment at which it came: a new one each time would only be noise.
fn moved(told: Option<Zero>, zero: Option<Zero>, as_of: Moment) -> Option<Option<Zero>> {
    let stays = matches!((told, zero), (Some(told), Some(zero))
        if told.cause == zero.cause && told.at <= as_of && zero.at <= as_of);
    (!stays && zero != told).then_some(zero)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_orchestrator_is_told_of_changes_and_of_nothing_else() {
        let as_of = Moment::from_unix_ms(1_763_985_600_000);
        let end = |ms: i64, cause| {
            Some(Zero {
                at: as_of.plus_ms(ms),
                cause,
            })
        };
        let zero = |ms| end(ms, Cause::Credit);
        assert_eq!(moved(None, None, as_of), None);
        assert_eq!(moved(None, zero(5_000), as_of), Some(zero(5_000)));
        assert_eq!(moved(zero(5_000), zero(5_000), as_of), None);
        assert_eq!(moved(zero(5_000), zero(4_000), as_of), Some(zero(4_000)));
        assert_eq!(moved(zero(5_000), None, as_of), Some(None));
        assert_eq!(
            moved(None, zero(0), as_of),
            Some(zero(0)),
            "no credit at all"
        );
        assert_eq!(
            moved(zero(-9_000), zero(0), as_of),
            None,
            "at its end and stays there"
        );
        assert_eq!(
            moved(zero(-9_000), zero(1), as_of),
            Some(zero(1)),
            "credit came"
        );
        let limit = end(5_000, Cause::Limit);
        assert_eq!(
            moved(zero(5_000), limit, as_of),
            Some(limit),
            "the same moment for another reason is said otherwise"
        );
    }
}
