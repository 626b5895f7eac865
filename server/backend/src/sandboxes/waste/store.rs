//! Sandboxes whose processors were idle, from the figures that the feed and the orchestrator's list gave. Unknown figures
//! are never counted. Grouping and pricing is `sandboxes::waste`'s.

use domain::ceilings::{WASTE_MINUTES_MIN, WASTE_ROWS_MAX};
use domain::id::AccountId;
use domain::moment::Moment;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::failure::Broken;

pub(super) struct IdleRow {
    pub sandbox_id: String,
    pub state: String,
    pub image: String,
    pub vcpus: i32,
    pub mem_mib: i32,
    pub key_id: Option<Uuid>,
    pub key_name: Option<String>,
    pub created_at: OffsetDateTime,
    pub cpu_ms: i64,
    /// Running milliseconds up to the moment that `cpu_ms` is true for.
    pub ran_ms: i64,
    /// Milliseconds posted in the range.
    pub billed_ms: i64,
    /// Ticks posted in the range.
    pub ticks: Decimal,
}

/// Idle sandboxes that ran in the range, the last to end first. Idle is one percent of their processors or less, judged
/// over the whole life up to the moment that the figure is true for.
pub(super) async fn idle(
    db: &mut PgConnection,
    account_id: AccountId,
    since: Moment,
) -> Result<Vec<IdleRow>, Broken> {
    Ok(sqlx::query_as!(
        IdleRow,
        r#"SELECT s.sandbox_id, s.state, s.image, s.vcpus, s.mem_mib, s.key_id, k.name AS "key_name?", s.created_at,
                  s.cpu_ms AS "cpu_ms!", ran.ms AS "ran_ms!", posted.billed_ms AS "billed_ms!",
                  posted.ticks AS "ticks!"
           FROM (SELECT * FROM sandboxes
                 WHERE account_id = $1 AND coalesce(destroyed_at, 'infinity') >= $2
                   AND cpu_ms IS NOT NULL AND (destroyed_at IS NULL OR (destroyed_at - created_at >= '10 minutes'::interval
                       AND cpu_ms * 100 < extract(epoch FROM destroyed_at - created_at) * 1000 * vcpus))
                 ORDER BY coalesce(destroyed_at, 'infinity') DESC, sandbox_id DESC LIMIT $3) AS s
           LEFT JOIN keys AS k ON k.account_id = $1 AND k.key_id = s.key_id
           CROSS JOIN LATERAL (
               SELECT coalesce(sum(extract(epoch FROM least(i.ended_at, s.cpu_seen_at) - i.started_at) * 1000), 0)::bigint AS ms
               FROM intervals AS i WHERE i.account_id = $1 AND i.sandbox_id = s.sandbox_id
                 AND (i.ended_at IS NOT NULL OR s.cpu_seen_at > i.started_at)
                 AND (s.state <> 'running' OR i.started_at < s.cpu_seen_at)) AS ran
           CROSS JOIN LATERAL (
               SELECT coalesce(sum(l.billed_ms), 0)::bigint AS billed_ms, coalesce(sum(l.ticks), 0) AS ticks
               FROM slices AS l WHERE l.account_id = $1 AND l.sandbox_id = s.sandbox_id AND l.hour_at >= $2
           ) AS posted
           WHERE ran.ms >= $4 AND s.cpu_ms * 100 < ran.ms * s.vcpus
           ORDER BY coalesce(s.destroyed_at, 'infinity') DESC, s.sandbox_id DESC"#,
        account_id.0, OffsetDateTime::from(since), WASTE_ROWS_MAX, WASTE_MINUTES_MIN * 60_000
    )
    .fetch_all(db)
    .await?)
}

/// Running sandboxes that idle now: a count for the overview.
pub(crate) async fn count_running(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<i64, Broken> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM sandboxes AS s
           CROSS JOIN LATERAL (
               SELECT coalesce(sum(extract(epoch FROM least(i.ended_at, s.cpu_seen_at) - i.started_at) * 1000), 0)::bigint AS ms
               FROM intervals AS i WHERE i.account_id = $1 AND i.sandbox_id = s.sandbox_id
                 AND i.started_at < s.cpu_seen_at) AS ran
           WHERE s.account_id = $1 AND s.state = 'running' AND s.cpu_ms IS NOT NULL
             AND s.cpu_ms * 100 < extract(epoch FROM s.cpu_seen_at - s.created_at) * 1000 * s.vcpus
             AND ran.ms >= $2 AND s.cpu_ms * 100 < ran.ms * s.vcpus"#,
        account_id.0, WASTE_MINUTES_MIN * 60_000
    )
    .fetch_one(db)
    .await?)
}
