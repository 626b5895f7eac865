//! Recurring work: what, and how often. Each due turn becomes one job, whichever replica is first; the job's key names the
//! work and not the turn, so a turn that still runs or waits for another try is not overtaken by the next.

use serde_json::json;

use crate::Backend;
use crate::checks::Round;
use crate::failure::Broken;
use crate::queue::store::NewJob;
use crate::queue::{Kind, schedules, store as jobs};

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;

/// How often a round of a check begins, in seconds (reference/billing.md 1.13).
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
        let payload = json!({ "round": round.as_str() });
        enqueue(
            backend,
            Kind::Check,
            round.as_str(),
            payload,
            period_s(round),
        )
        .await?;
    }
    // Both look hourly at work of a day and a month: cheap, and what a stop delayed is made up for within the hour.
    enqueue(backend, Kind::SealDay, "seal-day", json!({}), HOUR_S).await?;
    enqueue(backend, Kind::CloseMonth, "close-month", json!({}), HOUR_S).await
}

async fn enqueue(
    backend: &Backend,
    kind: Kind,
    name: &str,
    payload: serde_json::Value,
    period_s: i64,
) -> Result<(), Broken> {
    let now = backend.clock().now();
    let unique_key = format!("{}:{name}", kind.as_str());
    let mut tx = backend.pool().begin().await?;
    if schedules::claim(&mut tx, name, &unique_key, period_s, now).await? {
        let job = NewJob {
            kind: kind.as_str(),
            account_id: None,
            payload,
            unique_key,
        };
        jobs::enqueue(&mut tx, &job, now).await?;
    }
    Ok(tx.commit().await?)
}
