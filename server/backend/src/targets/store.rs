//! Targets by what they are hashed to, what was sent to each, and refusals. Nothing here is readable as an address or a host.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::failure::Broken;
use crate::random;

/// A target under lock.
pub(super) struct Locked {
    pub target_id: Uuid,
    pub is_refused: bool,
}

/// Makes the row of a target if there is none, and locks it until the transaction ends.
pub(super) async fn lock(
    db: &mut PgConnection,
    kind: &str,
    hmac: &[u8],
    now: OffsetDateTime,
) -> Result<Locked, Broken> {
    Ok(sqlx::query_as!(
        Locked,
        r#"INSERT INTO targets (target_id, kind, hmac_sha256, used_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT ON CONSTRAINT targets_once DO UPDATE SET used_at = greatest(targets.used_at, excluded.used_at)
           RETURNING target_id, refused_at IS NOT NULL AS "is_refused!""#,
        random::id(now),
        kind,
        hmac,
        now
    )
    .fetch_one(db)
    .await?)
}

pub(super) async fn count_since(
    db: &mut PgConnection,
    target_id: Uuid,
    purpose: &str,
    since: OffsetDateTime,
) -> Result<i64, Broken> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM target_uses WHERE target_id = $1 AND purpose = $2 AND used_at > $3"#,
        target_id,
        purpose,
        since
    );
    Ok(count.fetch_one(db).await?)
}

pub(super) async fn insert_use(
    db: &mut PgConnection,
    target_id: Uuid,
    purpose: &str,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO target_uses (use_id, target_id, purpose, used_at) VALUES ($1, $2, $3, $4)",
        random::id(now),
        target_id,
        purpose,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn is_refused(db: &mut PgConnection, hmac: &[u8]) -> Result<bool, Broken> {
    let found = sqlx::query_scalar!(
        "SELECT 1 AS one FROM targets WHERE kind = 'mail' AND hmac_sha256 = $1 AND refused_at IS NOT NULL",
        hmac
    );
    Ok(found.fetch_optional(db).await?.is_some())
}

/// Notes a refusal; the first one stays the one that counts.
pub(super) async fn refuse(
    db: &mut PgConnection,
    hmac: &[u8],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO targets (target_id, kind, hmac_sha256, used_at, refused_at) VALUES ($1, 'mail', $2, $3, $3)
         ON CONFLICT ON CONSTRAINT targets_once DO UPDATE SET refused_at = coalesce(targets.refused_at, excluded.refused_at)",
        random::id(now),
        hmac,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn allow(db: &mut PgConnection, hmac: &[u8]) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE targets SET refused_at = NULL WHERE kind = 'mail' AND hmac_sha256 = $1",
        hmac
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes what was sent before a moment; at most `limit`.
pub(crate) async fn delete_uses(
    db: &mut PgConnection,
    before: OffsetDateTime,
    limit: i64,
) -> Result<u64, Broken> {
    let done = sqlx::query!(
        "DELETE FROM target_uses WHERE use_id IN (
             SELECT use_id FROM target_uses WHERE used_at < $1 ORDER BY used_at LIMIT $2)",
        before,
        limit
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Forgets targets to which nothing was sent since a moment and that are not refused; at most `limit`. One that is in use at
/// this moment is locked and left.
pub(crate) async fn delete_at_rest(
    db: &mut PgConnection,
    before: OffsetDateTime,
    limit: i64,
) -> Result<u64, Broken> {
    let done = sqlx::query!(
        "DELETE FROM targets WHERE target_id IN (
             SELECT target_id FROM targets WHERE used_at < $1 AND refused_at IS NULL
             ORDER BY used_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
        before,
        limit
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
