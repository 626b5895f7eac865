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
use crate::ledger::chain::store::{DayRow, End};
use crate::queue::turn::Place;

const NAME: &str = "r4";
/// Open findings about days beyond the newest that are looked at again.
const DAYS_AGAIN: i64 = 1_000;
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
    let more = i64::try_from(days.len())? == DAYS_PER_TURN;
    let mut looked_at: Vec<String> = days.iter().map(|row| row.day.to_string()).collect();
    let reached = looked_at.last().filter(|_| more).cloned();
    if !more {
        let (head, last) = (store::head(&mut tx).await?, store::last(&mut tx).await?);
        findings.extend(torn(head.as_ref(), last.as_ref()));
        // An end that was torn is looked at even where it is gone.
        looked_at.extend(head.map(|end| end.day.to_string()));
        let open = findings::open(&mut tx, NAME, DAYS_AGAIN).await?;
        let of_the_end = open.into_iter().filter(|(of, day)| {
            of.is_none() && last.as_ref().is_none_or(|last| *day > last.day.to_string())
        });
        looked_at.extend(of_the_end.map(|(_, day)| day));
    }
    tx.commit().await?;
    let mut db = backend.pool().acquire().await?;
    let report = (Scope::Only(&looked_at), findings.as_slice());
    findings::report(&mut db, NAME, None, report, backend.clock().now()).await?;
    Ok(Place {
        text: reached.unwrap_or_default(),
        more,
    })
}

/// What is wrong with the end of the chain, given the day that was noted as sealed last and the newest there is.
fn torn(head: Option<&End>, last: Option<&End>) -> Option<Finding> {
    if head == last {
        return None;
    }
    let day = |end: Option<&End>| end.map(|end| end.day);
    let shown = |end: Option<&End>| {
        end.map_or_else(String::new, |end| {
            format!("{} {}", end.day, hex(&end.sha256))
        })
    };
    Some(Finding {
        account_id: None,
        fault: if day(head) > day(last) {
            "day_missing"
        } else {
            "head_off"
        },
        subject: day(head).max(day(last))?.to_string(),
        expected: shown(head),
        found: shown(last),
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
