//! The statement as a file: every entry with its balance, newest first. After 100,000 entries it stops and says where the
//! next file starts.

use std::io;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use backend::Backend;
use backend::authority::actor::Actor;
use backend::failure::Broken;
use backend::ledger::statement::{self, Cause, EntryKind, EntryRow};
use domain::ceilings::STATEMENT_ROWS_MAX;
use domain::page::Page;
use futures_util::stream;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::{Instrument as _, Span};
use url::form_urlencoded;

use super::Asked;
use crate::http::edge::Edge;

/// Entries read at once: about 120 kB.
const ROWS_AT_ONCE: usize = 1_000;
/// Dollars are written with so many decimals; ticks beside them are exact.
const PLACES: u32 = 12;

/// How the file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// One line per entry.
    Csv,
    /// One object.
    Json,
}

/// `/credit/statement.csv`
pub async fn csv(State((edge, backend)): State<(Edge, Backend)>, request: Request) -> Response {
    let started = start(backend, Asked::of(&request), Format::Csv).await;
    answer(&edge, &request, started)
}

/// `/credit/statement.json`
pub async fn json(State((edge, backend)): State<(Edge, Backend)>, request: Request) -> Response {
    let started = start(backend, Asked::of(&request), Format::Json).await;
    answer(&edge, &request, started)
}

type Started = Result<Option<(Download, Page<EntryRow>)>, Broken>;

/// Reads the first page before the head of the answer, so that a breakage is a page and not a torn file.
async fn start(backend: Backend, asked: Asked, format: Format) -> Started {
    let Some(actor) = asked.actor(&backend).await? else {
        return Ok(None);
    };
    let word = |name: &str| {
        let mut words = form_urlencoded::parse(asked.words.as_bytes());
        let found = words.find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    };
    let download = Download {
        backend,
        actor,
        kind: word("kind").and_then(|kind| EntryKind::parse(&kind)),
        cursor: word("after"),
        format,
        written: 0,
        stage: Stage::Head,
    };
    let first = download.read().await?;
    Ok(Some((download, first)))
}

fn answer(edge: &Edge, request: &Request, started: Started) -> Response {
    match started {
        Ok(Some((download, first))) => stream(download, first),
        Ok(None) => super::answer(edge, request, Ok(None), ("", "")),
        Err(broken) => super::answer(edge, request, Err(broken), ("", "")),
    }
}

fn stream(download: Download, first: Page<EntryRow>) -> Response {
    let (kind, disposition) = match download.format {
        Format::Csv => (
            "text/csv; charset=utf-8",
            "attachment; filename=\"statement.csv\"",
        ),
        Format::Json => (
            "application/json",
            "attachment; filename=\"statement.json\"",
        ),
    };
    // The body is sent after the request's own span has ended; what breaks then still names the request.
    let request = Span::current();
    let pieces = stream::try_unfold((download, Some(first)), move |(mut download, first)| {
        let piece = async move {
            match download.piece(first).await {
                Ok(text) => Ok(text.map(|text| (text, (download, None)))),
                Err(broken) => {
                    // The head is gone already: a connection that breaks off is the only way left to say so.
                    tracing::error!(cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "a statement broke off");
                    Err(io::Error::other("the statement broke off"))
                }
            }
        };
        piece.instrument(request.clone())
    });
    let headers = [(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, disposition)];
    (headers, Body::from_stream(pieces)).into_response()
}

/// A file on its way: one page is in memory at a time, and no connection is held between pages.
struct Download {
    backend: Backend,
    actor: Actor,
    kind: Option<EntryKind>,
    cursor: Option<String>,
    format: Format,
    written: usize,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Rows,
    Done,
}

impl Download {
    async fn read(&self) -> Result<Page<EntryRow>, Broken> {
        let cursor = self.cursor.as_deref();
        let rows = ROWS_AT_ONCE.min(STATEMENT_ROWS_MAX - self.written.min(STATEMENT_ROWS_MAX));
        let mut view = self.actor.view(&self.backend).await?;
        statement::read(&mut view, self.kind, cursor, rows).await
    }

    /// The next piece of the file; none after its last.
    async fn piece(&mut self, first: Option<Page<EntryRow>>) -> Result<Option<String>, Broken> {
        if self.stage == Stage::Done {
            return Ok(None);
        }
        let page = match first {
            Some(page) => page,
            None => self.read().await?,
        };
        let mut text = String::new();
        if self.stage == Stage::Head {
            text.push_str(match self.format {
                Format::Csv => HEAD,
                Format::Json => "{\"entries\":[\n",
            });
            self.stage = Stage::Rows;
        }
        for row in &page.rows {
            match self.format {
                Format::Csv => text.push_str(&csv_line(row)),
                Format::Json => {
                    if self.written > 0 {
                        text.push_str(",\n");
                    }
                    text.push_str(&json_object(row).to_string());
                }
            }
            self.written += 1;
        }
        if page.next.is_none() || self.written >= STATEMENT_ROWS_MAX {
            text.push_str(&self.tail(page.next.as_deref()));
            self.stage = Stage::Done;
        }
        self.cursor = page.next;
        Ok(Some(text))
    }

    /// How the file ends: whole, or cut with the place to go on from.
    fn tail(&self, next: Option<&str>) -> String {
        match (self.format, next) {
            (Format::Csv, None) => String::new(),
            (Format::Csv, Some(next)) => {
                let kind = self
                    .kind
                    .map_or_else(String::new, |kind| format!("&kind={}", kind.as_str()));
                format!(
                    "# cut after {} entries; older ones: /credit/statement.csv?after={next}{kind}\r\n",
                    self.written
                )
            }
            (Format::Json, next) => {
                format!(
                    "\n],\"cut\":{},\"next\":{}}}\n",
                    next.is_some(),
                    json!(next)
                )
            }
        }
    }
}

const HEAD: &str =
    "booked_at,kind,cause,amount_usd,balance_usd,amount_ticks,balance_ticks,transfer_id\r\n";

/// Every field is made of digits, ids and our own words, so nothing needs quotes and nothing can start a formula but a
/// minus before digits.
fn csv_line(row: &EntryRow) -> String {
    let balance = row
        .balance
        .map_or_else(String::new, |ticks| plain(&ticks.dollars(PLACES)));
    let balance_ticks = row
        .balance
        .map_or_else(String::new, |ticks| ticks.to_string());
    format!(
        "{},{},{},{},{balance},{},{balance_ticks},{}\r\n",
        instant(row.booked_at),
        row.kind.as_str(),
        cause(&row.cause),
        plain(&row.amount.dollars(PLACES)),
        row.amount,
        row.transfer_id
    )
}

/// Ticks are strings: numbers of JSON lose digits beyond 2^53 in most readers.
fn json_object(row: &EntryRow) -> serde_json::Value {
    json!({
        "booked_at": instant(row.booked_at),
        "kind": row.kind.as_str(),
        "cause": cause(&row.cause),
        "amount_usd": plain(&row.amount.dollars(PLACES)),
        "balance_usd": row.balance.map(|ticks| plain(&ticks.dollars(PLACES))),
        "amount_ticks": row.amount.to_string(),
        "balance_ticks": row.balance.map(|ticks| ticks.to_string()),
        "transfer_id": row.transfer_id,
    })
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
