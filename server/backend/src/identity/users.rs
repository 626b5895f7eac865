//! People and their addresses.

use domain::id::{AccountId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::db::violates;
use crate::failure::Broken;

/// A person as sign-in needs them.
pub struct UserRow {
    pub user_id: UserId,
    /// PHC string.
    pub password_hash: String,
}

pub struct NewUser<'a> {
    pub user_id: UserId,
    /// The address as typed.
    pub email: &'a str,
    /// The address in its compared form.
    pub canonical: &'a str,
    /// PHC string.
    pub password_hash: &'a str,
    pub country: &'a str,
}

/// Inserts a person and claims the address; false when somebody has it already (nothing then remains, because the
/// caller rolls back). The unique table decides, so two sign-ups at once cannot both win.
pub(crate) async fn insert(
    db: &mut PgConnection,
    user: &NewUser<'_>,
    now: OffsetDateTime,
) -> Result<bool, Broken> {
    sqlx::query!(
        "INSERT INTO users (user_id, email, password_hash, country, created_at) VALUES ($1, $2, $3, $4, $5)",
        user.user_id.0, user.email, user.password_hash, user.country, now
    )
    .execute(&mut *db)
    .await?;
    let claimed = sqlx::query!(
        "INSERT INTO user_emails (canonical, user_id, created_at) VALUES ($1, $2, $3)",
        user.canonical,
        user.user_id.0,
        now
    )
    .execute(db)
    .await;
    match claimed {
        Ok(_) => Ok(true),
        Err(error) if violates(&error, "user_emails_pkey") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn by_email(
    db: &mut PgConnection,
    canonical: &str,
) -> Result<Option<UserRow>, Broken> {
    let row = sqlx::query!(
        "SELECT u.user_id, u.password_hash FROM users AS u JOIN user_emails AS e USING (user_id) WHERE e.canonical = $1",
        canonical
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| UserRow {
        user_id: row.user_id.into(),
        password_hash: row.password_hash,
    }))
}

/// The accounts of a person, oldest first; at most a hundred.
pub(crate) async fn accounts_of(
    db: &mut PgConnection,
    user_id: UserId,
) -> Result<Vec<AccountId>, Broken> {
    let ids = sqlx::query_scalar!(
        "SELECT account_id FROM user_accounts WHERE user_id = $1 ORDER BY joined_at, account_id LIMIT 100",
        user_id.0
    );
    let ids = ids.fetch_all(db).await?;
    Ok(ids.into_iter().map(AccountId).collect())
}
