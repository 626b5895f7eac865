//! The statement: every entry of the ledger with the balance after it, newest first. A page costs a page, however long
//! the past: the newest balance is stored, and each page hands the balance of its last entry to the next.

pub mod days;
mod store;

use domain::ceilings::{STATEMENT_DAYS, STATEMENT_ENTRIES};
use domain::id::GrantId;
use domain::money::Ticks;
use domain::page::Page;
use domain::sandbox::SandboxId;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Backend;
use crate::authority::actor::Actor;
use crate::authority::view::View;
use crate::db::ticks;
use crate::failure::Broken;
use crate::ledger::GrantReason;
use crate::ledger::statement::days::Days;
use crate::paging::Cursors;

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
    /// Credit that ended unused.
    Expiry,
}

impl EntryKind {
    /// Every kind, as filters list them.
    pub const ALL: [Self; 5] = [
        Self::Usage,
        Self::Grant,
        Self::Correction,
        Self::Overrun,
        Self::Expiry,
    ];

    /// The word in the database and in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Usage => "usage",
            Self::Correction => "correction",
            Self::Overrun => "overrun",
            Self::Expiry => "expiry",
        }
    }

    /// None for a word that is none of them.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What caused a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// What ran in this hour.
    Hour(OffsetDateTime),
    /// A grant that was given or ended.
    Grant(GrantId, GrantReason),
    /// An incident of this sandbox.
    Incident(SandboxId),
    /// Not known; a defect that checks find.
    Unknown,
}

/// A line of the statement.
#[derive(Debug)]
pub struct EntryRow {
    /// Of the transfer; breaks ties between lines of one moment.
    pub transfer_id: Uuid,
    /// By our clock; the hour it pays for may lie far before.
    pub booked_at: OffsetDateTime,
    /// What it is.
    pub kind: EntryKind,
    /// Where its link on the statement leads.
    pub cause: Cause,
    /// As the customer sees it: credit up, usage down.
    pub amount: Ticks,
    /// What was used beyond the credit and moves no balance: what it would have cost. Below zero when it is taken back.
    pub not_charged: Ticks,
    /// Booked credit after it; only while all kinds are listed, since it is the sum of all of them.
    pub balance: Option<Ticks>,
}

/// Where a page starts: after an entry, with the balance before that entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    booked_at: OffsetDateTime,
    transfer_id: Uuid,
    balance: Option<Ticks>,
}

impl Place {
    /// What follows an entry, with the balance before it.
    fn after(entry: &EntryRow) -> Self {
        let before = |balance: Ticks| balance.saturating_sub(entry.amount);
        Self {
            booked_at: entry.booked_at,
            transfer_id: entry.transfer_id,
            balance: entry.balance.map(before),
        }
    }

    /// As a cursor carries it; the signature of that keeps anybody from making up a balance that our page would show.
    fn write(&self, cursors: &Cursors<'_>) -> String {
        let balance = self
            .balance
            .map_or_else(|| "-".to_owned(), |ticks| ticks.to_string());
        cursors.write_at(
            self.booked_at,
            format_args!("{} {balance}", self.transfer_id),
        )
    }

    fn read(cursors: &Cursors<'_>, cursor: &str) -> Option<Self> {
        let (booked_at, rest) = cursors.read_at(cursor)?;
        let (transfer_id, balance) = rest.split_once(' ')?;
        let balance = match balance {
            "-" => None,
            ticks => Some(Ticks::new(ticks.parse().ok()?)?),
        };
        Some(Self {
            booked_at,
            transfer_id: transfer_id.parse().ok()?,
            balance,
        })
    }

    /// The place of a cursor in the list of one kind, or in the whole one. A place without a balance comes from a filtered
    /// list and cannot continue the whole one.
    fn of(backend: &Backend, actor: &Actor, kind: Option<EntryKind>, cursor: &str) -> Option<Self> {
        let place = Self::read(&cursors(backend, actor), cursor);
        place.filter(|place| place.balance.is_some() == kind.is_none())
    }
}

