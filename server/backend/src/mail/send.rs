//! Sends one mail. Safe to run twice: a mail marked sent is not sent again, and a send whose answer was lost repeats
//! with the same message id and the same link.

use domain::id::{AccountId, DeliveryId, MailId};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::alerts::store::AlertRow;
use crate::alerts::{mails as alert_messages, store as alerts};
use crate::failure::Broken;
use crate::identity::mails as messages;
use crate::mail::store::{self, Address, MailRow, Template, To};
use crate::outside::letter::Words;
use crate::outside::smtp::SendError;
use crate::queue::runner::ATTEMPTS_MAX;
use crate::queue::store::{LeasedJob, NewJob};
use crate::queue::{Kind, Trouble, payload_id, store as jobs};
use crate::{Backend, secret};

/// Records a mail and enqueues its sending, in the caller's transaction.
pub(crate) async fn enqueue(
    db: &mut PgConnection,
    account_id: Option<AccountId>,
    mail: &MailRow,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    store::insert(db, mail, now).await?;
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
    let Some((mail, address)) = store::unsent(&mut db, mail_id).await? else {
        return Ok(());
    };
    let alert = match delivery(&mail) {
        Some((account_id, delivery_id)) => {
            match alerts::undelivered(&mut db, account_id, delivery_id).await? {
                Some(alert) => Some(alert),
                // Given up before.
                None => return Ok(()),
            }
        }
        None => None,
    };
    // No connection is held while a mail server takes its time.
    drop(db);
    let Some(Address { email, is_user }) = address else {
        // Whoever it was for is gone, and with them the reason to send it.
        return note(backend, &mail, Some(("recipient_removed", true))).await;
    };
    let to = SecretString::from(email);
    let words = words(backend, &mail, is_user, alert.as_ref())?;
    let sent = backend.mailer().send(mail_id.0, to.expose_secret(), &words);
    match sent.await {
        Ok(()) => {
            let mut db = backend.pool().acquire().await?;
            store::mark_sent(&mut db, mail_id, backend.clock().now()).await?;
            drop(db);
            note(backend, &mail, None).await
        }
        Err(SendError::Later) => {
            let is_last = job.attempt >= ATTEMPTS_MAX;
            note(backend, &mail, Some(("mail_server_away", is_last))).await?;
            Err(Trouble::Retry("mail_server_away"))
        }
        Err(SendError::Never) => {
            note(backend, &mail, Some(("mail_refused", true))).await?;
            Err(Trouble::Fail("mail_refused"))
        }
    }
}

fn delivery(mail: &MailRow) -> Option<(AccountId, DeliveryId)> {
    match mail.to {
        To::Recipient(account_id, _) => Some((account_id, mail.delivery_id?)),
        To::User(_) => None,
    }
}

/// Notes on the delivery of an alert what became of its mail: sent, or the class of a failure and whether it is final.
async fn note(
    backend: &Backend,
    mail: &MailRow,
    failure: Option<(&'static str, bool)>,
) -> Result<(), Trouble> {
    let Some((account_id, delivery_id)) = delivery(mail) else {
        return Ok(());
    };
    let now = backend.clock().now();
    let mut db = backend.pool().acquire().await?;
    match failure {
        None => alerts::delivered(&mut db, account_id, delivery_id, now).await?,
        Some((class, is_final)) => {
            let given_up_at = is_final.then_some(now);
            alerts::failed(&mut db, account_id, delivery_id, class, given_up_at).await?;
        }
    }
    Ok(())
}

fn words(
    backend: &Backend,
    mail: &MailRow,
    is_user: bool,
    alert: Option<&AlertRow>,
) -> Result<Words, Trouble> {
    let (origin, key) = (
        &backend.settings().public_origin,
        &backend.settings().secret_key,
    );
    Ok(match (mail.template, mail.to) {
        (Template::VerifyEmail, _) => {
            let id = mail
                .verification_id
                .ok_or(Trouble::Fail("no_verification"))?;
            messages::verify_email(origin, &secret::verification_token(key, id.0))
        }
        (Template::AlreadyRegistered, _) => messages::already_registered(origin),
        (Template::ConfirmRecipient, To::Recipient(_, recipient_id)) => {
            alert_messages::confirm_recipient(origin, &secret::recipient_token(key, recipient_id.0))
        }
        (Template::Alert, To::Recipient(account_id, recipient_id)) => {
            let alert = alert.ok_or(Trouble::Fail("no_alert"))?;
            // Users end them on the page; nobody else can get there.
            let token = (!is_user).then(|| secret::recipient_token(key, recipient_id.0));
            alert_messages::alert(origin, account_id, token.as_deref(), alert)
        }
        (Template::ConfirmRecipient | Template::Alert, To::User(_)) => {
            return Err(Trouble::Fail("no_recipient"));
        }
    })
}
