//! SQL of authority: the session, person, membership and account behind a request, in one question.

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
        "SELECT s.seen_at, u.user_id, u.email, u.email_verified_at, m.account_id, m.role, a.name
         FROM sessions AS s JOIN users AS u ON u.user_id = s.user_id
         JOIN memberships AS m ON m.user_id = u.user_id JOIN accounts AS a ON a.account_id = m.account_id
         WHERE s.session_id_sha256 = $1 AND s.kind = 'customer'
           AND s.seen_at > $2 AND s.created_at > $3 AND s.expires_at > $4
         ORDER BY m.created_at, m.account_id LIMIT 1",
        session_sha256,
        idle,
        absolute,
        now
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.seen_at < now - Duration::MINUTE {
        sessions::note_seen(db, session_sha256, now).await?;
    }
    Ok(Some(Actor {
        user_id: row.user_id.into(),
        account_id: row.account_id.into(),
        role: Role::parse(&row.role)
            .ok_or_else(|| Broken::new("membership with an unknown role"))?,
        email: EmailAddress::parse(&row.email)
            .map_err(|_| Broken::new("stored address cannot be read"))?,
        account_name: row.name,
        is_verified: row.email_verified_at.is_some(),
    }))
}
