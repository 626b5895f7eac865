//! Reads old lines of the feed again and holds two records against them. What the log keeps of a line contradicts a feed that
//! says something else now, which stops the feed. And each line in hand is what a row of `feed_events` must say: one that was
//! changed, removed or added is a finding by itself. Checks that fold events go round the sandboxes of such rows
//! (`checks::evidence`), so that one wrong row is one finding.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::id::AccountId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Backend;
use crate::authority::view::snapshot;
use crate::db;
use crate::failure::Broken;
use crate::findings::{self, Finding, Scope};
use crate::metering::FEED;
use crate::metering::feed::CHECK;
use crate::metering::feed::events::{self, EVENTS_MAX, Row};
use crate::metering::feed::keep;
use crate::metering::feed::line::{self, Line, Told};
use crate::metering::feed::log::{self, HeldRow};
use crate::metering::feed::pull::{self, Contradiction, Pulled};

/// Open findings of the feed that are looked at again with the page they lie in.
const OPEN_AGAIN: i64 = 10_000;

/// Reads one page of old events again and holds it against what is stored. `pull` sees only the seam; this walks the whole
/// feed round and round, so a rewrite anywhere stops the feed sooner or later.
///
/// # Errors
/// When our database fails.
pub async fn recheck(backend: &Backend) -> Result<Pulled, Broken> {
    let mut db = backend.pool().acquire().await?;
    let cursor = log::cursor(&mut db, FEED).await?;
    let from = log::rechecked(&mut db, FEED).await?;
    drop(db);
    let Some(epoch) = cursor
        .epoch
        .as_deref()
        .filter(|_| cursor.stopped_at.is_none())
    else {
        return Ok(Pulled::Stopped);
    };
    let page = match pull::ask(backend, Some((epoch, from))).await {
        Ok(page) => page,
        Err(error) => return pull::unanswered(backend, error).await,
    };
    let Ok(lines) = line::lines(&page, from + 1) else {
        return pull::stop(backend, Contradiction::Gap).await;
    };
    let known = lines.partition_point(|line| line.seq <= cursor.seq);
    let known = &lines[..known];
    let reached = known.last().map_or(from, |line| line.seq);
    let mut tx = snapshot(backend).await?;
    let held = pull::held(&mut tx, epoch, known).await?;
    if pull::was_rewritten(&held, known) {
        tx.rollback().await?;
        return pull::stop(backend, Contradiction::Rewritten).await;
    }
    let found = compare(&mut tx, epoch, known, &held, (from, reached)).await?;
    tx.commit().await?;
    report(backend, found, (from, reached)).await?;
    let next = if reached >= cursor.seq || known.is_empty() {
        0
    } else {
        reached
    };
    let mut db = backend.pool().acquire().await?;
    log::set_rechecked(&mut db, FEED, next).await?;
    Ok(Pulled::Stored {
        events: 0,
        more: next > 0,
    })
}

/// Holds the rows with numbers in `(from, to]` of all accounts that these lines name against the lines.
async fn compare(
    db: &mut PgConnection,
    epoch: &str,
    lines: &[Line<'_>],
    held: &HashMap<i64, HeldRow>,
    bounds: (i64, i64),
) -> Result<Vec<Finding>, Broken> {
    let accounts: BTreeSet<Uuid> = lines.iter().filter_map(Line::account).collect();
    let accounts: Vec<Uuid> = accounts.into_iter().collect();
    // Of each account one range of an index, whatever the planner believes.
    db::expect_keys(db).await?;
    db::join_by_keys(db, true).await?;
    let rows = events::rows_between(db, (FEED, epoch), &accounts, bounds).await?;
    if i64::try_from(rows.len())? == EVENTS_MAX {
        return Err(Broken::new("more events than the feed holds"));
    }
    let mut rows: HashMap<(Uuid, i64), Row> =
        rows.into_iter().map(|row| (row.place(), row)).collect();
    let mut found = Vec::new();
    for line in lines {
        let Some(of_log) = held.get(&line.seq) else {
            found.push(missing_line(line));
            // Whether its event should be there is what is not known any more.
            rows.retain(|(_, seq), _| *seq != line.seq);
            continue;
        };
        // How far the feed had vouched for itself when this was stored is not known any more; it counted, so it was told.
        let told = line.told(None).filter(|_| of_log.counts);
        let Some(told) = told else { continue };
        if told.is_damaged {
            found.push(keep::damaged_end(&told));
        }
        let row = rows.remove(&(told.account_id.0, line.seq));
        found.extend(differs(&told, row.as_ref()));
    }
    found.extend(rows.values().map(nobody_told));
    Ok(found)
}

/// What is wrong with the row of an event.
fn differs(told: &Told, row: Option<&Row>) -> Option<Finding> {
    let wanted = Row::of(told, row);
    let fault = match row {
        Some(row) if *row == wanted => return None,
        Some(_) => "event_altered",
        None => "event_missing",
    };
    Some(Finding {
        account_id: Some(told.account_id),
        fault,
        subject: format!("{} {}", told.sandbox_id, told.seq),
        expected: wanted.in_short(),
        found: row.map_or_else(String::new, Row::in_short),
    })
}

fn nobody_told(row: &Row) -> Finding {
    let (account, seq) = row.place();
    Finding {
        account_id: Some(account.into()),
        fault: "event_extra",
        subject: format!("{} {seq}", row.sandbox_id()),
        expected: String::new(),
        found: row.in_short(),
    }
}

/// A line that was stored, since the cursor is behind it, and that the log does not hold any more.
fn missing_line(line: &Line<'_>) -> Finding {
    Finding {
        account_id: line.account().map(Into::into),
        fault: "line_missing",
        subject: format!("log {}", line.seq),
        expected: crate::secret::hex(&line.sha256),
        found: String::new(),
    }
}

/// Raises what was found in `(from, to]` and resolves what is gone there, account by account.
async fn report(
    backend: &Backend,
    found: Vec<Finding>,
    (from, to): (i64, i64),
) -> Result<(), Broken> {
    let now = backend.clock().now();
    let mut db = backend.pool().acquire().await?;
    let open = findings::open(&mut db, CHECK, OPEN_AGAIN).await?;
    if found.is_empty() && open.is_empty() {
        return Ok(());
    }
    let mut of_accounts: BTreeMap<Option<AccountId>, (HashSet<String>, Vec<Finding>)> =
        BTreeMap::new();
    let word = |subject: &str| subject.rsplit(' ').next().unwrap_or_default().to_owned();
    for (account_id, subject) in open {
        let word = word(&subject);
        let inside = |seq: i64| from < seq && seq <= to;
        if word.parse().is_ok_and(inside) {
            of_accounts.entry(account_id).or_default().0.insert(word);
        }
    }
    for finding in found {
        let (words, findings) = of_accounts.entry(finding.account_id).or_default();
        words.insert(word(&finding.subject));
        findings.push(finding);
    }
    for (account_id, (words, found)) in of_accounts {
        let words: Vec<String> = words.into_iter().collect();
        let report = (Scope::Only(&words), found.as_slice());
        findings::report(&mut db, CHECK, account_id, report, now).await?;
    }
    Ok(())
}
