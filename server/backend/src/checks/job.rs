//! One turn of a check. Safe to run twice: a check only compares, and what it finds is one row per finding however often it
//! is found; the place it goes on from is written after the work.

use serde_json::Value;

use crate::Backend;
use crate::checks::{self, Round};
use crate::queue::store::LeasedJob;
use crate::queue::{Trouble, schedules};

pub(crate) async fn run(backend: &Backend, job: &LeasedJob) -> Result<(), Trouble> {
    let name = job.payload.get("round").and_then(Value::as_str);
    let round = name
        .and_then(Round::parse)
        .ok_or(Trouble::Fail("payload"))?;
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
