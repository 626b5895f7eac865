//! Secret links to calendar feeds. Only hashes are stored; a revoked link stays as a row and opens nothing.

use domain::id::{AccountId, CalendarId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;

/// Opens a link; false when the person has one for this account.
pub(super) async fn insert(
    db: &mut PgConnection,
    calendar_id: CalendarId,
    (account_id, user_id): (AccountId, UserId),
    token_sha256: &[u8],
    now: OffsetDateTime,
) -> Result<bool, Broken> {
    let done = sqlx::query!(
        "INSERT INTO calendars (calendar_id, account_id, user_id, token_sha256, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, user_id) WHERE revoked_at IS NULL DO NOTHING",
        calendar_id.0,
        account_id.0,
        user_id.0,
        token_sha256,
        now
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The live link of a person for an account.
pub(in crate::alerts) async fn live(
    db: &mut PgConnection,
    account_id: AccountId,
    user_id: UserId,
) -> Result<Option<(CalendarId, OffsetDateTime)>, Broken> {
    let row = sqlx::query!(
        "SELECT calendar_id, created_at FROM calendars WHERE account_id = $1 AND user_id = $2 AND revoked_at IS NULL",
        account_id.0,
        user_id.0
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (row.calendar_id.into(), row.created_at)))
}

/// Revokes the live link of a person; none when there is none.
pub(super) async fn revoke(
    db: &mut PgConnection,
    account_id: AccountId,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<Option<CalendarId>, Broken> {
    let id = sqlx::query_scalar!(
        "UPDATE calendars SET revoked_at = $3 WHERE account_id = $1 AND user_id = $2 AND revoked_at IS NULL
         RETURNING calendar_id",
        account_id.0,
        user_id.0,
        now
    );
    Ok(id.fetch_optional(db).await?.map(Into::into))
}

/// The account that a link shows; none when it is unknown, revoked, or its person is no longer a member.
pub(super) async fn account_of(
    db: &mut PgConnection,
    token_sha256: &[u8],
) -> Result<Option<(CalendarId, AccountId)>, Broken> {
    let row = sqlx::query!(
        "SELECT c.calendar_id, c.account_id FROM calendars AS c JOIN memberships AS m USING (account_id, user_id)
         WHERE c.token_sha256 = $1 AND c.revoked_at IS NULL",
        token_sha256
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (row.calendar_id.into(), row.account_id.into())))
}
