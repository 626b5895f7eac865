//! Warnings that were given, newest first, and what became of each way out.

use crate::alerts::store::{self, DeliveryRow};
use domain::alert::Alert;
use domain::ceilings::PAGE_ROWS;
use domain::forecast::Cause;
use domain::id::{AccountId, AlertId};
use domain::money::Ticks;
use domain::page::Page;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::failure::Broken;
use crate::paging::{Cursors, page};
use crate::settings::Settings;

/// A warning as the history shows it.
pub struct Told {
    /// What it was.
    pub alert: Alert,
    /// By our clock, not the feed's.
    pub raised_at: OffsetDateTime,
    /// Credit, or room under the limit, when it was raised.
    pub left: Ticks,
    /// When the end was expected.
    pub zero_at: Option<OffsetDateTime>,
    /// Who was told, and whether it got through. None: a more urgent one was raised at the same moment and sent instead,
    /// or nobody was there to be told.
    pub deliveries: Vec<DeliveryRow>,
    /// True when a more urgent one of the same moment was sent instead.
    pub is_covered: bool,
}

pub(crate) async fn history(
    db: &mut PgConnection,
    settings: &Settings,
    account_id: AccountId,
    cursor: Option<&str>,
) -> Result<Page<Told>, Broken> {
    let cursors = Cursors::of(settings, account_id, "alerts");
    let after = cursor
        .and_then(|cursor| cursors.read_at(cursor))
        .and_then(|(at, id)| Some((at, id.parse().ok()?)));
    let rows = store::list(db, account_id, after).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.alert_id.0).collect();
    let deliveries = store::deliveries(db, account_id, &ids).await?;
    let of = |id: AlertId| deliveries.iter().filter(move |row| row.alert_id == id);
    let sent: Vec<(OffsetDateTime, Cause)> = rows
        .iter()
        .filter(|row| of(row.alert_id).next().is_some())
        .map(|row| (row.raised_at, row.alert.kind.cause()))
        .collect();
    page(
        rows,
        PAGE_ROWS,
        |row| cursors.write_at(row.raised_at, row.alert_id),
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
