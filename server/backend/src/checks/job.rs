//! One turn of a check. Safe to run twice: a check only compares, and what it finds is one row per finding however often it
//! is found; the place it goes on from is written after the work.

use serde::{Deserialize, Serialize};

use crate::Backend;
use crate::checks::{self, Round};
use crate::queue::lane::Lane;
use crate::queue::{Job, JobError, LeasedJob, schedules};

/// One turn of one round.
#[derive(Serialize, Deserialize)]
pub struct Check {
    /// The stored name of the round.
    pub round: String,
}

impl Job for Check {
    const NAME: &'static str = "check";
    const LANE: Lane = Lane::Upkeep;

    fn unique_key(&self) -> String {
        format!("check:{}", self.round)
    }

    async fn run(self, backend: &Backend, _: &LeasedJob) -> Result<(), JobError> {
        let round = Round::parse(&self.round).ok_or(JobError::Fail("payload"))?;
        let mut db = backend.pool().acquire().await?;
        let place = schedules::place(&mut db, round.as_str()).await?;
        drop(db);
        let next = checks::turn(backend, round, &place).await?;
        let mut db = backend.pool().acquire().await?;
        let now = backend.clock().now();
        schedules::set_place(&mut db, round.as_str(), &next.text, next.more, now).await?;
        metrics::counter!("checks_turns_total", "round" => round.as_str()).increment(1);
        Ok(())
    }
}
