//! R4, second half: the chain of ledger days. Each day's link hashes the link of the day before and a digest per account
//! over every column of its transfers; `seal` makes links, this verifies them. Who changes a transfer, a link or
//! both contradicts the link, the chain or the log in which each link was said.

pub mod seal;
mod store;

use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use time::Date;
use uuid::Uuid;

use crate::Backend;
use crate::authority::view::snapshot;
use crate::failure::Broken;
use crate::findings::{self, Finding, Scope};
use crate::ledger::chain::store::DayRow;
use crate::queue::turn::Place;

const NAME: &str = "r4";
/// Days verified in one turn; the round goes on at once until it has been through all.
const DAYS_PER_TURN: i64 = 10;
/// Accounts whose digests are made by one statement.
const ACCOUNTS_AT_ONCE: i64 = 500;
/// Before every day: the ledger is younger.
const START: Date = time::macros::date!(2000 - 01 - 01);
/// What stands before the first day.
pub const GENESIS: [u8; 32] = [0; 32];

/// Makes the link of a day from the transfers as they are now.
async fn link(db: &mut PgConnection, day: Date, previous: &[u8]) -> Result<DayRow, Broken> {
    let mut hash = Sha256::new();
    hash.update(b"isorun ledger day\0");
    hash.update(previous);
    hash.update(day.to_string().as_bytes());
    let mut row = DayRow {
        day,
        transfers: 0,
        ticks: domain::money::Ticks::ZERO,
        previous: previous.to_vec(),
        sha256: Vec::new(),
    };
    let mut after = Uuid::nil();
    loop {
        let (digests, last) = store::digests(db, day, after, ACCOUNTS_AT_ONCE).await?;
        for digest in digests {
            hash.update(digest.account_id.0.as_bytes());
            hash.update(&digest.sha256);
            row.transfers += digest.transfers;
            row.ticks = row.ticks.saturating_add(digest.ticks);
        }
        // Ends: `after` grows with each page and accounts are finite.
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    row.sha256 = hash.finalize().to_vec();
    Ok(row)
}

/// Verifies a bounded number of days.
pub(crate) async fn verify(backend: &Backend, place: &str) -> Result<Place, Broken> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let from = Date::parse(place, format).unwrap_or(START);
    let mut tx = snapshot(backend).await?;
    // The last day of the turn before comes again, as what the first of this one must follow.
    let days = store::since(&mut tx, from, DAYS_PER_TURN).await?;
    let mut findings = Vec::new();
    let mut before: Option<(DayRow, DayRow)> = None;
    for stored in &days {
        let made = link(&mut tx, stored.day, &stored.previous).await?;
        if made != *stored {
            findings.push(finding("day_altered", &made, stored));
        }
        let first = from == START && before.is_none();
        let follows = match &before {
            Some((made, was)) => {
                let next = was.day.next_day() == Some(stored.day);
                // Either will do: an altered link is a finding of its own day, not of the next.
                next && [&made.sha256, &was.sha256].contains(&&stored.previous)
            }
            None => !first || stored.previous == GENESIS,
        };
        if !follows {
            findings.push(finding("chain_broken", &made, stored));
        }
        before = Some((made, stored.clone()));
    }
    tx.commit().await?;
    let days_seen: Vec<String> = days.iter().map(|row| row.day.to_string()).collect();
    let mut db = backend.pool().acquire().await?;
    let report = (Scope::Only(&days_seen), findings.as_slice());
    findings::report(&mut db, NAME, None, report, backend.clock().now()).await?;
    let more = i64::try_from(days.len())? == DAYS_PER_TURN;
    Ok(Place {
        text: days_seen
            .last()
            .filter(|_| more)
            .cloned()
            .unwrap_or_default(),
        more,
    })
}

fn finding(fault: &'static str, made: &DayRow, stored: &DayRow) -> Finding {
    let shown = |row: &DayRow| {
        format!(
            "{} transfers {} ticks {}",
            row.transfers,
            row.ticks,
            hex(&row.sha256)
        )
    };
    Finding {
        account_id: None,
        fault,
        subject: stored.day.to_string(),
        expected: shown(made),
        found: shown(stored),
    }
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
