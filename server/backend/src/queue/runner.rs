//! Runs leased jobs: claim, heartbeat, finish or retry or bury. No transaction is held while a job works.
//! What a job does and when it is enqueued is its subject's.

use std::time::Duration;

use crate::failure::Broken;
use crate::queue::lane::{Lane, Running};
use crate::queue::store::{self, LeasedJob};
use crate::queue::{JobError, Kind, run};
use crate::{Backend, random};

/// Seconds of a lease, renewed at a third of it. Short, so that a worker's death delays what it held, a key's push say,
/// by no more than half a minute; losing one early is harmless, because every write carries its token.
const LEASE_S: i32 = 20;
/// Attempts before the dead list: with the back-off below about 24 hours, longer than any outage we plan for.
pub(crate) const ATTEMPTS_MAX: i32 = 40;

/// Claims what is due and starts it, in each lane up to its slots. Gives how many were started.
pub(crate) async fn claim(
    kinds: &'static [Kind],
    backend: &Backend,
    running: &mut Running,
) -> Result<usize, Broken> {
    let mut db = backend.pool().acquire().await?;
    let mut count = 0;
    for (lane, running, free) in running.with_room() {
        let free = i64::try_from(free)?;
        let claimed = match lane {
            Lane::Posts => store::claim_posts(&mut db, free, LEASE_S).await?,
            _ => store::claim(&mut db, lane, free, LEASE_S).await?,
        };
        count += claimed.len();
        for job in claimed {
            running.spawn(work(kinds, backend.clone(), job));
        }
    }
    Ok(count)
}

/// One attempt from claim to verdict. Runs in a task of its own, so a panic costs this attempt only: the lease runs out
/// and the reaper frees the job.
async fn work(kinds: &'static [Kind], backend: Backend, job: LeasedJob) {
    let verdict = tokio::select! {
        result = run(kinds, &backend, &job) => result,
        () = heartbeat(&backend, &job) => {
            tracing::warn!(job.id = %job.job_id, job.kind, "lease lost, attempt dropped");
            metrics::counter!("jobs_leases_lost_total").increment(1);
            return;
        }
    };
    if let Err(broken) = settle(&backend, &job, verdict).await {
        tracing::error!(job.id = %job.job_id, job.kind, cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "verdict not written; the reaper will free the job");
    }
}

/// Renews the lease while the job works; returns only when the lease is lost.
async fn heartbeat(backend: &Backend, job: &LeasedJob) {
    loop {
        tokio::time::sleep(Duration::from_secs(u64::from(LEASE_S.unsigned_abs()) / 3)).await;
        let renewed = async {
            let mut db = backend.pool().acquire().await?;
            store::extend(&mut db, job, LEASE_S).await
        };
        // A database that does not answer is no proof that the lease is lost; its own end decides.
        if matches!(renewed.await, Ok(false)) {
            return;
        }
    }
}

async fn settle(
    backend: &Backend,
    job: &LeasedJob,
    verdict: Result<(), JobError>,
) -> Result<(), Broken> {
    let mut db = backend.pool().acquire().await?;
    let (outcome, kept) = match verdict {
        Ok(()) => ("done", store::finish(&mut db, job).await?),
        Err(JobError::Fail(why)) => ("dead", store::bury(&mut db, job, why).await?),
        Err(JobError::Retry(why)) => retry(&mut db, job, why).await?,
        Err(JobError::Broken(broken)) => {
            tracing::error!(job.id = %job.job_id, job.kind, cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "job broke");
            retry(&mut db, job, "broken").await?
        }
    };
    if outcome == "dead" {
        tracing::error!(job.id = %job.job_id, job.kind, attempt = job.attempt, "job is dead; a person must look");
    }
    let outcome = if kept { outcome } else { "fenced" };
    metrics::counter!("jobs_attempts_total", "kind" => job.kind.clone(), "outcome" => outcome)
        .increment(1);
    Ok(())
}

async fn retry(
    db: &mut sqlx::PgConnection,
    job: &LeasedJob,
    why: &'static str,
) -> Result<(&'static str, bool), Broken> {
    if job.attempt >= ATTEMPTS_MAX {
        return Ok(("dead", store::bury(db, job, why).await?));
    }
    Ok((
        "retry",
        store::retry(db, job, why, backoff_ms(job.attempt)).await?,
    ))
}

/// Half a second at first, doubled each time up to an hour, and up to a quarter more at random.
fn backoff_ms(attempt: i32) -> i64 {
    let doublings = u32::try_from(attempt.clamp(1, 14) - 1).unwrap_or(0);
    let base = (500_i64 << doublings).min(3_600_000);
    base + random::jitter_ms(base / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_grows_to_an_hour_and_never_further() {
        assert!((500..=625).contains(&backoff_ms(1)));
        assert!((1_000..=1_250).contains(&backoff_ms(2)));
        assert!((3_600_000..=4_500_000).contains(&backoff_ms(ATTEMPTS_MAX)));
        let all: i64 = (1..ATTEMPTS_MAX)
            .map(|attempt| backoff_ms(attempt).min(3_600_000))
            .sum();
        assert!(
            all > 20 * 3_600_000,
            "an outage of most of a day is survived"
        );
    }
}
