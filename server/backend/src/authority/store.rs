//! SQL of authority: the membership, account and person behind a session.

use domain::email::EmailAddress;
use domain::id::UserId;
use domain::role::Role;
use sqlx::PgConnection;

use crate::authority::actor::Actor;
use crate::failure::Broken;

/// The authority of a person in their first account, oldest membership first.
pub async fn actor(db: &mut PgConnection, user_id: UserId) -> Result<Option<Actor>, Broken> {
    let row = sqlx::query!(
        "SELECT m.account_id, m.role, a.name, u.email, u.email_verified_at
         FROM memberships AS m JOIN accounts AS a USING (account_id) JOIN users AS u USING (user_id)
         WHERE m.user_id = $1 ORDER BY m.created_at, m.account_id LIMIT 1",
        user_id.0
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Actor {
        user_id,
        account_id: row.account_id.into(),
        role: Role::parse(&row.role)
            .ok_or_else(|| Broken::new("membership with an unknown role"))?,
        email: EmailAddress::parse(&row.email)
            .map_err(|_| Broken::new("stored address cannot be read"))?,
        account_name: row.name,
        is_verified: row.email_verified_at.is_some(),
    }))
}
