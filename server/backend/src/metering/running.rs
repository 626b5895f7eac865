//! What runs now, as settling left it: the open intervals of an account. What it costs meanwhile is `live`'s.

use domain::feed::StopReason;
use domain::id::{AccountId, KeyId};
use domain::interval::Interval;
use domain::moment::Moment;
use domain::sandbox::{SandboxId, Size};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::db::moment;
use crate::failure::Broken;

/// Most running sandboxes of one account that are rated live; the orchestrator's own limit lies far below.
pub(crate) const OPEN_MAX: i64 = 10_000;

pub struct RunRow {
    pub sandbox_id: SandboxId,
    pub size: Size,
    pub key_id: Option<KeyId>,
    /// When its timer will destroy it, as far as its events know.
    pub destroy_at: Option<Moment>,
    pub interval: Interval,
}

/// Sandboxes of an account that run, with their open intervals.
pub(crate) async fn running(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Vec<RunRow>, Broken> {
    let rows = sqlx::query!(
        "SELECT i.sandbox_id, s.vcpus, s.mem_mib, s.key_id, s.destroy_at, i.started_at, i.ended_at
         FROM intervals AS i JOIN sandboxes AS s ON s.account_id = $1 AND s.sandbox_id = i.sandbox_id
         WHERE i.account_id = $1 AND i.ended_at IS NULL ORDER BY i.sandbox_id LIMIT $2",
        account_id.0,
        OPEN_MAX
    )
    .fetch_all(db)
    .await?;
    let broken = || Broken::new("stored interval cannot be read");
    rows.into_iter()
        .map(|row| {
            Ok(RunRow {
                sandbox_id: SandboxId::parse(&row.sandbox_id).ok_or_else(broken)?,
                size: Size::new(row.vcpus, row.mem_mib).ok_or_else(broken)?,
                key_id: row.key_id.map(Into::into),
                destroy_at: row.destroy_at.map(moment),
                interval: Interval {
                    started_at: moment(row.started_at),
                    ended_at: row.ended_at.map(moment),
                },
            })
        })
        .collect()
}

/// When a sandbox of the account was last hibernated for this reason, after a moment.
pub(crate) async fn last_stop(
    db: &mut PgConnection,
    account_id: AccountId,
    reason: StopReason,
    after: OffsetDateTime,
) -> Result<Option<OffsetDateTime>, Broken> {
    Ok(sqlx::query_scalar!(
        "SELECT max(stopped_at) FROM sandboxes
         WHERE account_id = $1 AND state = 'hibernated' AND stop_reason = $2 AND stopped_at > $3",
        account_id.0,
        reason.as_str(),
        after
    )
    .fetch_one(db)
    .await?)
}

/// Notes the processor time of what runs, as the orchestrator's list says it; an older list never replaces a newer one.
pub(crate) async fn note_cpu(
    db: &mut PgConnection,
    account_id: AccountId,
    used: &[(&str, i64)],
    seen_at: OffsetDateTime,
) -> Result<(), Broken> {
    let ids: Vec<String> = used.iter().map(|(id, _)| (*id).to_owned()).collect();
    let ms: Vec<i64> = used.iter().map(|(_, ms)| *ms).collect();
    sqlx::query!(
        "UPDATE sandboxes AS s SET cpu_ms = greatest(s.cpu_ms, used.ms), cpu_seen_at = $4
         FROM unnest($2::text[], $3::bigint[]) AS used (sandbox_id, ms)
         WHERE s.account_id = $1 AND s.sandbox_id = used.sandbox_id AND (s.cpu_seen_at IS NULL OR s.cpu_seen_at < $4)",
        account_id.0, &ids, &ms, seen_at
    )
    .execute(db)
    .await?;
    Ok(())
}
