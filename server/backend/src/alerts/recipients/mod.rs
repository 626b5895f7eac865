//! Who is told of alerts by mail: adding, asking, agreeing, leaving. What they are told is `alerts::mails`'.

mod store;

pub(crate) use crate::alerts::recipients::store::insert_member;
pub use crate::alerts::recipients::store::{MailFailure, RecipientRow};
pub(super) use crate::alerts::recipients::store::{email, list, note_reach};

use domain::act::Act;
use domain::alert::AlertRefusal;
use domain::ceilings::{
    RECIPIENT_ASKS_PER_DAY, RECIPIENT_ASKS_PER_TARGET_DAYS, RECIPIENT_DAYS,
    RECIPIENT_MAILS_PER_DAY, RECIPIENTS_MAX, TARGET_DAYS,
};
use domain::email::{EmailAddress, EmailProblem};
use domain::id::{AccountId, MailId, RecipientId};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use crate::alerts::mails::RecipientLetter;
use crate::alerts::recipients::store::Invited;
use crate::authority::actor::Actor;
use crate::authority::change::{Change, Line, OpenChange};
use crate::failure::Failure;
use crate::mail::letter::Letter as _;
use crate::mail::{self, MailRow, To};
use crate::secret::{recipient_token, sha256};
use crate::targets::{self, Ceiling, Held, Target};
use crate::{Backend, random};

/// How often one address is asked, by whichever accounts.
const ASKS: Ceiling = Ceiling {
    purpose: "ask_recipient",
    within: &[
        (Duration::DAY, RECIPIENT_ASKS_PER_DAY),
        (Duration::days(TARGET_DAYS), RECIPIENT_ASKS_PER_TARGET_DAYS),
    ],
};

/// Puts somebody on the list. A member of the account is on it at once; any other address is asked by mail.
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
    let mut change = actor.begin(backend, Act::RecipientAdd).await?;
    let email = EmailAddress::parse(typed).map_err(|problem| {
        Failure::Refused(match problem {
            EmailProblem::Empty => AlertRefusal::EmailEmpty,
            EmailProblem::TooLong | EmailProblem::Malformed => AlertRefusal::EmailMalformed,
            EmailProblem::LocalNotAscii => AlertRefusal::EmailNotAscii,
        })
    })?;
    let (account_id, now) = (change.account_id(), change.now());
    let recipient_id = RecipientId(random::id(now));
    if store::count_locked(&mut change, account_id).await? >= RECIPIENTS_MAX {
        return Err(Failure::Refused(AlertRefusal::TooMany));
    }
    let canonical = email.canonical();
    let member = store::member(&mut change, account_id, &canonical).await?;
    let is_new = match member {
        Some(user_id) => {
            store::insert_member(&mut change, account_id, recipient_id, user_id, now).await?
        }
        None => invite(backend, &mut change, recipient_id, &canonical).await?,
    };
    if !is_new {
        return Err(Failure::Refused(AlertRefusal::AlreadyThere));
    }
    change.commit(recipient_id).await?;
    Ok(member.is_none())
}

async fn invite(
    backend: &Backend,
    change: &mut Change,
    recipient_id: RecipientId,
    email: &str,
) -> Result<bool, Failure<AlertRefusal>> {
    let (account_id, now) = (change.account_id(), change.now());
    let token = recipient_token(backend.root().await?, recipient_id.0);
    let invited = Invited {
        recipient_id,
        email,
        token_sha256: sha256(token.as_bytes()),
    };
    if !store::invite(change, account_id, &invited, now).await? {
        return Ok(false);
    }
    ask(change, backend, (account_id, recipient_id), email, now).await?;
    Ok(true)
}

