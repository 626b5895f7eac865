//! The background work of a process: pull the feed, settle, run jobs, reap lost leases, sweep what is over. Each loop is
//! supervised: an error is logged and the loop goes on; nothing but a stop ends it.

use crate::registry::KINDS;
use crate::watch;
use std::time::Duration;

use domain::ceilings::{SIGN_IN_FAILURES_HOURS, TARGET_DAYS};
use tokio_util::sync::CancellationToken;

use crate::authority::sessions;
use crate::failure::Broken;
use crate::identity::sign_in;
use crate::metering::feed;
use crate::metering::feed::pull::{self, Pulled};
use crate::metering::feed::recheck;
use crate::metering::{meters, settle};
use crate::queue::lane::{Lane, Running};
use crate::queue::{self, runner};
use crate::{Backend, answers, checks, findings, schedule, sign_up, targets};

/// How often the feed is asked; with settling beside it, a new sandbox shows within two seconds.
const PULL_EVERY: Duration = Duration::from_secs(1);
/// How often due forecasts are looked for: what changes an account is with the orchestrator within half a second.
const FORECAST_EVERY: Duration = Duration::from_millis(250);
/// How often it is looked who is to be settled; pulling runs beside it and never waits.
const SETTLE_EVERY: Duration = Duration::from_millis(500);
/// How often due jobs are looked for.
const CLAIM_EVERY: Duration = Duration::from_millis(250);
/// How often lost leases are freed: after it, a job whose worker died runs again.
const REAP_EVERY: Duration = Duration::from_secs(10);
/// How often what is over is deleted.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How often recurring work is looked for; its shortest period is five minutes.
const SCHEDULE_EVERY: Duration = Duration::from_secs(5);
/// How long running jobs may take to end at a stop; their leases cover the rest.
const DRAIN: Duration = Duration::from_secs(20);
/// Pages pulled in a row before the loop looks whether it shall stop.
const PAGES_PER_PULL_MAX: usize = 10;
/// Rounds of settling in a row before the loop looks whether it shall stop.
const ROUNDS_PER_TURN_MAX: usize = 20;
/// Rows deleted at once by a sweep.
const SWEEP_ROWS: i64 = 1_000;
/// Answers of forms deleted at once: as many as are kept in a minute by a busy site, so that they never pile up.
const SWEEP_ANSWERS: i64 = 10_000;
/// Days that finished jobs stay for looking at.
const FINISHED_JOB_DAYS: i32 = 30;

/// Works until `stop`, then lets running jobs end.
pub async fn run(backend: Backend, stop: CancellationToken) {
    tokio::join!(
        every(FORECAST_EVERY, &stop, "outlook", || watch::round(&backend)),
        every(PULL_EVERY, &stop, "pull", || pull_pages(&backend)),
        every(SETTLE_EVERY, &stop, "settle", || settle_rounds(&backend)),
        work(&backend, &stop),
        every(REAP_EVERY, &stop, "reap", || reap(&backend)),
        every(SWEEP_EVERY, &stop, "sweep", || sweep(&backend)),
        every(SCHEDULE_EVERY, &stop, "schedule", || schedule::turn(
            &backend
        )),
    );
}

/// Calls `turn` again and again until the stop; waits `period` between turns and logs what breaks.
async fn every<F: Future<Output = Result<(), Broken>>>(
    period: Duration,
    stop: &CancellationToken,
    name: &'static str,
    turn: impl Fn() -> F,
) {
    while !stop.is_cancelled() {
        if let Err(broken) = turn().await {
            tracing::error!(worker = name, cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "turn broke; the loop goes on");
            metrics::counter!("worker_turns_broken_total", "worker" => name).increment(1);
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(period) => {}
        }
    }
}

/// Pulls what is there, then settles who is behind: what the two loops do side by side, in one turn.
///
/// # Errors
/// When the database fails.
pub async fn meter(backend: &Backend) -> Result<(), Broken> {
    pull_pages(backend).await?;
    settle_rounds(backend).await
}

async fn pull_pages(backend: &Backend) -> Result<(), Broken> {
    for _ in 0..PAGES_PER_PULL_MAX {
        match pull::pull(backend).await? {
            Pulled::Stored { more: true, .. } => {}
            Pulled::Stored { more: false, .. } | Pulled::Stopped | Pulled::Raced => break,
            Pulled::Unanswered(error) => {
                tracing::warn!(%error, "feed not pulled; will ask again");
                metrics::counter!("feed_unanswered_total").increment(1);
                break;
            }
        }
    }
    Ok(())
}

