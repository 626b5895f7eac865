//! Mails to people: which text, to whom, sent when. The words are those of its letter.

use domain::id::{AccountId, MailId, RecipientId, SignUpId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::failure::Broken;

/// Where a mail goes. The address is read when it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// To a user's address.
    User(UserId),
    /// To a recipient of an account's alerts.
    Recipient(AccountId, RecipientId),
    /// To the address of a pending sign-up, whose owner is no user yet.
    SignUp(SignUpId),
}

/// A mail to be sent or sent.
pub struct MailRow {
    /// Also in the message id, so that a repeat is known as one.
    pub mail_id: MailId,
    /// Whose address is read when it is sent.
    pub to: To,
    /// Which text: the word of its letter.
    pub template: String,
    /// The thing it is about, whose kind its letter knows; none for a letter that is about nothing but the person.
    pub about: Option<Uuid>,
}

/// Whose address a mail goes to.
pub(super) struct Address {
    pub email: String,
    /// True when it is a user's, who can sign in.
    pub is_user: bool,
}

/// Records a mail; the job to send it is the caller's to enqueue.
pub(super) async fn insert(
    db: &mut PgConnection,
    mail: &MailRow,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let (user_id, account_id, recipient_id, sign_up_id) = match mail.to {
        To::User(user_id) => (Some(user_id.0), None, None, None),
        To::Recipient(account_id, recipient_id) => {
            (None, Some(account_id.0), Some(recipient_id.0), None)
        }
        To::SignUp(sign_up_id) => (None, None, None, Some(sign_up_id.0)),
    };
    sqlx::query!(
        "INSERT INTO mails (mail_id, user_id, account_id, recipient_id, sign_up_id, template, about, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        mail.mail_id.0, user_id, account_id, recipient_id, sign_up_id, mail.template, mail.about, now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A mail that is neither sent nor given up, with its address; the address is none when nobody is there any more.
pub(super) async fn unsent(
    db: &mut PgConnection,
    mail_id: MailId,
) -> Result<Option<(MailRow, Option<Address>)>, Broken> {
    let row = sqlx::query!(
        r#"SELECT m.user_id, m.account_id, m.recipient_id, m.sign_up_id, m.template, m.about,
                  coalesce(u.email, r.email, member.email, p.email) AS email,
                  r.email IS NULL AND p.email IS NULL AS "is_user!"
           FROM mails AS m
           LEFT JOIN users AS u ON u.user_id = m.user_id
           LEFT JOIN alert_recipients AS r ON r.account_id = m.account_id AND r.recipient_id = m.recipient_id
           LEFT JOIN users AS member ON member.user_id = r.user_id
           LEFT JOIN pending_sign_ups AS p ON p.sign_up_id = m.sign_up_id
           WHERE m.mail_id = $1 AND m.sent_at IS NULL AND m.ended_at IS NULL"#,
        mail_id.0
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let to = match (
        row.user_id,
        row.account_id,
        row.recipient_id,
        row.sign_up_id,
    ) {
        (Some(user_id), ..) => To::User(user_id.into()),
        (None, Some(account_id), Some(recipient_id), _) => {
            To::Recipient(account_id.into(), recipient_id.into())
        }
        (None, None, None, Some(sign_up_id)) => To::SignUp(sign_up_id.into()),
        _ => return Err(Broken::new("mail to nobody")),
    };
    let mail = MailRow {
        mail_id,
        to,
        template: row.template,
        about: row.about,
    };
    let is_user = row.is_user;
    let address = row.email.map(|email| Address { email, is_user });
    Ok(Some((mail, address)))
}

/// Mails of one text to a person since a moment: what keeps an inbox from being filled through us.
pub(crate) async fn count_since(
    db: &mut PgConnection,
    user_id: UserId,
    template: &str,
    since: OffsetDateTime,
) -> Result<i64, Broken> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM mails WHERE user_id = $1 AND template = $2 AND created_at > $3"#,
        user_id.0, template, since
    )
    .fetch_one(db)
    .await?)
}

/// Mails of one text for an account since a moment: what keeps an inbox from being filled through us.
pub(crate) async fn count_for_account(
    db: &mut PgConnection,
    account_id: AccountId,
    template: &str,
    since: OffsetDateTime,
) -> Result<i64, Broken> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM mails WHERE account_id = $1 AND template = $2 AND created_at > $3"#,
        account_id.0, template, since
    )
    .fetch_one(db)
    .await?)
}

pub(super) async fn mark_sent(
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

/// Notes that a mail will never be sent, and why.
pub(super) async fn mark_ended(
    db: &mut PgConnection,
    mail_id: MailId,
    failure: &str,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE mails SET ended_at = $3, failure = $2 WHERE mail_id = $1 AND sent_at IS NULL",
        mail_id.0,
        failure,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}
