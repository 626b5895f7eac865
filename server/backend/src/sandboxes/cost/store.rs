//! The running intervals of one sandbox and the incidents inside them, for the page that writes them out. The fold that
//! stores intervals is `sandboxes`'.

use domain::id::{AccountId, GrantId};
use domain::interval::Interval;
use domain::sandbox::SandboxId;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::db::moment;
use crate::failure::Broken;

/// Intervals of a sandbox before `before`, newest first, with their numbers from 0; at most `limit`.
pub(super) async fn newest(
    db: &mut PgConnection,
    account_id: AccountId,
    sandbox_id: &SandboxId,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<(i32, Interval)>, Broken> {
    let rows = sqlx::query!(
        "SELECT ordinal, started_at, ended_at FROM intervals
         WHERE account_id = $1 AND sandbox_id = $2 AND ($3::integer IS NULL OR ordinal < $3)
         ORDER BY ordinal DESC LIMIT $4",
        account_id.0,
        sandbox_id.as_str(),
        before,
        limit
    )
    .fetch_all(db)
    .await?;
    let read = rows.into_iter().map(|row| {
        let interval = Interval {
            started_at: moment(row.started_at),
            ended_at: row.ended_at.map(moment),
        };
        (row.ordinal, interval)
    });
    Ok(read.collect())
}

/// A stretch in which the orchestrator had lost the sandbox.
pub(super) struct IncidentRow {
    /// When it was lost.
    pub started_at: OffsetDateTime,
    /// When it was found again or ended.
    pub ended_at: OffsetDateTime,
    pub billed_ms: i64,
    pub ticks: Decimal,
    /// The grant that gave it back.
    pub grant_id: Option<GrantId>,
}

/// Incidents of a sandbox, newest first; at most 50.
pub(super) async fn incidents(
    db: &mut PgConnection,
    account_id: AccountId,
    sandbox_id: &SandboxId,
) -> Result<Vec<IncidentRow>, Broken> {
    let rows = sqlx::query!(
        "SELECT started_at, ended_at, billed_ms, ticks, grant_id FROM incidents
         WHERE account_id = $1 AND sandbox_id = $2 ORDER BY started_at DESC LIMIT 50",
        account_id.0,
        sandbox_id.as_str()
    )
    .fetch_all(db)
    .await?;
    let read = rows.into_iter().map(|row| IncidentRow {
        started_at: row.started_at,
        ended_at: row.ended_at,
        billed_ms: row.billed_ms,
        ticks: row.ticks,
        grant_id: row.grant_id.map(Into::into),
    });
    Ok(read.collect())
}
