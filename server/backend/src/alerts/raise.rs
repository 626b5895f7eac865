//! Raising what is due: each warning once, and the most urgent of one moment sent to whoever is told.

use crate::alerts::mails::AlertLetter;
use crate::alerts::store;
use crate::mail::letter::Letter as _;
use domain::alert::{self, Alert, Standing, Wanted};
use domain::forecast::Cause;
use domain::id::{AccountId, AlertId, MailId};
use domain::money::Ticks;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::alerts::recipients;
use crate::alerts::store::{AlertRow, Way};
use crate::alerts::webhook::{self, send::SendWebhook};
use crate::failure::Broken;
use crate::mail::{self, MailRow, To};
use crate::queue;
use crate::random;

pub(crate) async fn wanted(db: &mut PgConnection, account_id: AccountId) -> Result<Wanted, Broken> {
    store::wanted(db, account_id).await
}

/// Raises every due warning that was not given yet, those `missed` in months that are over first, and sends the most urgent of
/// them: several at once are one message.
pub(crate) async fn raise(
    db: &mut PgConnection,
    account_id: AccountId,
    standing: &Standing,
    (wanted, missed): (&Wanted, &[Alert]),
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let mut raised: Vec<AlertRow> = Vec::new();
    let zero_at = standing.zero.map(|zero| zero.at.into());
    let missed = missed.iter().map(|alert| (*alert, Ticks::ZERO, None));
    let due = alert::due(standing, wanted).into_iter();
    let due = due.map(|due| (due, left(standing, &due), zero_at));
    for (alert, left, zero_at) in missed.chain(due) {
        let row = AlertRow {
            alert_id: AlertId(random::id(now)),
            alert,
            left,
            zero_at,
            raised_at: now,
        };
        if store::raise(db, account_id, &row).await? {
            metrics::counter!("alerts_raised_total", "kind" => alert.kind.as_str()).increment(1);
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

pub(crate) fn left(standing: &Standing, due: &Alert) -> Ticks {
    match (due.kind.cause(), standing.limit) {
        (Cause::Limit, Some(limit)) => limit.monthly.saturating_sub(limit.spent).max(Ticks::ZERO),
        _ => standing.left,
    }
}

pub(crate) async fn send(
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
        let delivery_id = store::open_delivery(db, account_id, alert_id, way, now).await?;
        let mail = MailRow {
            mail_id: MailId(random::id(now)),
            to: To::Recipient(account_id, recipient.recipient_id),
            template: AlertLetter::NAME.to_owned(),
            about: Some(delivery_id.0),
        };
        mail::send::enqueue(db, Some(account_id), &mail, now).await?;
    }
    if let Some(webhook) = webhook::get(db, account_id).await? {
        let way = Way::Webhook(webhook.webhook_id);
        let delivery_id = store::open_delivery(db, account_id, alert_id, way, now).await?;
        queue::enqueue(db, account_id, &SendWebhook::Alert { delivery_id }, now).await?;
    }
    Ok(())
}