fn cursors<'a>(backend: &'a Backend, actor: &Actor) -> Cursors<'a> {
    Cursors::of(backend.settings(), actor.account_id(), "statement")
}

/// Whether a cursor names a place in this list. What does not means the first page.
#[must_use]
pub fn knows(view: &mut View, kind: Option<EntryKind>, cursor: &str) -> bool {
    let (backend, actor, _) = view.parts();
    Place::of(backend, actor, kind, cursor).is_some()
}

/// A page of `rows` entries, newest first; of one kind when one is named, and then without balances.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "statement.read")]
pub async fn read(
    view: &mut View,
    kind: Option<EntryKind>,
    cursor: Option<&str>,
    rows: usize,
) -> Result<Page<EntryRow>, Broken> {
    let (backend, actor, db) = view.parts();
    with(backend, db, actor, (kind, cursor, rows)).await
}

/// The same, in the caller's snapshot.
pub(crate) async fn with(
    backend: &Backend,
    db: &mut PgConnection,
    actor: &Actor,
    (kind, cursor, rows): (Option<EntryKind>, Option<&str>, usize),
) -> Result<Page<EntryRow>, Broken> {
    let account_id = actor.account_id();
    let place = cursor.and_then(|cursor| Place::of(backend, actor, kind, cursor));
    let mut balance = match (kind, place) {
        (Some(_), _) => None,
        (None, Some(place)) => place.balance,
        (None, None) => Some(store::booked(db, account_id).await?),
    };
    let after = place.map(|place| (place.booked_at, place.transfer_id));
    let limit = i64::try_from(rows)?.saturating_add(1);
    let word = kind.map(EntryKind::as_str);
    let found = store::entries(db, account_id, word, after, limit).await?;
    let is_more = found.len() > rows;
    let mut page = Page {
        rows: Vec::with_capacity(rows.min(found.len())),
        next: None,
    };
    for row in found.into_iter().take(rows) {
        let entry = entry(row, balance)?;
        balance = balance.map(|balance| balance.saturating_sub(entry.amount));
        page.rows.push(entry);
    }
    if let Some(last) = page.rows.last().filter(|_| is_more) {
        page.next = Some(Place::after(last).write(&cursors(backend, actor)));
    }
    Ok(page)
}

/// The statement by days, newest first: as many whole days as a page holds.
///
/// # Errors
/// When the database fails.
pub(crate) async fn by_days(
    backend: &Backend,
    db: &mut PgConnection,
    actor: &Actor,
    kind: Option<EntryKind>,
    cursor: Option<&str>,
) -> Result<Days, Broken> {
    let Page { rows, next } = with(backend, db, actor, (kind, cursor, STATEMENT_ENTRIES)).await?;
    let (days, is_cut) = days::of(rows, next.is_some(), STATEMENT_DAYS);
    let cut = days::last(&days).filter(|_| is_cut);
    let next = match cut {
        Some(last) => Some(Place::after(last).write(&cursors(backend, actor))),
        None => next,
    };
    Ok(Page { rows: days, next })
}

fn entry(row: store::EntryRow, balance: Option<Ticks>) -> Result<EntryRow, Broken> {
    let kind = EntryKind::parse(&row.kind);
    let kind = kind.ok_or_else(|| Broken::new("transfer of an unknown kind"))?;
    let incident = row.sandbox_id.as_deref().and_then(SandboxId::parse);
    let reason = row.reason.as_deref().and_then(GrantReason::parse);
    let cause = match (row.service_hour, incident, row.grant_id, reason) {
        (Some(hour), ..) => Cause::Hour(hour),
        (None, Some(sandbox_id), ..) => Cause::Incident(sandbox_id),
        (None, None, Some(id), Some(reason)) => Cause::Grant(id.into(), reason),
        _ => Cause::Unknown,
    };
    Ok(EntryRow {
        transfer_id: row.transfer_id,
        booked_at: row.booked_at,
        kind,
        cause,
        amount: ticks(row.amount)?,
        not_charged: ticks(row.not_charged)?,
        balance,
    })
}
