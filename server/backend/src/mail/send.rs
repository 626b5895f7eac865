//! Sends one mail. Safe to run twice: a mail marked sent is not sent again, and a send whose answer was lost repeats
//! with the same message id and the same link.

use domain::id::{AccountId, MailId};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Backend;
use crate::failure::Broken;
use crate::mail::letter::{Attempt, Text};
use crate::mail::store::{self, Address, MailRow};
use crate::outside::smtp::SendError;
use crate::queue::runner::ATTEMPTS_MAX;
use crate::queue::{self, JobError, LeasedJob};

/// Enqueued with the record of the mail. It is a job by `registry`, which knows the texts.
#[derive(Serialize, Deserialize)]
pub struct SendMail {
    /// The row that says to whom and what; a job holds ids only.
    pub mail_id: MailId,
}

/// Records a mail and enqueues its sending, in the caller's transaction.
pub(crate) async fn enqueue(
    db: &mut PgConnection,
    account_id: Option<AccountId>,
    mail: &MailRow,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    store::insert(db, mail, now).await?;
    let mail_id = mail.mail_id;
    queue::enqueue(db, account_id, &SendMail { mail_id }, now).await
}

/// One attempt, with the words of one of these texts.
pub(crate) async fn attempt(
    backend: &Backend,
    texts: &[Text],
    mail_id: MailId,
    lease: &LeasedJob,
) -> Result<(), JobError> {
    let mut db = backend.pool().acquire().await?;
    let Some((mail, address)) = store::unsent(&mut db, mail_id).await? else {
        return Ok(());
    };
    drop(db);
    let text = texts
        .iter()
        .find(|text| text.name == mail.template)
        .ok_or(JobError::Fail("unknown_template"))?;
    let is_user = address.as_ref().is_some_and(|address| address.is_user);
    let Some(words) = (text.write)(backend, &mail, is_user).await? else {
        return Ok(());
    };
    let Some(Address { email, .. }) = address else {
        // Whoever it was for is gone, and with them the reason to send it.
        return (text.note)(backend, &mail, Attempt::GivenUp("recipient_removed")).await;
    };
    // No connection is held while a mail server takes its time.
    let to = SecretString::from(email);
    let sent = backend.mailer().send(mail_id.0, to.expose_secret(), &words);
    match sent.await {
        Ok(()) => {
            let mut db = backend.pool().acquire().await?;
            store::mark_sent(&mut db, mail_id, backend.clock().now()).await?;
            drop(db);
            (text.note)(backend, &mail, Attempt::Sent).await
        }
        Err(SendError::Later) => {
            let class = "mail_server_away";
            let is_last = lease.attempt >= ATTEMPTS_MAX;
            let attempt = if is_last {
                Attempt::GivenUp(class)
            } else {
                Attempt::Failed(class)
            };
            (text.note)(backend, &mail, attempt).await?;
            Err(JobError::Retry(class))
        }
        Err(SendError::Never) => {
            (text.note)(backend, &mail, Attempt::GivenUp("mail_refused")).await?;
            Err(JobError::Fail("mail_refused"))
        }
    }
}
