//! What is left of the credit, grant by grant, and the statement of every entry.

use domain::credit::{self, Grant, Payer};
use domain::id::{AccountId, GrantId};
use domain::moment::Moment;
use domain::money::Ticks;
use domain::page::Page;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{FeedStatus, page, snapshot};
use crate::Backend;
use crate::actor::Actor;
use crate::failure::Broken;
use crate::metering::live::{self, Live};
pub use crate::store::ledger::GrantReason;
use crate::store::{decode_cursor, encode_cursor, ledger};

/// A grant as the page shows it.
pub struct GrantRow {
    /// Its id.
    pub grant_id: GrantId,
    /// Why.
    pub reason: GrantReason,
    /// What people read beside it; may be empty.
    pub note: String,
    /// What was given.
    pub given: Ticks,
    /// What is left once running sandboxes are taken off.
    pub remaining: Ticks,
    /// When it was given.
    pub granted_at: OffsetDateTime,
    /// From when on it pays.
    pub starts_at: OffsetDateTime,
    /// When it ends.
    pub ends_at: Option<OffsetDateTime>,
}

/// The credit of an account, up to the settled watermark.
pub struct Credit {
    /// Sum of all grants.
    pub given: Ticks,
    /// Sum of what is left, running sandboxes taken off.
    pub remaining: Ticks,
    /// Given less remaining.
    pub spent: Ticks,
    /// What ran beyond credit: measured, never charged.
    pub overrun: Ticks,
    /// Grants in the order they were given.
    pub grants: Vec<GrantRow>,
    /// How far the figures can be trusted.
    pub feed: FeedStatus,
}

/// What a line of the statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Credit given.
    Grant,
    /// Usage that credit paid.
    Usage,
    /// Usage taken back.
    Correction,
    /// Usage beyond credit, not charged.
    Overrun,
}

/// A line of the statement.
pub struct EntryRow {
    /// When it was booked.
    pub booked_at: OffsetDateTime,
    /// What it is.
    pub kind: EntryKind,
    /// The hour of service.
    pub service_hour: Option<OffsetDateTime>,
    /// As the customer sees it: credit up, usage down.
    pub amount: Ticks,
    /// Booked credit after it.
    pub balance: Ticks,
}

/// Reads the credit.
///
/// # Errors
/// When the database fails.
pub async fn read(backend: &Backend, actor: &Actor) -> Result<Credit, Broken> {
    let mut tx = snapshot(backend).await?;
    let live = live::read(backend, &mut tx, actor.account_id()).await?;
    with(&mut tx, actor.account_id(), &live).await
}

pub(crate) async fn with(
    db: &mut PgConnection,
    account_id: AccountId,
    live: &Live,
) -> Result<Credit, Broken> {
    let stored = ledger::grants(db, account_id).await?;
    let mut grants: Vec<Grant> = stored.iter().map(|row| row.grant.clone()).collect();
    let unposted_overrun = burn_live(&mut grants, live);
    let overrun = ledger::overrun(db, account_id)
        .await?
        .saturating_add(unposted_overrun);
    let rows: Vec<GrantRow> = stored
        .iter()
        .zip(&grants)
        .map(|(row, after)| GrantRow {
            grant_id: row.grant.grant_id,
            reason: row.reason,
            note: row.note.clone(),
            given: row.amount,
            remaining: after.remaining,
            granted_at: row.grant.granted_at.into(),
            starts_at: row.grant.starts_at.into(),
            ends_at: row.grant.ends_at.map(Into::into),
        })
        .collect();
    let given: Ticks = rows.iter().map(|row| row.given).sum();
    let remaining: Ticks = rows.iter().map(|row| row.remaining).sum();
    Ok(Credit {
        given,
        remaining,
        spent: given.saturating_sub(remaining),
        overrun,
        grants: rows,
        feed: live.feed,
    })
}

/// Takes what runs now off the grants, hour by hour, exactly as posting will; gives what no grant covers.
fn burn_live(grants: &mut [Grant], live: &Live) -> Ticks {
    let mut hours: Vec<(Moment, Ticks)> = Vec::new();
    let mut all: Vec<_> = live
        .running
        .iter()
        .flat_map(|running| &running.slices)
        .collect();
    all.sort_by_key(|slice| slice.hour);
    for slice in all {
        match hours.last_mut().filter(|(hour, _)| *hour == slice.hour) {
            Some((_, ticks)) => *ticks = ticks.saturating_add(slice.ticks),
            None => hours.push((slice.hour, slice.ticks)),
        }
    }
    let mut overrun = Ticks::ZERO;
    for (hour, ticks) in hours {
        for (payer, part) in credit::burn(grants, hour, ticks) {
            match payer {
                Payer::Overrun => overrun = overrun.saturating_add(part),
                Payer::Grant(id) => {
                    for grant in grants.iter_mut().filter(|grant| grant.grant_id == id) {
                        grant.remaining = grant.remaining.saturating_sub(part);
                    }
                }
            }
        }
    }
    overrun
}

/// One page of the statement, newest first.
///
/// # Errors
/// When the database fails.
pub async fn statement(
    backend: &Backend,
    actor: &Actor,
    cursor: Option<&str>,
) -> Result<Page<EntryRow>, Broken> {
    let after = cursor
        .and_then(decode_cursor)
        .and_then(|(at, id)| Some((at, id.parse().ok()?)));
    let mut db = backend.pool().acquire().await?;
    let rows = ledger::statement(&mut db, actor.account_id(), after).await?;
    page(
        rows,
        |row| encode_cursor(row.booked_at, &row.transfer_id.to_string()),
        |row| {
            let kind = match row.kind.as_str() {
                "grant" => EntryKind::Grant,
                "usage" => EntryKind::Usage,
                "correction" => EntryKind::Correction,
                "overrun" => EntryKind::Overrun,
                _ => return Err(Broken::new("transfer of an unknown kind")),
            };
            let service_hour = row.service_hour;
            Ok(EntryRow {
                booked_at: row.booked_at,
                kind,
                service_hour,
                amount: row.amount,
                balance: row.balance,
            })
        },
    )
}
