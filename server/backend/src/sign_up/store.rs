//! Pending sign-ups: an address and the hash of the token that was mailed to it, for a day.

use domain::id::SignUpId;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;

pub(super) struct PendingRow<'a> {
    pub sign_up_id: SignUpId,
    /// The address as typed.
    pub email: &'a str,
    /// The address in its compared form.
    pub canonical: &'a str,
    pub token_sha256: [u8; 32],
    pub expires_at: OffsetDateTime,
}

/// Has sign-ups of one address come one after the other until the end of the transaction, so that a count holds. There need
/// not be a row to lock; two addresses that share a number wait for each other, and nothing else.
pub(super) async fn lock_address(db: &mut PgConnection, canonical: &str) -> Result<(), Broken> {
    sqlx::query!(
        r#"SELECT pg_advisory_xact_lock(hashtextextended('sign-up ' || $1, 0)) AS "locked!: ()""#,
        canonical
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// Mails to an address since a moment, whoever asked for them.
pub(super) async fn count_since(
    db: &mut PgConnection,
    canonical: &str,
    since: OffsetDateTime,
) -> Result<i64, Broken> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM pending_sign_ups WHERE canonical = $1 AND created_at > $2"#,
        canonical,
        since
    );
    Ok(count.fetch_one(db).await?)
}

pub(super) async fn insert(
    db: &mut PgConnection,
    row: &PendingRow<'_>,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO pending_sign_ups (sign_up_id, email, canonical, token_sha256, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        row.sign_up_id.0, row.email, row.canonical, row.token_sha256.as_slice(), now, row.expires_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The address that a token was mailed to, while the link lives.
pub(super) async fn by_token(
    db: &mut PgConnection,
    token_sha256: &[u8],
    now: OffsetDateTime,
) -> Result<Option<String>, Broken> {
    let email = sqlx::query_scalar!(
        "SELECT email FROM pending_sign_ups WHERE token_sha256 = $1 AND expires_at > $2",
        token_sha256,
        now
    );
    Ok(email.fetch_optional(db).await?)
}

/// The compared form of the address of a sign-up; none once it was deleted.
pub(super) async fn canonical(
    db: &mut PgConnection,
    id: SignUpId,
) -> Result<Option<String>, Broken> {
    let canonical = sqlx::query_scalar!(
        "SELECT canonical FROM pending_sign_ups WHERE sign_up_id = $1",
        id.0
    );
    Ok(canonical.fetch_optional(db).await?)
}

/// Deletes sign-ups whose day is over, opened or not; at most `limit`. A mail of one that is still to be sent finds it gone.
pub(crate) async fn delete_ended(
    db: &mut PgConnection,
    now: OffsetDateTime,
    limit: i64,
) -> Result<u64, Broken> {
    let done = sqlx::query!(
        "DELETE FROM pending_sign_ups WHERE sign_up_id IN (
             SELECT sign_up_id FROM pending_sign_ups WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
        now, limit
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
