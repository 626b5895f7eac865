//! Secret links to calendar feeds. Only hashes are stored; a revoked link stays as a row and opens nothing. Which account a
//! token is of, `tokens` knows.

use domain::id::{AccountId, CalendarId, UserId};
use domain::role::Role;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::alerts::tokens::{self, Kind};
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
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    tokens::insert(db, Kind::Calendar, token_sha256, account_id).await?;
    Ok(true)
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
    let row = sqlx::query!(
        "UPDATE calendars SET revoked_at = $3 WHERE account_id = $1 AND user_id = $2 AND revoked_at IS NULL
         RETURNING calendar_id, token_sha256",
        account_id.0,
        user_id.0,
        now
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    tokens::remove(db, &row.token_sha256).await?;
    Ok(Some(row.calendar_id.into()))
}

/// A live link as its token finds it.
pub(super) struct Linked {
    pub calendar_id: CalendarId,
    pub account_id: AccountId,
    pub user_id: UserId,
    /// What its person is in the account now; none when they are no member any more.
    pub role: Option<Role>,
}

/// The link of a token; none when it is unknown or revoked.
pub(super) async fn by_token(
    db: &mut PgConnection,
    token_sha256: &[u8],
) -> Result<Option<Linked>, Broken> {
    let Some(account_id) = tokens::account_of(db, Kind::Calendar, token_sha256).await? else {
        return Ok(None);
    };
    let row = sqlx::query!(
        r#"SELECT c.calendar_id, c.user_id, m.role AS "role?" FROM calendars AS c
           LEFT JOIN memberships AS m ON m.account_id = $1 AND m.user_id = c.user_id
           WHERE c.account_id = $1 AND c.token_sha256 = $2 AND c.revoked_at IS NULL"#,
        account_id.0,
        token_sha256
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Linked {
        calendar_id: row.calendar_id.into(),
        account_id,
        user_id: row.user_id.into(),
        role: row.role.as_deref().and_then(Role::parse),
    }))
}