async fn settle_rounds(backend: &Backend) -> Result<(), Broken> {
    // Bounded: each round settles some, and an account that breaks is put off for a minute.
    for _ in 0..ROUNDS_PER_TURN_MAX {
        if settle::round(backend).await? == 0 {
            break;
        }
    }
    Ok(())
}

async fn work(backend: &Backend, stop: &CancellationToken) {
    let mut running = Running::default();
    while !stop.is_cancelled() {
        let started = runner::claim(KINDS, backend, &mut running)
            .await
            .unwrap_or_else(|broken| {
                tracing::error!(worker = "jobs", cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "claim broke; the loop goes on");
                0
            });
        if started == 0 {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(CLAIM_EVERY) => {}
            }
        }
    }
    let drained = tokio::time::timeout(DRAIN, running.end()).await;
    if drained.is_err() {
        tracing::warn!(
            left = running.len(),
            "jobs did not end in time; their leases run out"
        );
    }
}

async fn reap(backend: &Backend) -> Result<(), Broken> {
    let mut db = backend.pool().acquire().await?;
    let (freed, dead) = queue::reap(&mut db, runner::ATTEMPTS_MAX).await?;
    if freed + dead > 0 {
        tracing::warn!(freed, dead, "leases ran out");
        metrics::counter!("jobs_leases_lost_total").increment(u64::try_from(freed + dead)?);
    }
    let depth = queue::depth(&mut db).await?;
    gauge("jobs_live", depth.live);
    gauge("jobs_dead", depth.dead);
    let oldest = queue::oldest_due(&mut db).await?;
    for lane in Lane::ALL {
        let age = oldest.iter().find(|(word, _)| word == lane.as_str());
        let age = i32::try_from(age.map_or(0, |(_, age)| *age)).unwrap_or(i32::MAX);
        metrics::gauge!("jobs_oldest_due_seconds", "lane" => lane.as_str()).set(age);
    }
    let feeds = feed::log::alarms(&mut db).await?;
    gauge("feed_events_set_aside", feeds.aside);
    gauge("feeds_stopped", feeds.stopped);
    gauge("feed_failures_in_a_row", i64::from(feeds.failures));
    gauge(
        "accounts_settling_failed",
        meters::count_failed(&mut db).await?,
    );
    let open = findings::count_open(&mut db).await?;
    for check in checks::NAMES {
        let count = open.iter().find(|(name, _)| name == check);
        let count = i32::try_from(count.map_or(0, |(_, count)| *count)).unwrap_or(i32::MAX);
        metrics::gauge!("findings_open", "check" => check).set(count);
    }
    gauge("database_connections", i64::from(backend.pool().size()));
    Ok(())
}

/// Sets a gauge. The metrics crate takes floats; counts stay far below 2^53, so nothing is lost.
fn gauge(name: &'static str, value: i64) {
    metrics::gauge!(name).set(i32::try_from(value).unwrap_or(i32::MAX));
}

/// Deletes what is over, some at a time.
pub(crate) async fn sweep(backend: &Backend) -> Result<(), Broken> {
    let now = backend.clock().now();
    let mut db = backend.pool().acquire().await?;
    sessions::delete_expired(backend, now, SWEEP_ROWS).await?;
    sign_up::delete_ended(&mut db, now, SWEEP_ROWS).await?;
    let at_rest = now - time::Duration::hours(SIGN_IN_FAILURES_HOURS);
    sign_in::delete_at_rest(&mut db, at_rest, SWEEP_ROWS).await?;
    queue::delete_finished(&mut db, FINISHED_JOB_DAYS, SWEEP_ROWS).await?;
    let counted = now - time::Duration::days(TARGET_DAYS);
    targets::delete_uses(&mut db, counted, SWEEP_ROWS).await?;
    targets::delete_at_rest(&mut db, counted, SWEEP_ROWS).await?;
    answers::delete_ended(&mut db, now, SWEEP_ANSWERS).await?;
    drop(db);
    recheck::recheck(backend).await?;
    Ok(())
}
