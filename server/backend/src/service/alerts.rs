//! Warnings: raising what is due, who is told, and what became of it. Which are due is `domain::alert`'s; how they go out
//! is the jobs'.

use domain::alert::{self, Alert, HOURS, PERCENTS, Standing, Wanted};
use domain::id::{AccountId, AlertId, MailId};
use domain::money::{Cents, Ticks};
use domain::outlook::{self, Cause};
use domain::page::Page;
use domain::refusal::AlertRefusal;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{FeedStatus, calendar, page, snapshot};
use crate::Backend;
use crate::actor::Actor;
use crate::failure::{Broken, Failure};
use crate::jobs::{send_mail, send_webhook};
use crate::metering::live;
use crate::random;
use crate::store::alerts::{self, AlertRow, Way};
use crate::store::audit::{self, Action};
use crate::store::mails::{MailRow, Template, To};
use crate::store::outlooks::{self, Outlook};
use crate::store::recipients::{self, RecipientRow};
use crate::store::{calendars, decode_cursor, encode_cursor, limits, usage_days, webhooks};
use crate::webhook;

pub use crate::store::alerts::DeliveryRow;

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
#[tracing::instrument(skip_all, name = "alerts.choose")]
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

async fn history(
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

pub(super) fn may_change(actor: &Actor) -> Result<(), Failure<AlertRefusal>> {
    if actor.role().may_change_money() {
        Ok(())
    } else {
        Err(Failure::Refused(AlertRefusal::Forbidden))
    }
}

/// Everything on the page of limit and alerts.
pub struct Alerts {
    /// The monthly limit.
    pub limit: Option<Cents>,
    /// Spent in the UTC month of `feed.as_of`.
    pub spent: Ticks,
    /// The first moment of the next month.
    pub resets_at: OffsetDateTime,
    /// The future as computed last.
    pub outlook: Option<Outlook>,
    /// Which warnings are given.
    pub wanted: Wanted,
    /// Who is told by mail.
    pub recipients: Vec<RecipientRow>,
    /// Where they are posted.
    pub webhook: Option<Webhook>,
    /// The address of the person's calendar feed, and since when it is one.
    pub calendar: Option<(String, OffsetDateTime)>,
    /// Warnings given, newest first.
    pub history: Page<Told>,
    /// How far figures can be trusted.
    pub feed: FeedStatus,
}

/// The webhook as its people see it. No `Debug`: it holds the secret.
pub struct Webhook {
    /// The address.
    pub url: String,
    /// What signs the posts; none for who may not change the webhook.
    pub secret: Option<String>,
    /// When a test was asked for.
    pub test_asked_at: Option<OffsetDateTime>,
    /// When it ended.
    pub test_ended_at: Option<OffsetDateTime>,
    /// Why it did not get through.
    pub test_failure: Option<String>,
    /// The newest alert posted.
    pub last: Option<DeliveryRow>,
}

/// Reads the page of limit and alerts.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "alerts.read")]
pub async fn read(
    backend: &Backend,
    actor: &Actor,
    cursor: Option<&str>,
) -> Result<Alerts, Broken> {
    let account_id = actor.account_id();
    let mut tx = snapshot(backend).await?;
    let live = live::read(backend, &mut tx, account_id).await?;
    let as_of = domain::moment::Moment::from(live.feed.as_of);
    let month = outlook::month_start(as_of);
    let unposted: Ticks = live.running.iter().map(|one| one.since(month).1).sum();
    let posted = usage_days::since(&mut tx, account_id, month).await?;
    let origin = &backend.settings().public_origin;
    let calendar = calendars::live(&mut tx, account_id, actor.user_id()).await?;
    let calendar = calendar.and_then(|(id, created_at)| {
        let path = format!("/calendar/{}", calendar::token(backend, id));
        Some((origin.join(&path).ok()?.to_string(), created_at))
    });
    Ok(Alerts {
        limit: limits::get(&mut tx, account_id).await?,
        spent: posted.saturating_add(unposted),
        resets_at: outlook::next_month(as_of).into(),
        outlook: outlooks::peek(&mut tx, account_id).await?,
        wanted: alerts::wanted(&mut tx, account_id).await?,
        recipients: recipients::list(&mut tx, account_id).await?,
        webhook: read_webhook(backend, &mut tx, actor).await?,
        calendar,
        history: history(&mut tx, account_id, cursor).await?,
        feed: live.feed,
    })
}

async fn read_webhook(
    backend: &Backend,
    db: &mut PgConnection,
    actor: &Actor,
) -> Result<Option<Webhook>, Broken> {
    let Some(row) = webhooks::get(db, actor.account_id()).await? else {
        return Ok(None);
    };
    let secret = || webhook::secret_of(&backend.settings().secret_key, row.webhook_id.0);
    Ok(Some(Webhook {
        secret: actor.role().may_change_money().then(secret),
        url: row.url,
        test_asked_at: row.test_asked_at,
        test_ended_at: row.test_ended_at,
        test_failure: row.test_failure,
        last: alerts::last_post(db, actor.account_id()).await?,
    }))
}
