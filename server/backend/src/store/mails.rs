//! Mails to people: which text, to whom, sent when. The words themselves are `mailer::messages`.

use domain::id::{MailId, UserId, VerificationId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;

/// Which text. The words are in the database: add, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// Confirm your address.
    VerifyEmail,
    /// Somebody tried to sign up with your address, which has an account.
    AlreadyRegistered,
}

impl Template {
    const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::AlreadyRegistered => "already_registered",
        }
    }
}

/// A mail to be sent or sent.
pub struct MailRow {
    /// Its id.
    pub mail_id: MailId,
    /// To whom.
    pub user_id: UserId,
    /// Which text.
    pub template: Template,
    /// The confirmation it carries.
    pub verification_id: Option<VerificationId>,
}

/// Records a mail; the job to send it is the caller's to enqueue.
pub async fn insert(
    db: &mut PgConnection,
    mail: &MailRow,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO mails (mail_id, user_id, template, verification_id, created_at) VALUES ($1, $2, $3, $4, $5)",
        mail.mail_id.0, mail.user_id.0, mail.template.as_str(), mail.verification_id.map(|id| id.0), now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A mail that was not sent yet.
pub async fn unsent(db: &mut PgConnection, mail_id: MailId) -> Result<Option<MailRow>, Broken> {
    let row = sqlx::query!(
        r#"SELECT user_id AS "user_id!", template, verification_id FROM mails
           WHERE mail_id = $1 AND sent_at IS NULL AND user_id IS NOT NULL"#,
        mail_id.0
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let template = match row.template.as_str() {
        "verify_email" => Template::VerifyEmail,
        "already_registered" => Template::AlreadyRegistered,
        _ => return Err(Broken::new("mail with an unknown template")),
    };
    let verification_id = row.verification_id.map(Into::into);
    Ok(Some(MailRow {
        mail_id,
        user_id: row.user_id.into(),
        template,
        verification_id,
    }))
}

/// Mails of one text to a person since a moment: what keeps an inbox from being filled through us.
pub async fn count_since(
    db: &mut PgConnection,
    user_id: UserId,
    template: Template,
    since: OffsetDateTime,
) -> Result<i64, Broken> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM mails WHERE user_id = $1 AND template = $2 AND created_at > $3"#,
        user_id.0, template.as_str(), since
    )
    .fetch_one(db)
    .await?)
}

/// Notes that the mail server has accepted a mail.
pub async fn mark_sent(
    db: &mut PgConnection,
    mail_id: MailId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE mails SET sent_at = $2 WHERE mail_id = $1",
        mail_id.0,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}
