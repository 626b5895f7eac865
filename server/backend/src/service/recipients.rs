//! Who is told of alerts by mail: adding, asking, agreeing, leaving. What they are told is `service::alerts`'.

use domain::email::{EmailAddress, EmailProblem};
use domain::id::{AccountId, MailId, RecipientId};
use domain::limits::{RECIPIENT_DAYS, RECIPIENT_MAILS_PER_DAY, RECIPIENTS_MAX};
use domain::refusal::AlertRefusal;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use super::alerts::may_change;
use crate::Backend;
use crate::actor::Actor;
use crate::failure::{Broken, Failure};
use crate::jobs::send_mail;
use crate::random;
use crate::secret::{recipient_token, sha256};
use crate::store::audit::{self, Action};
use crate::store::mails::{self, MailRow, Template, To};
use crate::store::recipients::{self, Invited};

pub use crate::store::recipients::RecipientRow;

/// Puts somebody on the list. A confirmed member of the account is on it at once; any other address is asked by mail.
/// True when a mail was sent.
///
/// # Errors
/// [`AlertRefusal`], or broken.
#[tracing::instrument(skip_all, name = "recipients.add")]
pub async fn add(
    backend: &Backend,
    actor: &Actor,
    typed: &str,
) -> Result<bool, Failure<AlertRefusal>> {
    let email = EmailAddress::parse(typed).map_err(|problem| {
        Failure::Refused(match problem {
            EmailProblem::Empty => AlertRefusal::EmailEmpty,
            EmailProblem::TooLong | EmailProblem::Malformed => AlertRefusal::EmailMalformed,
        })
    })?;
    may_change(actor)?;
    let (account_id, now) = (actor.account_id(), backend.clock().now());
    let recipient_id = RecipientId(random::id(now));
    let mut tx = backend.pool().begin().await?;
    if recipients::count_locked(&mut tx, account_id).await? >= RECIPIENTS_MAX {
        return Err(Failure::Refused(AlertRefusal::TooMany));
    }
    let canonical = email.canonical();
    let member = recipients::member(&mut tx, account_id, &canonical).await?;
    let is_new = match member {
        Some(user_id) => {
            recipients::insert_member(&mut tx, account_id, recipient_id, user_id, now).await?
        }
        None => invite(backend, &mut tx, actor, (recipient_id, &canonical), now).await?,
    };
    if !is_new {
        return Err(Failure::Refused(AlertRefusal::AlreadyThere));
    }
    note(&mut tx, actor, Action::RecipientAdded, recipient_id, now).await?;
    tx.commit().await?;
    Ok(member.is_none())
}

async fn invite(
    backend: &Backend,
    db: &mut PgConnection,
    actor: &Actor,
    (recipient_id, email): (RecipientId, &str),
    now: OffsetDateTime,
) -> Result<bool, Failure<AlertRefusal>> {
    let token = recipient_token(&backend.settings().secret_key, recipient_id.0);
    let invited = Invited {
        recipient_id,
        email,
        token_sha256: sha256(token.as_bytes()),
    };
    if !recipients::invite(db, actor.account_id(), &invited, now).await? {
        return Ok(false);
    }
    ask(db, actor.account_id(), recipient_id, now).await?;
    Ok(true)
}

/// Mails the link by which somebody agrees.
async fn ask(
    db: &mut PgConnection,
    account_id: AccountId,
    recipient_id: RecipientId,
    now: OffsetDateTime,
) -> Result<(), Failure<AlertRefusal>> {
    let since = now - Duration::DAY;
    let template = Template::ConfirmRecipient;
    let asked = mails::count_for_account(db, account_id, template, since).await?;
    if asked >= RECIPIENT_MAILS_PER_DAY {
        return Err(Failure::Refused(AlertRefusal::AskedTooOften));
    }
    let mail = MailRow {
        mail_id: MailId(random::id(now)),
        to: To::Recipient(account_id, recipient_id),
        template,
        verification_id: None,
        delivery_id: None,
    };
    Ok(send_mail::enqueue(db, Some(account_id), &mail, now).await?)
}

