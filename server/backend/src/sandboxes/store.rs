//! Sandboxes as pages list them. They are the stored result of the fold, which `folded` writes.

use domain::ceilings::{PAGE_ROWS, SANDBOXES_SEARCHED_MAX};
use domain::id::AccountId;
use domain::sandbox::{SandboxId, SandboxState};
use domain::search::Search;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::failure::Broken;

/// A sandbox as lists show it, with what is posted for it; `sandboxes` adds the live rest.
pub(super) struct SandboxRow {
    pub sandbox_id: String,
    pub state: String,
    pub image: String,
    pub region: String,
    pub vcpus: i32,
    pub mem_mib: i32,
    pub key_id: Option<Uuid>,
    pub key_name: Option<String>,
    pub parent_id: Option<String>,
    pub created_at: OffsetDateTime,
    pub destroyed_at: Option<OffsetDateTime>,
    pub stopped_at: Option<OffsetDateTime>,
    pub stop_reason: Option<String>,
    /// Milliseconds posted.
    pub billed_ms: i64,
    /// Ticks posted.
    pub ticks: rust_decimal::Decimal,
}

#[derive(Default)]
pub(super) struct Filter<'a> {
    pub state: Option<SandboxState>,
    pub only: Option<&'a str>,
    /// Only older than this row.
    pub after: Option<(OffsetDateTime, String)>,
    /// At most so many rows; a page and one when none is given.
    pub limit: Option<i64>,
}

/// Of the newest sandboxes of an account those whose id begins with what is searched for, or whose image or key's name has it.
/// Looks through a bounded number of rows, however long the past; patterns are compared once a row.
pub(super) async fn search(
    db: &mut PgConnection,
    account_id: AccountId,
    search: &Search,
    filter: Filter<'_>,
) -> Result<Vec<SandboxRow>, Broken> {
    let (at, id) = filter.after.unzip();
    Ok(sqlx::query_as!(
        SandboxRow,
        r#"SELECT s.sandbox_id, s.state, s.image, s.region, s.vcpus, s.mem_mib, s.key_id, k.name AS "key_name?",
                  s.parent_id, s.created_at, s.destroyed_at, s.stopped_at, s.stop_reason, posted.billed_ms AS "billed_ms!", posted.ticks AS "ticks!"
           FROM (SELECT * FROM (SELECT * FROM sandboxes WHERE account_id = $1
                                ORDER BY created_at DESC, sandbox_id DESC LIMIT $8) AS newest
                 WHERE ($2::text IS NULL OR state = $2)
                   AND ($3::timestamptz IS NULL OR (created_at, sandbox_id) < ($3, $4))
                   AND (sandbox_id ILIKE $5 OR image ILIKE $6
                        OR key_id IN (SELECT key_id FROM keys WHERE account_id = $1 AND name ILIKE $6))
                 ORDER BY created_at DESC, sandbox_id DESC LIMIT $7) AS s
           LEFT JOIN keys AS k ON k.account_id = $1 AND k.key_id = s.key_id
           CROSS JOIN LATERAL (SELECT coalesce(sum(billed_ms), 0)::bigint AS billed_ms, coalesce(sum(ticks), 0) AS ticks
                               FROM slices AS l WHERE l.account_id = $1 AND l.sandbox_id = s.sandbox_id) AS posted
           ORDER BY s.created_at DESC, s.sandbox_id DESC"#,
        account_id.0, filter.state.map(SandboxState::as_str), at, id, search.start(), search.inside(),
        filter.limit.unwrap_or(PAGE_ROWS + 1), SANDBOXES_SEARCHED_MAX
    )
    .fetch_all(db)
    .await?)
}

/// Sandboxes of an account, newest first.
pub(super) async fn list(
    db: &mut PgConnection,
    account_id: AccountId,
    filter: Filter<'_>,
) -> Result<Vec<SandboxRow>, Broken> {
    let (at, id) = filter.after.unzip();
    Ok(sqlx::query_as!(
        SandboxRow,
        r#"SELECT s.sandbox_id, s.state, s.image, s.region, s.vcpus, s.mem_mib, s.key_id, k.name AS "key_name?",
                  s.parent_id, s.created_at, s.destroyed_at, s.stopped_at, s.stop_reason, posted.billed_ms AS "billed_ms!", posted.ticks AS "ticks!"
           FROM (SELECT * FROM sandboxes
                 WHERE account_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR sandbox_id = $3)
                   AND ($4::timestamptz IS NULL OR (created_at, sandbox_id) < ($4, $5))
                 ORDER BY created_at DESC, sandbox_id DESC LIMIT $6) AS s
           LEFT JOIN keys AS k ON k.account_id = $1 AND k.key_id = s.key_id
           CROSS JOIN LATERAL (SELECT coalesce(sum(billed_ms), 0)::bigint AS billed_ms, coalesce(sum(ticks), 0) AS ticks
                               FROM slices AS l WHERE l.account_id = $1 AND l.sandbox_id = s.sandbox_id) AS posted
           ORDER BY s.created_at DESC, s.sandbox_id DESC"#,
        account_id.0, filter.state.map(SandboxState::as_str), filter.only, at, id, filter.limit.unwrap_or(PAGE_ROWS + 1)
    )
    .fetch_all(db)
    .await?)
}

/// Whether a sandbox runs; false when the account has no such sandbox.
pub(super) async fn is_running(
    db: &mut PgConnection,
    account_id: AccountId,
    sandbox_id: &SandboxId,
) -> Result<bool, Broken> {
    Ok(state(db, account_id, sandbox_id).await?.as_deref() == Some(SandboxState::Running.as_str()))
}

/// The word of a sandbox's state; none when the account has no such sandbox.
pub(super) async fn state(
    db: &mut PgConnection,
    account_id: AccountId,
    sandbox_id: &SandboxId,
) -> Result<Option<String>, Broken> {
    Ok(sqlx::query_scalar!(
        "SELECT state FROM sandboxes WHERE account_id = $1 AND sandbox_id = $2",
        account_id.0,
        sandbox_id.as_str()
    )
    .fetch_optional(db)
    .await?)
}

pub(super) async fn first_id(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Option<String>, Broken> {
    let id = sqlx::query_scalar!(
        "SELECT sandbox_id FROM sandboxes WHERE account_id = $1 ORDER BY created_at, sandbox_id LIMIT 1",
        account_id.0
    );
    Ok(id.fetch_optional(db).await?)
}
