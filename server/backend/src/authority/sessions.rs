//! Signed-in browsers, by the hash of their id. `server`'s session store is built on them:
//! create inserts, save only updates, so that a slow request can never bring a session back that was ended meanwhile.

use domain::ceilings::{SESSION_ABSOLUTE_DAYS, SESSION_IDLE_HOURS};
use domain::id::UserId;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use crate::Backend;

/// A session as stored.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// SHA-256 of the id in the cookie.
    pub id_hash: [u8; 32],
    /// Whose session; none for a visitor's.
    pub user_id: Option<UserId>,
    /// `visitor` or `customer`.
    pub kind: String,
    /// What the session layer keeps.
    pub data: serde_json::Value,
    /// When it ends if nothing happens.
    pub expires_at: OffsetDateTime,
}

/// Inserts a session; false when the id is taken.
///
/// # Errors
/// When the database does not do it.
pub async fn insert(
    backend: &Backend,
    row: &SessionRow,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "INSERT INTO sessions (session_id_sha256, user_id, kind, data, created_at, seen_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $5, $6) ON CONFLICT ON CONSTRAINT sessions_pkey DO NOTHING",
        &row.id_hash, row.user_id.map(|id| id.0), row.kind, row.data, now, row.expires_at
    )
    .execute(backend.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Updates a session; false when it is gone, and it stays gone.
///
/// # Errors
/// When the database does not do it.
pub async fn update(
    backend: &Backend,
    row: &SessionRow,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE sessions SET user_id = $2, kind = $3, data = $4, seen_at = $5, expires_at = $6
         WHERE session_id_sha256 = $1",
        &row.id_hash,
        row.user_id.map(|id| id.0),
        row.kind,
        row.data,
        now,
        row.expires_at
    )
    .execute(backend.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Loads a live session and notes that it was seen, at most once a minute. Idle for 24 h or older than 14 days is over.
///
/// # Errors
/// When the database does not do it.
pub async fn load(
    backend: &Backend,
    id_hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<SessionRow>, sqlx::Error> {
    let (idle, absolute) = limits(now);
    let row = sqlx::query!(
        "SELECT user_id, kind, data, seen_at, expires_at FROM sessions
         WHERE session_id_sha256 = $1 AND seen_at > $2 AND created_at > $3 AND expires_at > $4",
        id_hash,
        idle,
        absolute,
        now
    )
    .fetch_optional(backend.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.seen_at < now - Duration::MINUTE {
        note_seen(&mut *backend.pool().acquire().await?, id_hash, now).await?;
    }
    let user_id = row.user_id.map(UserId::from);
    Ok(Some(SessionRow {
        id_hash: *id_hash,
        user_id,
        kind: row.kind,
        data: row.data,
        expires_at: row.expires_at,
    }))
}

pub(super) async fn note_seen(
    db: &mut PgConnection,
    id_hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE sessions SET seen_at = $2 WHERE session_id_sha256 = $1",
        id_hash,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// When the database does not do it.
pub async fn delete(backend: &Backend, id_hash: &[u8; 32]) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM sessions WHERE session_id_sha256 = $1", id_hash)
        .execute(backend.pool())
        .await?;
    Ok(())
}

/// Deletes sessions that are over; at most `limit`.
///
/// # Errors
/// When the database does not do it.
pub async fn delete_expired(
    backend: &Backend,
    now: OffsetDateTime,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let (idle, absolute) = limits(now);
    let done = sqlx::query!(
        "DELETE FROM sessions WHERE session_id_sha256 IN (
             SELECT session_id_sha256 FROM sessions
             WHERE expires_at <= $1 OR seen_at <= $2 OR created_at <= $3 LIMIT $4)",
        now,
        idle,
        absolute,
        limit
    )
    .execute(backend.pool())
    .await?;
    Ok(done.rows_affected())
}

/// Before which a session seen last is idle, and before which a session begun is too old.
pub(super) fn limits(now: OffsetDateTime) -> (OffsetDateTime, OffsetDateTime) {
    (
        now - Duration::hours(SESSION_IDLE_HOURS),
        now - Duration::days(SESSION_ABSOLUTE_DAYS),
    )
}
