//! Warnings given: once per epoch and threshold by a unique key, with one delivery per way out. Which are due is
//! `domain::alert`'s; how a delivery goes is its job's.

use domain::alert::{Alert, Kind, Wanted};
use domain::ceilings::{PAGE_ROWS, RECIPIENTS_MAX};
use domain::id::{AccountId, AlertId, DeliveryId, RecipientId, WebhookId};
use domain::money::Ticks;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{numeric, ticks};
use crate::failure::Broken;
use crate::random;

/// Which warnings an account wants; all of them while it has not chosen.
pub(super) async fn wanted(db: &mut PgConnection, account_id: AccountId) -> Result<Wanted, Broken> {
    let row = sqlx::query!(
        "SELECT percents, hours FROM alert_settings WHERE account_id = $1",
        account_id.0
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or_else(Wanted::default, |row| Wanted {
        percents: row.percents,
        hours: row.hours,
    }))
}

/// Sets which warnings an account wants.
pub(super) async fn choose(
    db: &mut PgConnection,
    account_id: AccountId,
    wanted: &Wanted,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO alert_settings (account_id, percents, hours, set_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT alert_settings_pkey DO UPDATE
             SET percents = excluded.percents, hours = excluded.hours, set_at = excluded.set_at",
        account_id.0,
        &wanted.percents,
        &wanted.hours,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A warning with what it says.
#[derive(Clone, Debug)]
pub(super) struct AlertRow {
    pub alert_id: AlertId,
    pub alert: Alert,
    /// Credit, or room under the limit, that was left.
    pub left: Ticks,
    /// When it ends, as computed then.
    pub zero_at: Option<OffsetDateTime>,
    pub raised_at: OffsetDateTime,
}

/// Raises a warning; false when it was given before, which is what makes it come once.
pub(super) async fn raise(
    db: &mut PgConnection,
    account_id: AccountId,
    row: &AlertRow,
) -> Result<bool, Broken> {
    let done = sqlx::query!(
        "INSERT INTO alerts (account_id, alert_id, kind, epoch, threshold, left_ticks, zero_at, raised_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT ON CONSTRAINT alerts_once DO NOTHING",
        account_id.0,
        row.alert_id.0,
        row.alert.kind.as_str(),
        row.alert.epoch,
        row.alert.threshold,
        numeric(row.left)?,
        row.zero_at,
        row.raised_at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Mail(RecipientId),
    Webhook(WebhookId),
}

/// Opens a delivery; the job that carries it out is the caller's to enqueue.
pub(super) async fn open_delivery(
    db: &mut PgConnection,
    account_id: AccountId,
    alert_id: AlertId,
    way: Way,
    now: OffsetDateTime,
) -> Result<DeliveryId, Broken> {
    let delivery_id = DeliveryId(random::id(now));
    let (recipient_id, webhook_id) = match way {
        Way::Mail(id) => (Some(id.0), None),
        Way::Webhook(id) => (None, Some(id.0)),
    };
    sqlx::query!(
        "INSERT INTO alert_deliveries (account_id, delivery_id, alert_id, recipient_id, webhook_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        account_id.0,
        delivery_id.0,
        alert_id.0,
        recipient_id,
        webhook_id,
        now
    )
    .execute(db)
    .await?;
    Ok(delivery_id)
}

/// The warning that a delivery carries, while it has neither got through nor been given up.
pub(super) async fn undelivered(
    db: &mut PgConnection,
    account_id: AccountId,
    delivery_id: DeliveryId,
) -> Result<Option<AlertRow>, Broken> {
    let row = sqlx::query!(
        "SELECT a.alert_id, a.kind, a.epoch, a.threshold, a.left_ticks, a.zero_at, a.raised_at
         FROM alert_deliveries AS d JOIN alerts AS a ON a.account_id = $1 AND a.alert_id = d.alert_id
         WHERE d.account_id = $1 AND d.delivery_id = $2 AND d.delivered_at IS NULL AND d.given_up_at IS NULL",
        account_id.0,
        delivery_id.0
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(AlertRow {
            alert_id: row.alert_id.into(),
            alert: alert(&row.kind, row.epoch, row.threshold)?,
            left: ticks(row.left_ticks)?,
            zero_at: row.zero_at,
            raised_at: row.raised_at,
        })
    })
    .transpose()
}

fn alert(kind: &str, epoch: i32, threshold: i32) -> Result<Alert, Broken> {
    Ok(Alert {
        kind: Kind::parse(kind).ok_or_else(|| Broken::new("alert of an unknown kind"))?,
        epoch,
        threshold,
    })
}

pub(super) async fn delivered(
    db: &mut PgConnection,
    account_id: AccountId,
    delivery_id: DeliveryId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE alert_deliveries SET delivered_at = $3, last_failure = NULL WHERE account_id = $1 AND delivery_id = $2",
        account_id.0,
        delivery_id.0,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes the class of a failure; with `given_up_at` no further attempt follows.
pub(super) async fn failed(
    db: &mut PgConnection,
    account_id: AccountId,
    delivery_id: DeliveryId,
    failure: &str,
    given_up_at: Option<OffsetDateTime>,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE alert_deliveries SET last_failure = $3, given_up_at = $4
         WHERE account_id = $1 AND delivery_id = $2 AND delivered_at IS NULL",
        account_id.0,
        delivery_id.0,
        failure,
        given_up_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// One page of the warnings given, newest first.
pub(super) async fn list(
    db: &mut PgConnection,
    account_id: AccountId,
    after: Option<(OffsetDateTime, Uuid)>,
) -> Result<Vec<AlertRow>, Broken> {
    let (at, id) = after.unzip();
    let rows = sqlx::query!(
        "SELECT alert_id, kind, epoch, threshold, left_ticks, zero_at, raised_at FROM alerts
         WHERE account_id = $1 AND ($2::timestamptz IS NULL OR (raised_at, alert_id) < ($2, $3))
         ORDER BY raised_at DESC, alert_id DESC LIMIT $4",
        account_id.0,
        at,
        id,
        PAGE_ROWS + 1
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(AlertRow {
                alert_id: row.alert_id.into(),
                alert: alert(&row.kind, row.epoch, row.threshold)?,
                left: ticks(row.left_ticks)?,
                zero_at: row.zero_at,
                raised_at: row.raised_at,
            })
        })
        .collect()
}

/// A delivery as the history shows it.
#[derive(Clone, Debug)]
pub struct DeliveryRow {
    /// Of which warning.
    pub alert_id: AlertId,
    /// The address of a mail, while its recipient exists; none for the webhook.
    pub email: Option<String>,
    /// True for the webhook.
    pub is_webhook: bool,
    /// When it got through.
    pub delivered_at: Option<OffsetDateTime>,
    /// The class of the last failure.
    pub last_failure: Option<String>,
    /// None while another attempt may follow, and when it got through.
    pub given_up_at: Option<OffsetDateTime>,
}

/// The deliveries of some warnings, at most one per way out and warning.
pub(super) async fn deliveries(
    db: &mut PgConnection,
    account_id: AccountId,
    alerts: &[Uuid],
) -> Result<Vec<DeliveryRow>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT d.alert_id, coalesce(r.email, u.email) AS email, d.webhook_id IS NOT NULL AS "is_webhook!",
                  d.delivered_at, d.last_failure, d.given_up_at
           FROM alert_deliveries AS d
           LEFT JOIN alert_recipients AS r ON r.account_id = $1 AND r.recipient_id = d.recipient_id
           LEFT JOIN users AS u ON u.user_id = r.user_id
           WHERE d.account_id = $1 AND d.alert_id = ANY($2) ORDER BY d.delivery_id LIMIT $3"#,
        account_id.0,
        alerts,
        PAGE_ROWS * (RECIPIENTS_MAX + 1)
    )
    .fetch_all(db)
    .await?;
    let row = rows.into_iter().map(|row| DeliveryRow {
        alert_id: row.alert_id.into(),
        email: row.email,
        is_webhook: row.is_webhook,
        delivered_at: row.delivered_at,
        last_failure: row.last_failure,
        given_up_at: row.given_up_at,
    });
    Ok(row.collect())
}

/// The newest delivery to the webhook.
pub(super) async fn last_post(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Option<DeliveryRow>, Broken> {
    let row = sqlx::query!(
        "SELECT alert_id, delivered_at, last_failure, given_up_at FROM alert_deliveries
         WHERE account_id = $1 AND webhook_id IS NOT NULL ORDER BY delivery_id DESC LIMIT 1",
        account_id.0
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| DeliveryRow {
        alert_id: row.alert_id.into(),
        email: None,
        is_webhook: true,
        delivered_at: row.delivered_at,
        last_failure: row.last_failure,
        given_up_at: row.given_up_at,
    }))
}
