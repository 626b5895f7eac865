//! Sends one mail. Safe to run twice: a mail marked sent is not sent again, and a send whose answer was lost repeats
//! with the same message id and the same link. An address that takes no mail ends it at once, and is no failure of ours: the
//! mail says so, and whoever waits for it is told by its letter.

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
use crate::targets::{self, Target};

/// The class of a mail that the server of its recipient put off.
pub(crate) const PUT_OFF: &str = "mail_put_off";
/// The class of a mail whose address takes none.
pub(crate) const UNDELIVERABLE: &str = "undeliverable";
/// The class of a mail that whoever has the address does not want.
pub(crate) const UNWANTED: &str = "unwanted";

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
        let (mut db, now) = (backend.pool().acquire().await?, backend.clock().now());
        return Ok(store::mark_ended(&mut db, mail_id, "not_needed", now).await?);
    };
    let Some(Address { email, .. }) = address else {
        // Whoever it was for is gone, and with them the reason to send it.
        return end(backend, text, &mail, "recipient_removed").await;
    };
    if !is_user && refuses(backend, &email).await? {
        return end(backend, text, &mail, UNWANTED).await;
    }
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
        Err(SendError::Away) => again(backend, text, &mail, "mail_server_away", lease).await,
        // Put off for a day, it is the address that takes none, and no person of ours can help.
        Err(SendError::PutOff) if lease.attempt >= ATTEMPTS_MAX => {
            end(backend, text, &mail, PUT_OFF).await
        }
        Err(SendError::PutOff) => again(backend, text, &mail, PUT_OFF, lease).await,
        Err(SendError::Undeliverable) => {
            metrics::counter!("mails_undeliverable_total", "letter" => text.name).increment(1);
            end(backend, text, &mail, UNDELIVERABLE).await
        }
        Err(SendError::Refused) => {
            end(backend, text, &mail, "mail_refused").await?;
            Err(JobError::Fail("mail_refused"))
        }
    }
}

/// Whether whoever has an address wants no mail that others have sent to it.
async fn refuses(backend: &Backend, email: &str) -> Result<bool, JobError> {
    let mut db = backend.pool().acquire().await?;
    let target = Target::mail(email);
    Ok(targets::is_refused(&mut db, backend, &target).await?)
}

async fn again(
    backend: &Backend,
    text: &Text,
    mail: &MailRow,
    class: &'static str,
    lease: &LeasedJob,
) -> Result<(), JobError> {
    if lease.attempt >= ATTEMPTS_MAX {
        end(backend, text, mail, class).await?;
    } else {
        (text.note)(backend, mail, Attempt::Failed(class)).await?;
    }
    Err(JobError::Retry(class))
}

/// The mail will never be sent: noted for whoever waits for it, then on the mail itself.
async fn end(
    backend: &Backend,
    text: &Text,
    mail: &MailRow,
    class: &'static str,
) -> Result<(), JobError> {
    (text.note)(backend, mail, Attempt::GivenUp(class)).await?;
    let (mut db, now) = (backend.pool().acquire().await?, backend.clock().now());
    Ok(store::mark_ended(&mut db, mail.mail_id, class, now).await?)
}
