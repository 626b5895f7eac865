//! Pending confirmations of addresses.

use domain::id::{UserId, VerificationId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;

/// A confirmation as its link finds it.
pub(crate) struct VerificationRow {
    pub verification_id: VerificationId,
    pub user_id: UserId,
    pub expires_at: OffsetDateTime,
    pub used_at: Option<OffsetDateTime>,
    /// True when the address is confirmed already, by this link or another.
    pub is_verified: bool,
}

pub(super) async fn insert(
    db: &mut PgConnection,
    row: &VerificationRow,
    token_sha256: &[u8],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO verifications (verification_id, user_id, token_sha256, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)",
        row.verification_id.0,
        row.user_id.0,
        token_sha256,
        now,
        row.expires_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Finds a confirmation by the hash of its token and locks it, so that two clicks are one after the other.
pub(crate) async fn by_token(
    db: &mut PgConnection,
    token_sha256: &[u8],
) -> Result<Option<VerificationRow>, Broken> {
    let row = sqlx::query!(
        "SELECT v.verification_id, v.user_id, v.expires_at, v.used_at, u.email_verified_at
         FROM verifications AS v JOIN users AS u USING (user_id) WHERE v.token_sha256 = $1 FOR UPDATE OF v",
        token_sha256
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| VerificationRow {
        verification_id: row.verification_id.into(),
        user_id: row.user_id.into(),
        expires_at: row.expires_at,
        used_at: row.used_at,
        is_verified: row.email_verified_at.is_some(),
    }))
}

/// True while there is such a confirmation.
pub(super) async fn exists(db: &mut PgConnection, id: VerificationId) -> Result<bool, Broken> {
    let found = sqlx::query_scalar!(
        "SELECT 1 AS one FROM verifications WHERE verification_id = $1",
        id.0
    );
    Ok(found.fetch_optional(db).await?.is_some())
}

pub(crate) async fn spend(
    db: &mut PgConnection,
    id: VerificationId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE verifications SET used_at = $2 WHERE verification_id = $1",
        id.0,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Confirmations opened for a person since a moment.
pub(super) async fn count_since(
    db: &mut PgConnection,
    user_id: UserId,
    since: OffsetDateTime,
) -> Result<i64, Broken> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM verifications WHERE user_id = $1 AND created_at > $2"#,
        user_id.0,
        since
    );
    Ok(count.fetch_one(db).await?)
}

/// Deletes confirmations that ended before a moment; at most `limit`. A mail of one that is still to be sent finds it gone.
pub(crate) async fn delete_ended(
    db: &mut PgConnection,
    before: OffsetDateTime,
    limit: i64,
) -> Result<u64, Broken> {
    let done = sqlx::query!(
        "DELETE FROM verifications WHERE verification_id IN (
             SELECT verification_id FROM verifications WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        before, limit
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
