//! Seals ledger days that are over: a link of the chain per UTC day. Safe to run twice: the same day makes
//! the same link, and a sealed day is not sealed again.

use serde::{Deserialize, Serialize};
use time::{Date, Duration, OffsetDateTime};

use crate::Backend;
use crate::failure::Broken;
use crate::findings;
use crate::ledger::chain::{self, store};
use crate::queue::lane::Lane;
use crate::queue::{Job, JobError, LeasedJob};

/// How long after its end a day is sealed: no transaction that stamped a transfer in it is still open by far.
const AFTER: Duration = Duration::HOUR;
/// Days sealed in one turn; the next turn goes on.
const DAYS_PER_TURN: usize = 31;

/// Seals every day that is over.
#[derive(Serialize, Deserialize)]
pub struct SealDay {}

impl Job for SealDay {
    const NAME: &'static str = "seal-day";
    const LANE: Lane = Lane::Upkeep;

    fn unique_key(&self) -> String {
        "seal-day:seal-day".to_owned()
    }

    async fn run(self, backend: &Backend, _: &LeasedJob) -> Result<(), JobError> {
        let now = backend.clock().now();
        let over = (now - AFTER).date();
        for _ in 0..DAYS_PER_TURN {
            if !seal_next(backend, over, now).await? {
                break;
            }
        }
        Ok(())
    }
}

/// Seals the day after the last sealed one, if it is before `over`; false when there is none, or when the last one is gone.
async fn seal_next(backend: &Backend, over: Date, now: OffsetDateTime) -> Result<bool, Broken> {
    let mut tx = backend.pool().begin().await?;
    let (head, last) = (store::head(&mut tx).await?, store::last(&mut tx).await?);
    if let Some(found) = chain::torn(head.as_ref(), last.as_ref()) {
        // Sealed anew, the day would say what the transfers are now and hide what they were.
        findings::raise(&mut tx, chain::NAME, &[found], now).await?;
        tx.commit().await?;
        return Ok(false);
    }
    let (day, previous) = match last {
        Some(last) => (last.day.next_day(), last.sha256),
        None => (store::first_booked(&mut tx).await?, chain::GENESIS.to_vec()),
    };
    let Some(day) = day.filter(|day| *day < over) else {
        return Ok(false);
    };
    let link = chain::link(&mut tx, day, &previous).await?;
    store::insert(&mut tx, &link, now).await?;
    // Said before it is committed: after a crash in between it is said twice, and never not at all.
    tracing::info!(
        target: "ledger_seal",
        day = %link.day,
        transfers = link.transfers,
        ticks = %link.ticks,
        previous = chain::hex(&link.previous),
        sha256 = chain::hex(&link.sha256),
        "ledger day sealed"
    );
    tx.commit().await?;
    Ok(true)
}
