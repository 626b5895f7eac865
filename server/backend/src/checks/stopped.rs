//! R7: who is past the moment that the orchestrator was told runs nothing, and who runs has credit. By the feed's settled
//! time, with some grace, because a push and the hibernation it causes come a moment after what they follow from.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::Backend;
use crate::authority::view::snapshot;
use crate::checks::store::{self, ledger::RunningRow};
use crate::failure::Broken;
use crate::findings::{self, Finding, Scope};
use crate::metering::FEED;
use crate::metering::feed;
use crate::queue::turn::{Place, next};

const NAME: &str = "r7";
/// How long past its end something may be seen to run: pushes leave within seconds, and are tried for a day.
const GRACE: Duration = Duration::minutes(2);
/// Running accounts looked at in one turn.
const ACCOUNTS: i64 = 1_000;

/// A bounded number of running accounts.
pub(super) async fn turn(backend: &Backend, place: &str) -> Result<Place, Broken> {
    let after = Uuid::parse_str(place).unwrap_or_default();
    let mut tx = snapshot(backend).await?;
    let cursor = feed::log::peek(&mut tx, FEED).await?;
    let Some(as_of) = cursor.and_then(|cursor| cursor.settled_at) else {
        return Ok(Place::default());
    };
    let rows = store::ledger::running(&mut tx, after, as_of - GRACE, ACCOUNTS).await?;
    tx.commit().await?;
    let now = backend.clock().now();
    let mut db = backend.pool().acquire().await?;
    for row in &rows {
        let found: Vec<Finding> = judge(row, as_of).into_iter().collect();
        let report = (Scope::Whole, found.as_slice());
        findings::report(&mut db, NAME, Some(row.account_id), report, now).await?;
    }
    // Findings of accounts in which nothing runs any more are over.
    for (account_id, _) in findings::open(&mut db, NAME, ACCOUNTS).await? {
        let runs = rows.iter().any(|row| Some(row.account_id) == account_id);
        let beyond = account_id.is_none_or(|id| id.0 <= after)
            || (i64::try_from(rows.len())? == ACCOUNTS
                && rows
                    .last()
                    .is_some_and(|last| account_id > Some(last.account_id)));
        if !runs && !beyond {
            findings::report(&mut db, NAME, account_id, (Scope::Whole, &[]), now).await?;
        }
    }
    let accounts: Vec<_> = rows.iter().map(|row| row.account_id).collect();
    Ok(next(&accounts, ACCOUNTS))
}

fn judge(row: &RunningRow, as_of: OffsetDateTime) -> Option<Finding> {
    let is_over = |at: Option<OffsetDateTime>| at.is_some_and(|at| at + GRACE <= as_of);
    let (fault, end) = if is_over(row.run_until) {
        ("runs_past_end", row.run_until)
    } else if is_over(row.zero_at) || (!row.credit.is_positive() && row.started_at + GRACE <= as_of)
    {
        ("runs_without_credit", row.zero_at)
    } else {
        return None;
    };
    Some(Finding {
        account_id: Some(row.account_id),
        fault,
        subject: row.account_id.to_string(),
        expected: end.map_or_else(
            || "nothing runs".to_owned(),
            |end| format!("nothing runs from {end}"),
        ),
        found: format!("runs since {}, credit {} ticks", row.started_at, row.credit),
    })
}
