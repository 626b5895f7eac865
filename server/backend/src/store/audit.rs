//! The audit log: append only. Reading it is for the activity page of a later issue.

use domain::id::{AccountId, AuditEventId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::random;

/// What can stand in the log. The words are stored for years: add, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// An account was opened.
    SignUp,
    /// The owner confirmed their address.
    EmailVerified,
    /// A key was made.
    KeyCreated,
    /// A key was revoked.
    KeyRevoked,
    /// A sandbox's timer was set.
    SandboxTimeoutSet,
    /// Credit was given.
    CreditGranted,
}

impl Action {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "account.sign_up",
            Self::EmailVerified => "user.email_verified",
            Self::KeyCreated => "key.created",
            Self::KeyRevoked => "key.revoked",
            Self::SandboxTimeoutSet => "sandbox.timeout_set",
            Self::CreditGranted => "credit.granted",
        }
    }
}

/// Appends a line in the caller's transaction.
pub async fn append(
    db: &mut PgConnection,
    account_id: AccountId,
    actor_id: UserId,
    action: Action,
    subject: &str,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let id = AuditEventId(random::id(now));
    sqlx::query!(
        "INSERT INTO audit_events (audit_event_id, account_id, actor_id, action, subject_id, happened_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        id.0, account_id.0, actor_id.0, action.as_str(), subject, now
    )
    .execute(db)
    .await?;
    Ok(())
}
