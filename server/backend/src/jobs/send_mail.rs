//! Sends one mail. Safe to run twice: a mail marked sent is not sent again, and a send whose answer was lost repeats
//! with the same message id and the same link.

use domain::id::{AccountId, MailId};
use secrecy::SecretString;
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{Kind, Trouble, payload_id};
use crate::Backend;
use crate::failure::Broken;
use crate::mailer::SendError;
use crate::mailer::messages::{self, Words};
use crate::secret;
use crate::store::jobs::{self, LeasedJob, NewJob};
use crate::store::mails::{self, MailRow, Template};
use crate::store::users;

/// Records a mail and enqueues its sending, in the caller's transaction.
pub(crate) async fn enqueue(
    db: &mut PgConnection,
    account_id: Option<AccountId>,
    mail: &MailRow,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    mails::insert(db, mail, now).await?;
    let job = NewJob {
        kind: Kind::SendMail.as_str(),
        account_id,
        payload: json!({ "mail_id": mail.mail_id }),
        unique_key: format!("send-mail:{}", mail.mail_id),
    };
    jobs::enqueue(db, &job, now).await
}

pub(crate) async fn run(backend: &Backend, job: &LeasedJob) -> Result<(), Trouble> {
    let mail_id = MailId(payload_id(&job.payload, "mail_id")?);
    let mut db = backend.pool().acquire().await?;
    let Some(mail) = mails::unsent(&mut db, mail_id).await? else {
        return Ok(());
    };
    let Some(to) = users::email(&mut db, mail.user_id)
        .await?
        .map(SecretString::from)
    else {
        return Ok(());
    };
    // No connection is held while a mail server takes its time.
    drop(db);
    let words = words(backend, &mail)?;
    match backend
        .mailer()
        .send(mail_id.0, secrecy::ExposeSecret::expose_secret(&to), &words)
        .await
    {
        Ok(()) => {}
        Err(SendError::Later) => return Err(Trouble::Retry("mail_server_away")),
        Err(SendError::Never) => return Err(Trouble::Fail("mail_refused")),
    }
    let mut db = backend.pool().acquire().await?;
    Ok(mails::mark_sent(&mut db, mail_id, backend.clock().now()).await?)
}

fn words(backend: &Backend, mail: &MailRow) -> Result<Words, Trouble> {
    let origin = &backend.settings().public_origin;
    Ok(match mail.template {
        Template::VerifyEmail => {
            let id = mail
                .verification_id
                .ok_or(Trouble::Fail("no_verification"))?;
            messages::verify_email(
                origin,
                &secret::verification_token(&backend.settings().secret_key, id.0),
            )
        }
        Template::AlreadyRegistered => messages::already_registered(origin),
    })
}
