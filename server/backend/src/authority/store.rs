//! SQL of authority: the session, person and account behind a request, which the directory knows, and then the membership
//! and the account itself, which are the cell's.

use domain::email::EmailAddress;
use domain::role::Role;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use crate::authority::actor::Actor;
use crate::authority::sessions;
use crate::failure::Broken;

/// The authority of a live customer session in the person's first account, oldest membership first. Notes that the session
/// was seen, at most once a minute.
pub(super) async fn actor(
    db: &mut PgConnection,
    session_sha256: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<Actor>, Broken> {
    let (idle, absolute) = sessions::limits(now);
    let row = sqlx::query!(
        "SELECT s.seen_at, u.user_id, u.email, ua.account_id
         FROM sessions AS s JOIN users AS u ON u.user_id = s.user_id JOIN user_accounts AS ua ON ua.user_id = u.user_id
         WHERE s.session_id_sha256 = $1 AND s.kind = 'customer'
           AND s.seen_at > $2 AND s.created_at > $3 AND s.expires_at > $4
         ORDER BY ua.joined_at, ua.account_id LIMIT 1",
        session_sha256,
        idle,
        absolute,
        now
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.seen_at < now - Duration::MINUTE {
        sessions::note_seen(&mut *db, session_sha256, now).await?;
    }
    let member = sqlx::query!(
        "SELECT m.role, a.name FROM memberships AS m JOIN accounts AS a ON a.account_id = $1
         WHERE m.account_id = $1 AND m.user_id = $2",
        row.account_id,
        row.user_id
    )
    .fetch_optional(db)
    .await?;
    let Some(member) = member else {
        return Ok(None);
    };
    Ok(Some(Actor {
        user_id: row.user_id.into(),
        account_id: row.account_id.into(),
        role: Role::parse(&member.role)
            .ok_or_else(|| Broken::new("membership with an unknown role"))?,
        email: EmailAddress::parse(&row.email)
            .map_err(|_| Broken::new("stored address cannot be read"))?,
        account_name: member.name,
    }))
}