/// Mails the link by which somebody agrees, as far as the account may ask and the address may be asked. The account is locked.
async fn ask(
    db: &mut PgConnection,
    backend: &Backend,
    (account_id, recipient_id): (AccountId, RecipientId),
    email: &str,
    now: OffsetDateTime,
) -> Result<(), Failure<AlertRefusal>> {
    let since = now - Duration::DAY;
    let template = RecipientLetter::NAME;
    let asked = mail::count_for_account(db, account_id, template, since).await?;
    if asked >= RECIPIENT_MAILS_PER_DAY {
        return Err(Failure::Refused(AlertRefusal::AskedTooOften));
    }
    targets::reserve(db, backend, &Target::mail(email), &ASKS, now)
        .await?
        .map_err(|held| {
            Failure::Refused(match held {
                Held::Unwanted => AlertRefusal::Unwanted,
                Held::Reached => AlertRefusal::AddressAskedTooOften,
            })
        })?;
    let mail = MailRow {
        mail_id: MailId(random::id(now)),
        to: To::Recipient(account_id, recipient_id),
        template: template.to_owned(),
        about: None,
    };
    Ok(mail::send::enqueue(db, Some(account_id), &mail, now).await?)
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
    let mut change = actor.begin(backend, Act::RecipientResend).await?;
    let (account_id, now) = (change.account_id(), change.now());
    store::count_locked(&mut change, account_id).await?;
    let email = store::renew(&mut change, account_id, recipient_id, now).await?;
    let email = email.ok_or(Failure::Refused(AlertRefusal::NotFound))?;
    let ids = (account_id, recipient_id);
    ask(&mut change, backend, ids, &email, now).await?;
    Ok(change.commit(recipient_id).await?)
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
    let mut change = actor.begin(backend, Act::RecipientRemove).await?;
    let account_id = change.account_id();
    if !store::remove(&mut change, account_id, recipient_id).await? {
        return Err(Failure::Refused(AlertRefusal::NotFound));
    }
    Ok(change.commit(recipient_id).await?)
}

/// True when the link's owner has agreed already; what the page behind the link offers.
///
/// # Errors
/// [`AlertRefusal::LinkUnknown`], or broken.
#[tracing::instrument(skip_all, name = "recipients.link")]
pub async fn link(backend: &Backend, token: &str) -> Result<bool, Failure<AlertRefusal>> {
    let mut db = backend.pool().acquire().await?;
    let linked = linked(backend, &mut db, token).await?;
    Ok(linked.confirmed_at.is_some())
}

async fn linked(
    backend: &Backend,
    db: &mut PgConnection,
    token: &str,
) -> Result<store::Linked, Failure<AlertRefusal>> {
    let oldest = backend.clock().now() - Duration::days(RECIPIENT_DAYS);
    store::by_token(db, &sha256(token.as_bytes()))
        .await?
        // A link that was followed lives as long as its recipient: it ends the mails too.
        .filter(|linked| linked.confirmed_at.is_some() || linked.created_at > oldest)
        .ok_or(Failure::Refused(AlertRefusal::LinkUnknown))
}

/// Agrees, by the token of the mailed link. Agreeing twice is agreeing.
///
/// # Errors
/// [`AlertRefusal::LinkUnknown`], [`AlertRefusal::RefusedByThem`], or broken.
#[tracing::instrument(skip_all, name = "recipients.agree")]
pub async fn agree(backend: &Backend, token: &str) -> Result<(), Failure<AlertRefusal>> {
    let mut change = OpenChange::begin(backend, Act::RecipientAgree).await?;
    let linked = linked(backend, &mut change, token).await?;
    if linked.confirmed_at.is_some() {
        return Ok(());
    }
    let target = Target::mail(&linked.email);
    if targets::is_refused(&mut change, backend, &target).await? {
        return Err(Failure::Refused(AlertRefusal::RefusedByThem));
    }
    let (account_id, id, now) = (linked.account_id, linked.recipient_id, change.now());
    store::confirm(&mut change, account_id, id, now).await?;
    Ok(change.commit(by_link(&linked), &[]).await?)
}

/// Ends the mails to the owner of the link.
///
/// # Errors
/// [`AlertRefusal::LinkUnknown`], or broken.
#[tracing::instrument(skip_all, name = "recipients.stop")]
pub async fn stop(backend: &Backend, token: &str) -> Result<(), Failure<AlertRefusal>> {
    let mut change = OpenChange::begin(backend, Act::RecipientStop).await?;
    let linked = linked(backend, &mut change, token).await?;
    store::remove(&mut change, linked.account_id, linked.recipient_id).await?;
    Ok(change.commit(by_link(&linked), &[]).await?)
}

fn by_link(linked: &store::Linked) -> Line {
    Line {
        account_id: linked.account_id,
        user_id: None,
        subject: linked.recipient_id.to_string(),
    }
}
