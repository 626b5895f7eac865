//! The statement for programs: every entry with the balance after it, newest first.

use backend::authority::view::View;
use backend::ledger::statement::{self, Cause, EntryKind, EntryRow};
use domain::ceilings::STATEMENT_ROWS_MAX;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use crate::action::problem::Problem;
use crate::twin::{Asked, Pages, Part, Place, Stop, Twin, Word};

/// Dollars are written with so many decimals; ticks beside them are exact.
const PLACES: u32 = 12;

/// `/credit/statement`
pub struct Statement;

/// Nothing is true of all entries.
#[derive(Serialize, ToSchema)]
#[schema(as = StatementHead)]
pub struct Head {}

/// An entry of the ledger as the customer sees it: credit up, usage down.
#[derive(Serialize, ToSchema)]
#[schema(as = StatementEntry)]
pub struct Entry {
    /// When it was booked, RFC 3339 in UTC.
    booked_at: String,
    /// grant, usage, correction, overrun or expiry.
    kind: &'static str,
    /// What caused it: `hour:` with the hour's start, `grant:` or `incident:` with an id.
    cause: String,
    /// Dollars with twelve decimals.
    amount_usd: String,
    /// Booked credit after it, in dollars; none when only one kind is listed.
    balance_usd: Option<String>,
    /// What was used beyond the credit and is not charged: what it would have cost, in dollars; below zero when it is taken
    /// back. It moves no balance.
    not_charged_usd: String,
    /// The amount in ticks.
    amount_ticks: String,
    /// The balance in ticks.
    balance_ticks: Option<String>,
    /// What is not charged in ticks.
    not_charged_ticks: String,
    /// The id of the entry.
    transfer_id: String,
}

impl Twin for Statement {
    const PATH: &'static str = "/credit/statement";
    const ABOUT: &'static str =
        "The statement: every entry of the ledger with the balance after it, newest first.";
    const ROWS: &'static str = "entries";
    const COLUMNS: &'static [&'static str] = &[
        "booked_at",
        "kind",
        "cause",
        "amount_usd",
        "balance_usd",
        "amount_ticks",
        "balance_ticks",
        "transfer_id",
        "not_charged_usd",
        "not_charged_ticks",
    ];
    const WORDS: &'static [Word] = &[Word {
        name: "kind",
        about: "Only entries of this kind: grant, usage, correction, overrun or expiry; they come without balances.",
    }];
    // 1,000 entries are about 120 kB.
    const PAGES: Option<Pages> = Some(Pages {
        at_once: 1_000,
        at_most: STATEMENT_ROWS_MAX,
    });

    type Query = Option<EntryKind>;
    type Head = Head;
    type Row = Entry;

    fn query(asked: &Asked) -> Result<Option<EntryKind>, Vec<Problem>> {
        let Some(word) = asked.get("kind").filter(|word| !word.is_empty()) else {
            return Ok(None);
        };
        let unknown = || {
            vec![Problem::in_field(
                "kind",
                "There is no such kind of entry. Say grant, usage, correction, overrun or expiry.",
            )]
        };
        EntryKind::parse(&word).map(Some).ok_or_else(unknown)
    }

    fn knows(view: &mut View, kind: &Option<EntryKind>, cursor: &str) -> bool {
        statement::knows(view, *kind, cursor)
    }

    async fn read(
        view: &mut View,
        kind: &Option<EntryKind>,
        place: Place<'_>,
    ) -> Result<Part<Self>, Stop> {
        let page = statement::read(view, *kind, place.after, place.rows).await?;
        Ok(Part {
            head: Head {},
            rows: page.rows.iter().map(entry).collect(),
            next: page.next,
        })
    }
}

fn entry(row: &EntryRow) -> Entry {
    Entry {
        booked_at: instant(row.booked_at),
        kind: row.kind.as_str(),
        cause: cause(&row.cause),
        amount_usd: plain(&row.amount.dollars(PLACES)),
        balance_usd: row.balance.map(|ticks| plain(&ticks.dollars(PLACES))),
        not_charged_usd: plain(&row.not_charged.dollars(PLACES)),
        not_charged_ticks: row.not_charged.to_string(),
        amount_ticks: row.amount.to_string(),
        balance_ticks: row.balance.map(|ticks| ticks.to_string()),
        transfer_id: row.transfer_id.to_string(),
    }
}

fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Hour(hour) => format!("hour:{}", instant(*hour)),
        Cause::Grant(id, _) => format!("grant:{id}"),
        Cause::Incident(sandbox_id) => format!("incident:{sandbox_id}"),
        Cause::Unknown => String::new(),
    }
}

fn instant(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// Digits only: no dollar sign and no commas.
fn plain(dollars: &str) -> String {
    dollars.replace(['$', ','], "")
}