/// Mails the link once more to somebody who has not agreed.
///
/// # Errors
/// [`AlertRefusal`], or broken.
#[tracing::instrument(skip_all, name = "recipients.resend")]
pub async fn resend(
    backend: &Backend,
    actor: &Actor,
    recipient_id: RecipientId,
) -> Result<(), Failure<AlertRefusal>> {
    may_change(actor)?;
    let (account_id, now) = (actor.account_id(), backend.clock().now());
    let mut tx = backend.pool().begin().await?;
    recipients::count_locked(&mut tx, account_id).await?;
    if !recipients::renew(&mut tx, account_id, recipient_id, now).await? {
        return Err(Failure::Refused(AlertRefusal::NotFound));
    }
    ask(&mut tx, account_id, recipient_id, now).await?;
    Ok(tx.commit().await?)
}

/// Takes somebody off the list. Mails to them that wait are not sent any more.
///
/// # Errors
/// [`AlertRefusal`], or broken.
#[tracing::instrument(skip_all, name = "recipients.remove")]
pub async fn remove(
    backend: &Backend,
    actor: &Actor,
    recipient_id: RecipientId,
) -> Result<(), Failure<AlertRefusal>> {
    may_change(actor)?;
    let now = backend.clock().now();
    let mut tx = backend.pool().begin().await?;
    if !recipients::remove(&mut tx, actor.account_id(), recipient_id).await? {
        return Err(Failure::Refused(AlertRefusal::NotFound));
    }
    note(&mut tx, actor, Action::RecipientRemoved, recipient_id, now).await?;
    Ok(tx.commit().await?)
}

/// True when the link's owner has agreed already; what the page behind the link offers.
///
/// # Errors
/// [`AlertRefusal::LinkUnknown`], or broken.
#[tracing::instrument(skip_all, name = "recipients.link")]
pub async fn link(backend: &Backend, token: &str) -> Result<bool, Failure<AlertRefusal>> {
    let mut tx = backend.pool().begin().await?;
    let linked = linked(backend, &mut tx, token).await?;
    Ok(linked.confirmed_at.is_some())
}

async fn linked(
    backend: &Backend,
    db: &mut PgConnection,
    token: &str,
) -> Result<recipients::Linked, Failure<AlertRefusal>> {
    let oldest = backend.clock().now() - Duration::days(RECIPIENT_DAYS);
    recipients::by_token(db, &sha256(token.as_bytes()))
        .await?
        // A link that was followed lives as long as its recipient: it ends the mails too.
        .filter(|linked| linked.confirmed_at.is_some() || linked.created_at > oldest)
        .ok_or(Failure::Refused(AlertRefusal::LinkUnknown))
}

/// Agrees, by the token of the mailed link. Agreeing twice is agreeing.
///
/// # Errors
/// [`AlertRefusal::LinkUnknown`], or broken.
#[tracing::instrument(skip_all, name = "recipients.agree")]
pub async fn agree(backend: &Backend, token: &str) -> Result<(), Failure<AlertRefusal>> {
    let now = backend.clock().now();
    let mut tx = backend.pool().begin().await?;
    let linked = linked(backend, &mut tx, token).await?;
    if linked.confirmed_at.is_none() {
        let (account_id, id) = (linked.account_id, linked.recipient_id);
        recipients::confirm(&mut tx, account_id, id, now).await?;
        let (action, subject) = (Action::RecipientAgreed, id.to_string());
        audit::append(&mut tx, account_id, None, action, &subject, now).await?;
    }
    Ok(tx.commit().await?)
}

/// Ends the mails to the owner of the link.
///
/// # Errors
/// [`AlertRefusal::LinkUnknown`], or broken.
#[tracing::instrument(skip_all, name = "recipients.stop")]
pub async fn stop(backend: &Backend, token: &str) -> Result<(), Failure<AlertRefusal>> {
    let now = backend.clock().now();
    let mut tx = backend.pool().begin().await?;
    let linked = linked(backend, &mut tx, token).await?;
    let (account_id, id) = (linked.account_id, linked.recipient_id);
    recipients::remove(&mut tx, account_id, id).await?;
    let (action, subject) = (Action::RecipientRemoved, id.to_string());
    audit::append(&mut tx, account_id, None, action, &subject, now).await?;
    Ok(tx.commit().await?)
}

async fn note(
    db: &mut PgConnection,
    actor: &Actor,
    action: Action,
    recipient_id: RecipientId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let (account_id, who) = (actor.account_id(), actor.user_id());
    audit::append(db, account_id, who, action, &recipient_id.to_string(), now).await
}
