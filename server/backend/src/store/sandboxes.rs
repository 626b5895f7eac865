//! Sandboxes and their intervals: the stored result of the fold, and the lists that pages read from it.

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

/// What the fold says of a sandbox, for storing.
pub struct Folded {
    /// Its id.
    pub sandbox_id: SandboxId,
    /// Its state.
    pub state: SandboxState,
    /// The image's name.
    pub image: String,
    /// Two letters.
    pub region: String,
    /// Its size.
    pub size: Size,
    /// The key that made it.
    pub key_id: Option<KeyId>,
    /// The sandbox it was forked from.
    pub parent_id: Option<String>,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it was destroyed.
    pub destroyed_at: Option<OffsetDateTime>,
}

/// Writes what the fold says and gives the cohort; the same again changes nothing.
pub async fn upsert(
    db: &mut PgConnection,
    account_id: AccountId,
    row: &Folded,
) -> Result<Uuid, Broken> {
    let cohort_id = sqlx::query_scalar!(
        "INSERT INTO cohorts (account_id, cohort_id, key_id, image, region, vcpus, mem_mib)
         VALUES ($1, gen_random_uuid(), $2, $3, $4, $5, $6)
         ON CONFLICT ON CONSTRAINT cohorts_are_distinct DO UPDATE SET image = excluded.image RETURNING cohort_id",
        account_id.0, row.key_id.map(|id| id.0), row.image, row.region, row.size.vcpus, row.size.mem_mib
    )
    .fetch_one(&mut *db)
    .await?;
    sqlx::query!(
        "INSERT INTO sandboxes (account_id, sandbox_id, state, image, region, vcpus, mem_mib, key_id, parent_id,
                                created_at, destroyed_at, cohort_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT ON CONSTRAINT sandboxes_pkey DO UPDATE
             SET state = excluded.state, created_at = excluded.created_at, destroyed_at = excluded.destroyed_at",
        account_id.0, row.sandbox_id.as_str(), row.state.as_str(), row.image, row.region, row.size.vcpus,
        row.size.mem_mib, row.key_id.map(|id| id.0), row.parent_id, row.created_at, row.destroyed_at, cohort_id
    )
    .execute(db)
    .await?;
    Ok(cohort_id)
}

/// Makes the stored intervals of a sandbox equal to the fold's. Closed ones are final in the fold, so in practice only
/// the last changes; the delete keeps the cache honest should a rule ever change.
pub async fn put_intervals(
    db: &mut PgConnection,
    account_id: AccountId,
    sandbox_id: &SandboxId,
    intervals: &[Interval],
) -> Result<(), Broken> {
    let count = i32::try_from(intervals.len())?;
    sqlx::query!(
        "DELETE FROM intervals WHERE account_id = $1 AND sandbox_id = $2 AND ordinal >= $3",
        account_id.0,
        sandbox_id.as_str(),
        count
    )
    .execute(&mut *db)
    .await?;
    let starts: Vec<OffsetDateTime> = intervals
        .iter()
        .map(|interval| interval.started_at.into())
        .collect();
    let ends: Vec<Option<OffsetDateTime>> = intervals
        .iter()
        .map(|interval| interval.ended_at.map(Into::into))
        .collect();
    let ordinals: Vec<i32> = (0..count).collect();
    sqlx::query!(
        "INSERT INTO intervals (account_id, sandbox_id, ordinal, started_at, ended_at)
         SELECT $1, $2, * FROM unnest($3::integer[], $4::timestamptz[], $5::timestamptz[])
         ON CONFLICT ON CONSTRAINT intervals_pkey DO UPDATE
             SET started_at = excluded.started_at, ended_at = excluded.ended_at
             WHERE (intervals.started_at, intervals.ended_at)
                   IS DISTINCT FROM (excluded.started_at, excluded.ended_at)",
        account_id.0,
        sandbox_id.as_str(),
        &ordinals,
        &starts,
        &ends as &[Option<OffsetDateTime>]
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A sandbox with an interval that reaches beyond a moment.
pub struct RunRow {
    /// Its id.
    pub sandbox_id: SandboxId,
    /// Its size.
    pub size: Size,
    /// The key that made it.
    pub key_id: Option<KeyId>,
    /// Its cohort.
    pub cohort_id: Uuid,
    /// The interval.
    pub interval: Interval,
}

/// Intervals of an account that are open, or with `until` also those that ended after it.
pub async fn running_after(
    db: &mut PgConnection,
    account_id: AccountId,
    until: Option<OffsetDateTime>,
) -> Result<Vec<RunRow>, Broken> {
    let rows = sqlx::query!(
        "SELECT i.sandbox_id, s.vcpus, s.mem_mib, s.key_id, s.cohort_id, i.started_at, i.ended_at
         FROM intervals AS i JOIN sandboxes AS s USING (account_id, sandbox_id)
         WHERE i.account_id = $1 AND (i.ended_at IS NULL OR i.ended_at > $2)
         ORDER BY i.sandbox_id, i.ordinal LIMIT $3",
        account_id.0,
        until,
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
                cohort_id: row.cohort_id,
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

/// Notes when keys were last used to create a sandbox.
pub async fn touch_keys(
    db: &mut PgConnection,
    account_id: AccountId,
    keys: &[Uuid],
    times: &[OffsetDateTime],
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE keys AS k SET last_used_at = greatest(k.last_used_at, used.at)
         FROM (SELECT key_id, max(at) AS at FROM unnest($2::uuid[], $3::timestamptz[]) AS u (key_id, at)
               GROUP BY key_id) AS used
         WHERE k.account_id = $1 AND k.key_id = used.key_id",
        account_id.0, keys, times
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
