//! Warnings: raising what is due, who is told, and what became of it. Which are due is `domain::alert`'s; how they go out
//! is the jobs'.

use domain::alert::{self, Alert, HOURS, PERCENTS, Standing, Wanted};
use domain::email::{EmailAddress, EmailProblem};
use domain::id::{AccountId, AlertId, MailId, RecipientId};
use domain::limits::{RECIPIENT_DAYS, RECIPIENT_MAILS_PER_DAY, RECIPIENTS_MAX};
use domain::money::Ticks;
use domain::outlook::Cause;
use domain::page::Page;
use domain::refusal::AlertRefusal;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::page;
use crate::Backend;
use crate::actor::Actor;
use crate::failure::{Broken, Failure};
use crate::jobs::{send_mail, send_webhook};
use crate::random;
use crate::secret::{recipient_token, sha256};
use crate::store::alerts::{self, AlertRow, DeliveryRow, Way};
use crate::store::audit::{self, Action};
use crate::store::mails::{self, MailRow, Template, To};
use crate::store::recipients::{self, Invited};
use crate::store::{decode_cursor, encode_cursor, outlooks, webhooks};

pub use crate::store::recipients::RecipientRow;

pub(crate) async fn wanted(db: &mut PgConnection, account_id: AccountId) -> Result<Wanted, Broken> {
    alerts::wanted(db, account_id).await
}

/// Raises every due warning that was not given yet, and sends the most urgent of them: several at once are one message.
pub(crate) async fn raise(
    db: &mut PgConnection,
    account_id: AccountId,
    standing: &Standing,
    wanted: &Wanted,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let mut raised: Vec<AlertRow> = Vec::new();
    for due in alert::due(standing, wanted) {
        let row = AlertRow {
            alert_id: AlertId(random::id(now)),
            alert: due,
            left: left(standing, &due),
            zero_at: standing.zero.map(|zero| zero.at.into()),
            raised_at: now,
        };
        if alerts::raise(db, account_id, &row).await? {
            metrics::counter!("alerts_raised_total", "kind" => due.kind.as_str()).increment(1);
            raised.push(row);
        }
    }
    let all: Vec<Alert> = raised.iter().map(|row| row.alert).collect();
    for told in alert::told(&all) {
        for row in raised.iter().filter(|row| row.alert == told) {
            send(db, account_id, row.alert_id, now).await?;
        }
    }
    Ok(())
}

fn left(standing: &Standing, due: &Alert) -> Ticks {
    match (due.kind.cause(), standing.limit) {
        (Cause::Limit, Some(limit)) => limit.monthly.saturating_sub(limit.spent).max(Ticks::ZERO),
        _ => standing.left,
    }
}

async fn send(
    db: &mut PgConnection,
    account_id: AccountId,
    alert_id: AlertId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    for recipient in recipients::list(db, account_id).await? {
        if recipient.confirmed_at.is_none() {
            continue;
        }
        let way = Way::Mail(recipient.recipient_id);
        let delivery_id = alerts::open_delivery(db, account_id, alert_id, way, now).await?;
        let mail = MailRow {
            mail_id: MailId(random::id(now)),
            to: To::Recipient(account_id, recipient.recipient_id),
            template: Template::Alert,
            verification_id: None,
            delivery_id: Some(delivery_id),
        };
        send_mail::enqueue(db, Some(account_id), &mail, now).await?;
    }
    if let Some(webhook) = webhooks::get(db, account_id).await? {
        let way = Way::Webhook(webhook.webhook_id);
        let delivery_id = alerts::open_delivery(db, account_id, alert_id, way, now).await?;
        send_webhook::enqueue(db, account_id, delivery_id, now).await?;
    }
    Ok(())
}

/// Chooses which warnings are given; unknown thresholds are left out.
///
/// # Errors
/// [`AlertRefusal::Forbidden`], or broken.
pub async fn choose(
    backend: &Backend,
    actor: &Actor,
    chosen: &Wanted,
) -> Result<(), Failure<AlertRefusal>> {
    may_change(actor)?;
    let known = |all: &[i32], chosen: &[i32]| -> Vec<i32> {
        let chosen = all.iter().filter(|threshold| chosen.contains(threshold));
        chosen.copied().collect()
    };
    let chosen = Wanted {
        percents: known(&PERCENTS, &chosen.percents),
        hours: known(&HOURS, &chosen.hours),
    };
    let (account_id, now) = (actor.account_id(), backend.clock().now());
    let mut tx = backend.pool().begin().await?;
    alerts::choose(&mut tx, account_id, &chosen, now).await?;
    outlooks::touch(&mut tx, &[account_id]).await?;
    let who = actor.user_id();
    audit::append(&mut tx, account_id, who, Action::AlertsChosen, "", now).await?;
    Ok(tx.commit().await?)
}

/// Puts somebody on the list. A confirmed member of the account is on it at once; any other address is asked by mail.
/// True when a mail was sent.
///
/// # Errors
/// [`AlertRefusal`], or broken.
pub async fn add_recipient(
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
pub async fn remove_recipient(
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

/// A warning as the history shows it.
pub struct Told {
    /// What it was.
    pub alert: Alert,
    /// When.
    pub raised_at: OffsetDateTime,
    /// What was left.
    pub left: Ticks,
    /// When the end was expected.
    pub zero_at: Option<OffsetDateTime>,
    /// Who was told, and whether it got through. None: a more urgent one was raised at the same moment and sent instead,
    /// or nobody was there to be told.
    pub deliveries: Vec<DeliveryRow>,
    /// True when a more urgent one of the same moment was sent instead.
    pub is_covered: bool,
}

pub(super) async fn history(
    db: &mut PgConnection,
    account_id: AccountId,
    cursor: Option<&str>,
) -> Result<Page<Told>, Broken> {
    let after = cursor
        .and_then(decode_cursor)
        .and_then(|(at, id)| Some((at, id.parse().ok()?)));
    let rows = alerts::list(db, account_id, after).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.alert_id.0).collect();
    let deliveries = alerts::deliveries(db, account_id, &ids).await?;
    let of = |id: AlertId| deliveries.iter().filter(move |row| row.alert_id == id);
    let sent: Vec<(OffsetDateTime, Cause)> = rows
        .iter()
        .filter(|row| of(row.alert_id).next().is_some())
        .map(|row| (row.raised_at, row.alert.kind.cause()))
        .collect();
    page(
        rows,
        |row| encode_cursor(row.raised_at, &row.alert_id.to_string()),
        |row| {
            let deliveries: Vec<DeliveryRow> = of(row.alert_id).cloned().collect();
            let is_covered =
                deliveries.is_empty() && sent.contains(&(row.raised_at, row.alert.kind.cause()));
            Ok(Told {
                alert: row.alert,
                raised_at: row.raised_at,
                left: row.left,
                zero_at: row.zero_at,
                deliveries,
                is_covered,
            })
        },
    )
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

fn may_change(actor: &Actor) -> Result<(), Failure<AlertRefusal>> {
    if actor.role().may_change_money() {
        Ok(())
    } else {
        Err(Failure::Refused(AlertRefusal::Forbidden))
    }
}
