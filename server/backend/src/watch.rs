//! Watching accounts: a forecast that is due is computed, the orchestrator is told when it ends, and warnings are raised,
//! all in one transaction. What the moment is decides `domain::forecast`; which warnings follow, `alerts`.

use crate::alerts::raise;
use crate::credit::standing::Standing;
use crate::forecast::{self, Figures, Forecast, next_due, standing};
use domain::ceilings::FORECASTS_PER_ROUND;
use domain::forecast::Zero;
use domain::id::AccountId;
use domain::moment::Moment;
use time::OffsetDateTime;

use crate::Backend;
use crate::accounts::{self, tenant::PushTenant};
use crate::failure::Broken;
use crate::metering::feed;
use crate::metering::{FEED, live};
use crate::queue;

/// How long a forecast that cannot be computed is put off, in milliseconds of the feed.
pub(crate) const POSTPONED_MS: i64 = 60_000;

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
        match account(backend, account_id).await {
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
pub(crate) async fn account(backend: &Backend, account_id: AccountId) -> Result<(), Broken> {
    let mut tx = backend
        .pool()
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await?;
    let live = live::read(backend, &mut tx, account_id).await?;
    let Some(before) = forecast::take(&mut tx, account_id, live.feed.as_of).await? else {
        return Ok(());
    };
    let settled_at = live.feed.as_of;
    let figures = Figures::of(Standing::read(&mut tx, account_id, live).await?);
    let zero = figures.zero()?;
    let standing = standing(&before, &figures, zero);
    let wanted = raise::wanted(&mut tx, account_id).await?;
    let ahead = next_due(&figures, &standing, &wanted)?;
    let now = backend.clock().now();
    let computed = Forecast {
        computed_at: settled_at,
        rate: figures.per_hour(),
        zero: zero.map(|zero| (zero.at.into(), zero.cause)),
        epoch: standing.epoch,
        base: standing.base,
    };
    forecast::put(&mut tx, account_id, &computed, ahead.into()).await?;
    if let Some(run_until) = moved(before.run_until, zero, figures.as_of()) {
        let generation = accounts::set_run_until(&mut tx, account_id, run_until).await?;
        let job = PushTenant {
            account_id,
            generation,
        };
        queue::enqueue(&mut tx, account_id, &job, now).await?;
    }
    raise::raise(&mut tx, account_id, &standing, &wanted, now).await?;
    Ok(tx.commit().await?)
}

/// What the orchestrator must be told instead of `told`; none when it knows already. An account that is at its end and
/// stays there keeps the moment at which it came: a new one each time would only be noise.
pub(crate) fn moved(
    told: Option<OffsetDateTime>,
    zero: Option<Zero>,
    as_of: Moment,
) -> Option<Option<OffsetDateTime>> {
    let told_moment = told.map(Moment::from);
    let stays = matches!((told_moment, zero), (Some(told), Some(zero)) if told <= as_of && zero.at <= as_of);
    let wanted = zero.map(|zero| zero.at);
    (!stays && wanted != told_moment).then(|| wanted.map(Into::into))
}

#[cfg(test)]
mod tests {
    use domain::forecast::Cause;
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
