//! The audit log: append only. What a person did is written by the commit of their change; what followed from it by itself,
//! such as credit given, by the subject that did it.

use domain::id::{AccountId, AuditEventId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::random;

/// Credit was given. The word is stored for years: never rename it.
pub(crate) const CREDIT_GRANTED: &str = "credit.granted";

/// Appends a line in the caller's transaction.
pub(crate) async fn append(
    db: &mut PgConnection,
    (account_id, actor_id): (AccountId, Option<UserId>),
    word: &str,
    subject: &str,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let id = AuditEventId(random::id(now));
    sqlx::query!(
        "INSERT INTO audit_events (audit_event_id, account_id, actor_id, action, subject_id, happened_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        id.0, account_id.0, actor_id.map(|id| id.0), word, subject, now
    )
    .execute(db)
    .await?;
    Ok(())
}
