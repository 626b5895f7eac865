//! Sandboxes as pages list them. They are the stored result of the fold, which `folded` writes.

use domain::id::{AccountId, KeyId};
use domain::interval::Interval;
use domain::limits::PAGE_ROWS;
use domain::sandbox::{SandboxId, SandboxState, Size};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::moment;
use crate::failure::Broken;

/// Most running sandboxes of one account that are rated live; the orchestrator's own limit lies far below.
const OPEN_MAX: i64 = 10_000;

/// A sandbox that runs.
pub struct RunRow {
    /// Its id.
    pub sandbox_id: SandboxId,
    /// Its size.
    pub size: Size,
    /// The key that made it.
    pub key_id: Option<KeyId>,
    /// The interval.
    pub interval: Interval,
}

/// Sandboxes of an account that run, with their open intervals.
pub async fn running(db: &mut PgConnection, account_id: AccountId) -> Result<Vec<RunRow>, Broken> {
    let rows = sqlx::query!(
        "SELECT i.sandbox_id, s.vcpus, s.mem_mib, s.key_id, i.started_at, i.ended_at
         FROM intervals AS i JOIN sandboxes AS s USING (account_id, sandbox_id)
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
                interval: Interval {
                    started_at: moment(row.started_at),
                    ended_at: row.ended_at.map(moment),
                },
            })
        })
        .collect()
}

/// A sandbox as lists show it, with what is posted for it; the live rest is the service's to add.
pub struct SandboxRow {
    /// Its id.
    pub sandbox_id: String,
    /// Its state's word.
    pub state: String,
    /// The image's name.
    pub image: String,
    /// Two letters.
    pub region: String,
    /// Processors.
    pub vcpus: i32,
    /// Memory in MiB.
    pub mem_mib: i32,
    /// The key that made it.
    pub key_id: Option<Uuid>,
    /// That key's name.
    pub key_name: Option<String>,
    /// The sandbox it was forked from.
    pub parent_id: Option<String>,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it was destroyed.
    pub destroyed_at: Option<OffsetDateTime>,
    /// Milliseconds posted.
    pub billed_ms: i64,
    /// Ticks posted.
    pub ticks: rust_decimal::Decimal,
}

/// What a list of sandboxes is asked for.
#[derive(Default)]
pub struct Filter<'a> {
    /// Only this state.
    pub state: Option<SandboxState>,
    /// Only this sandbox.
    pub only: Option<&'a str>,
    /// Only older than this row.
    pub after: Option<(OffsetDateTime, String)>,
    /// At most so many rows; a page and one when none is given.
    pub limit: Option<i64>,
}

/// Sandboxes of an account, newest first.
pub async fn list(
    db: &mut PgConnection,
    account_id: AccountId,
    filter: Filter<'_>,
) -> Result<Vec<SandboxRow>, Broken> {
    let (at, id) = filter.after.unzip();
    Ok(sqlx::query_as!(
        SandboxRow,
        r#"SELECT s.sandbox_id, s.state, s.image, s.region, s.vcpus, s.mem_mib, s.key_id, k.name AS "key_name?",
                  s.parent_id, s.created_at, s.destroyed_at, posted.billed_ms AS "billed_ms!", posted.ticks AS "ticks!"
           FROM (SELECT * FROM sandboxes
                 WHERE account_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR sandbox_id = $3)
                   AND ($4::timestamptz IS NULL OR (created_at, sandbox_id) < ($4, $5))
                 ORDER BY created_at DESC, sandbox_id DESC LIMIT $6) AS s
           LEFT JOIN keys AS k ON k.account_id = s.account_id AND k.key_id = s.key_id
           CROSS JOIN LATERAL (SELECT coalesce(sum(billed_ms), 0)::bigint AS billed_ms, coalesce(sum(ticks), 0) AS ticks
                               FROM slices AS l WHERE l.account_id = s.account_id AND l.sandbox_id = s.sandbox_id) AS posted
           ORDER BY s.created_at DESC, s.sandbox_id DESC"#,
        account_id.0, filter.state.map(SandboxState::as_str), filter.only, at, id, filter.limit.unwrap_or(PAGE_ROWS + 1)
    )
    .fetch_all(db)
    .await?)
}

/// Sandboxes that run now, and whether there ever was one.
pub async fn count(db: &mut PgConnection, account_id: AccountId) -> Result<(i64, bool), Broken> {
    let row = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM sandboxes WHERE account_id = $1 AND state = 'running') AS "running!",
                  EXISTS (SELECT 1 FROM sandboxes WHERE account_id = $1) AS "any!""#,
        account_id.0
    )
    .fetch_one(db)
    .await?;
    Ok((row.running, row.any))
}

/// The sandbox that an account started first.
pub async fn first_id(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Option<String>, Broken> {
    let id = sqlx::query_scalar!(
        "SELECT sandbox_id FROM sandboxes WHERE account_id = $1 ORDER BY created_at, sandbox_id LIMIT 1",
        account_id.0
    );
    Ok(id.fetch_optional(db).await?)
}

/// Notes when keys of these accounts were last used to create a sandbox.
pub async fn touch_keys(
    db: &mut PgConnection,
    uses: &[(AccountId, KeyId, OffsetDateTime)],
) -> Result<(), Broken> {
    let accounts: Vec<Uuid> = uses.iter().map(|(account_id, ..)| account_id.0).collect();
    let keys: Vec<Uuid> = uses.iter().map(|(_, key_id, _)| key_id.0).collect();
    let times: Vec<OffsetDateTime> = uses.iter().map(|(.., at)| *at).collect();
    sqlx::query!(
        "UPDATE keys AS k SET last_used_at = greatest(k.last_used_at, used.at)
         FROM (SELECT account_id, key_id, max(at) AS at FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
                    AS u (account_id, key_id, at) GROUP BY account_id, key_id) AS used
         WHERE k.account_id = used.account_id AND k.key_id = used.key_id",
        &accounts,
        &keys,
        &times
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes the processor time of what runs, as the orchestrator's list says it; older news never replaces newer.
pub async fn note_cpu(
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
