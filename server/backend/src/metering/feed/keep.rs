//! Keeps the fresh lines of a page: each in the log, those that count as events by tenant, and whose events wait. No line is
//! refused: what cannot count is set aside as it was said, with the reason, and the others go on.

use std::collections::{HashMap, HashSet};

use domain::id::AccountId;
use domain::moment::Moment;
use domain::sandbox::SandboxId;
use sqlx::{Acquire as _, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::failure::Broken;
use crate::findings::{self, Finding};
use crate::metering::feed::CHECK;
use crate::metering::feed::events::{self, StoredEvent};
use crate::metering::feed::line::{Aside, Line, Made, Told};
use crate::metering::feed::log::{self, LogRow};
use crate::metering::feed::pending;

/// How a page is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// At once: whatever the database refuses breaks the whole transaction.
    Whole,
    /// Once more, after that: ids are looked up, and events that are refused are found and set aside.
    LineByLine,
}

/// What is known besides the lines.
pub(super) struct Known<'a> {
    pub feed: (&'a str, &'a str),
    /// How far the feed had vouched for itself before this page.
    pub vouched: Option<Moment>,
    pub now: OffsetDateTime,
}

/// Keeps lines that are not in the log yet.
pub(super) async fn keep(
    db: &mut PgConnection,
    known: &Known<'_>,
    fresh: &[Line<'_>],
    care: Care,
) -> Result<(), Broken> {
    if fresh.is_empty() {
        return Ok(());
    }
    let mut judged = judge(db, known, fresh).await?;
    let ends = complete(db, &mut judged).await?;
    if care == Care::LineByLine {
        set_repeated_aside(db, &mut judged).await?;
    }
    findings::raise(db, CHECK, &ends, known.now).await?;
    let mut log: Vec<LogRow> = fresh.iter().zip(&judged).map(log_row).collect();
    let told = judged.into_iter().flatten();
    let mut rows: Vec<StoredEvent> = told.filter_map(Told::stored).collect();
    match care {
        Care::Whole => events::append(db, known.feed, &mut rows).await?,
        Care::LineByLine => {
            let refused = append_what_is_taken(db, known.feed, &mut rows).await?;
            for (row, line) in log.iter_mut().zip(fresh) {
                if refused.contains(&row.seq) {
                    row.set_aside(line, Aside::Refused);
                }
            }
        }
    }
    for row in &log {
        if let Some(reason) = row.set_aside {
            tracing::error!(
                feed.seq = row.seq,
                reason,
                "event set aside; a person must look"
            );
            metrics::counter!("feed_events_set_aside_total", "reason" => reason).increment(1);
        }
    }
    log::append_log(db, known.feed, &log, known.now).await?;
    let (owners, seqs): (Vec<Uuid>, Vec<i64>) = rows
        .iter()
        .map(|row| (row.event.account_id.0, row.event.seq))
        .unzip();
    pending::add(db, &owners, &seqs).await
}

/// What a line says, or why it does not count.
type Judged = Result<Told, Aside>;

/// Judges each line by itself.
async fn judge(
    db: &mut PgConnection,
    known: &Known<'_>,
    fresh: &[Line<'_>],
) -> Result<Vec<Judged>, Broken> {
    let mut accounts: Vec<Uuid> = fresh.iter().filter_map(Line::account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let ours: HashSet<Uuid> = log::known_accounts(db, &accounts)
        .await?
        .into_iter()
        .collect();
    let of_line = |line: &Line<'_>| match line.account() {
        Some(account) if ours.contains(&account) => {
            line.told(known.vouched).ok_or(Aside::Malformed)
        }
        Some(_) => Err(Aside::UnknownAccount),
        None => Err(Aside::Malformed),
    };
    Ok(fresh.iter().map(of_line).collect())
}

/// Gives ends that came damaged what their sandbox is, as its create said it, in this page or before, and a finding to each
/// of them. One of a sandbox that was never created ends nothing and is set aside.
async fn complete(db: &mut PgConnection, judged: &mut [Judged]) -> Result<Vec<Finding>, Broken> {
    let mut damaged: HashMap<AccountId, Vec<String>> = HashMap::new();
    for told in judged.iter().flatten().filter(|told| told.made.is_none()) {
        let ids = damaged.entry(told.account_id).or_default();
        ids.push(told.sandbox_id.to_string());
    }
    let mut found = Vec::new();
    if damaged.is_empty() {
        return Ok(found);
    }
    let mut known: HashMap<(AccountId, SandboxId), Made> = HashMap::new();
    for (account_id, ids) in &damaged {
        for (sandbox_id, made) in events::made(db, *account_id, ids).await? {
            known.insert((*account_id, sandbox_id), made);
        }
    }
    for judged in judged {
        let Ok(told) = judged else { continue };
        let place = (told.account_id, told.sandbox_id.clone());
        if let Some(made) = &told.made {
            known.entry(place).or_insert_with(|| made.clone());
        } else if let Some(of_create) = known.get(&place) {
            told.made = Some(of_create.clone());
            found.push(damaged_end(told));
        } else {
            *judged = Err(Aside::Malformed);
        }
    }
    Ok(found)
}

/// What is said of an end that came damaged and counts all the same.
pub(super) fn damaged_end(told: &Told) -> Finding {
    Finding {
        account_id: Some(told.account_id),
        fault: "end_damaged",
        subject: format!("{} {}", told.sandbox_id, told.seq),
        expected: "a whole event".to_owned(),
        found: format!("{} at {}", told.kind.as_str(), told.occurred_at.unix_ms()),
    }
}

/// Sets lines aside whose id is in the log already, or earlier in this page.
async fn set_repeated_aside(db: &mut PgConnection, judged: &mut [Judged]) -> Result<(), Broken> {
    let ids: Vec<Uuid> = judged.iter().flatten().map(|told| told.event_id).collect();
    let mut seen: HashSet<Uuid> = log::known_events(db, &ids).await?.into_iter().collect();
    for judged in judged {
        if judged
            .as_ref()
            .is_ok_and(|told| !seen.insert(told.event_id))
        {
            *judged = Err(Aside::Repeated);
        }
    }
    Ok(())
}

/// Appends events, in ever smaller parts around those that the database refuses; these it takes out of `rows` and gives their
/// numbers. With n refused ones among m these are some n times log m statements.
async fn append_what_is_taken(
    db: &mut PgConnection,
    feed: (&str, &str),
    rows: &mut Vec<StoredEvent>,
) -> Result<HashSet<i64>, Broken> {
    let mut refused = HashSet::new();
    let mut parts = vec![std::mem::take(rows)];
    // Ends: each part is stored, refused, or cut into two that are smaller.
    while let Some(mut part) = parts.pop() {
        let mut savepoint = db.begin().await?;
        match events::append(&mut savepoint, feed, &mut part).await {
            Ok(()) => {
                savepoint.commit().await?;
                rows.append(&mut part);
            }
            Err(broken) if broken.is_of_a_row() => {
                savepoint.rollback().await?;
                if part.len() > 1 {
                    let rest = part.split_off(part.len() / 2);
                    parts.extend([part, rest]);
                } else {
                    refused.extend(part.iter().map(|row| row.event.seq));
                }
            }
            Err(broken) => return Err(broken),
        }
    }
    Ok(refused)
}

/// What the log keeps of a line: all of it when anything of it does not count.
fn log_row((line, judged): (&Line<'_>, &Judged)) -> LogRow {
    let told = judged.as_ref().ok();
    let mut row = LogRow {
        seq: line.seq,
        event_id: told.map(|told| told.event_id),
        content_sha256: line.sha256,
        account_id: line.account(),
        set_aside: None,
        raw: told
            .filter(|told| told.is_damaged)
            .map(|_| line.raw.to_vec()),
    };
    if let Err(aside) = judged {
        row.set_aside(line, *aside);
    }
    row
}

impl LogRow {
    fn set_aside(&mut self, line: &Line<'_>, aside: Aside) {
        self.event_id = None;
        self.set_aside = Some(aside.as_str());
        self.raw = Some(line.raw.to_vec());
    }
}
