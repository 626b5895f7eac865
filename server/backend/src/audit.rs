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
    /// The monthly limit was set.
    LimitSet,
    /// The monthly limit was removed.
    LimitRemoved,
    /// It was chosen which alerts are given.
    AlertsChosen,
    /// Somebody was put on the list of who is told of alerts.
    RecipientAdded,
    /// Somebody was taken off that list.
    RecipientRemoved,
    /// An address agreed to be told.
    RecipientAgreed,
    /// The webhook's address was set.
    WebhookSet,
    /// The webhook got another secret.
    WebhookRenewed,
    /// The webhook was removed.
    WebhookRemoved,
    /// A link to a calendar feed was made.
    CalendarCreated,
    /// A link to a calendar feed was revoked.
    CalendarRevoked,
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
            Self::LimitSet => "limit.set",
            Self::LimitRemoved => "limit.removed",
            Self::AlertsChosen => "alert.chosen",
            Self::RecipientAdded => "alert.recipient_added",
            Self::RecipientRemoved => "alert.recipient_removed",
            Self::RecipientAgreed => "alert.recipient_agreed",
            Self::WebhookSet => "webhook.set",
            Self::WebhookRenewed => "webhook.renewed",
            Self::WebhookRemoved => "webhook.removed",
            Self::CalendarCreated => "calendar.created",
            Self::CalendarRevoked => "calendar.revoked",
        }
    }
}

/// Appends a line in the caller's transaction.
pub async fn append(
    db: &mut PgConnection,
    account_id: AccountId,
    actor_id: impl Into<Option<UserId>> + Send,
    action: Action,
    subject: &str,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let id = AuditEventId(random::id(now));
    sqlx::query!(
        "INSERT INTO audit_events (audit_event_id, account_id, actor_id, action, subject_id, happened_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        id.0, account_id.0, actor_id.into().map(|id| id.0), action.as_str(), subject, now
    )
    .execute(db)
    .await?;
    Ok(())
}
