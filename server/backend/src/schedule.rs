//! Recurring work: what, and how often. Each due turn becomes one job, whichever replica is first; the job's key names the
//! work and not the turn, so a turn that still runs or waits for another try is not overtaken by the next.

use crate::Backend;
use crate::checks::Round;
use crate::checks::job::Check;
use crate::failure::Broken;
use crate::ledger::chain::seal::SealDay;
use crate::metering::months::CloseMonth;
use crate::queue::{self, Job, schedules};

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;

/// How often a round of a check begins, in seconds. The live list and stopped accounts are looked at often, because what
/// they find costs somebody money by the minute; what walks everything runs once a week.
const fn period_s(round: Round) -> i64 {
    match round {
        Round::LiveList | Round::Stopped => 5 * MINUTE_S,
        Round::FoldTouched | Round::RatedTouched | Round::Hours => HOUR_S,
        Round::Ledger | Round::Chain => DAY_S,
        Round::FoldAll | Round::HoursAll => 7 * DAY_S,
    }
}

/// Turns what is due into jobs.
///
/// # Errors
/// When the database fails.
pub async fn turn(backend: &Backend) -> Result<(), Broken> {
    for round in Round::ALL {
        let name = round.as_str();
        let check = Check {
            round: name.to_owned(),
        };
        enqueue(backend, name, &check, period_s(round)).await?;
    }
    // Both look hourly at work of a day and a month: cheap, and what a stop delayed is made up for within the hour.
    enqueue(backend, SealDay::NAME, &SealDay {}, HOUR_S).await?;
    enqueue(backend, CloseMonth::NAME, &CloseMonth {}, HOUR_S).await
}

async fn enqueue<J: Job>(
    backend: &Backend,
    name: &str,
    job: &J,
    period_s: i64,
) -> Result<(), Broken> {
    let now = backend.clock().now();
    let mut tx = backend.pool().begin().await?;
    if schedules::claim(&mut tx, name, &job.unique_key(), period_s, now).await? {
        queue::enqueue(&mut tx, None, job, now).await?;
    }
    Ok(tx.commit().await?)
}
