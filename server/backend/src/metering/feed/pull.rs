//! Pulls the feed: events and cursor in one transaction, so a crash anywhere repeats or loses nothing. A gap, a rewritten
//! event or a new epoch stops the feed with an alarm before anything of that page is kept; whatever else a line holds, it is
//! kept and the others go on (`keep`). Reading old events again is `recheck`'s.

use std::collections::HashMap;

use domain::ceilings::FEED_EVENTS_PER_PULL;
use sqlx::PgConnection;

use crate::Backend;
use crate::db::moment;
use crate::failure::Broken;
use crate::findings::{self, Finding, Scope};
use crate::metering::FEED;
use crate::metering::feed::CHECK;
use crate::metering::feed::keep::{self, Care, Known};
use crate::metering::feed::line::{self, Line};
use crate::metering::feed::log::{self, Cursor, FAILURES_ALARM, HeldRow};
use crate::outside::orchestrator::CallError;
use crate::outside::orchestrator::wire::FeedPage;

/// What one pull came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// So many new events were stored; with `more`, others wait.
    Stored {
        /// New events.
        events: usize,
        /// Pull again at once.
        more: bool,
    },
    /// Another worker moved the cursor first; nothing was kept.
    Raced,
    /// The orchestrator did not answer, or not by the contract. Nothing changed.
    Unanswered(CallError),
    /// The feed is stopped: now or before.
    Stopped,
}

/// A feed that contradicts what it said before.
#[derive(Clone, Copy)]
pub(super) enum Contradiction {
    Gap,
    Rewritten,
    Epoch,
}

/// How many events are asked for at once: fewer where the answer would be more than is read.
const AT_ONCE: [u32; 4] = [FEED_EVENTS_PER_PULL, 1_000, 50, 2];
/// The word of the finding that the puller itself is about.
const PULLER: &str = "puller";

/// Pulls one page. What breaks is counted: ten in a row are an alarm.
///
/// # Errors
/// When our database fails; then nothing of the page is kept.
pub async fn pull(backend: &Backend) -> Result<Pulled, Broken> {
    let pulled = attempt(backend).await;
    let word = match &pulled {
        Err(broken) if !broken.is_race() => "broken",
        Ok(Pulled::Unanswered(CallError::Garbage)) => "garbage",
        Ok(Pulled::Unanswered(CallError::TooLarge)) => "too_large",
        // Our credential, or our address: it is there and will go on saying so.
        Ok(Pulled::Unanswered(CallError::Refused | CallError::Unknown)) => "refused",
        _ => return pulled,
    };
    metrics::counter!("feed_pulls_broken_total", "reason" => word).increment(1);
    // What cannot be noted because the database is away is that database's alarm.
    if let Err(unnoted) = note_failure(backend, word).await {
        tracing::warn!(cause = %unnoted.cause(), place = %unnoted.place(), verb = unnoted.verb(), "a broken pull could not be counted");
    }
    pulled
}

async fn attempt(backend: &Backend) -> Result<Pulled, Broken> {
    let mut db = backend.pool().acquire().await?;
    let cursor = log::cursor(&mut db, FEED).await?;
    drop(db);
    if cursor.stopped_at.is_some() {
        return Ok(Pulled::Stopped);
    }
    // One event before the cursor is asked for again: if the feed was rewritten behind us, it shows at the seam.
    let after = cursor
        .epoch
        .as_deref()
        .map(|epoch| (epoch, (cursor.seq - 1).max(0)));
    match ask(backend, after).await {
        Ok(page) => keep(backend, &cursor, page).await,
        Err(error) => unanswered(backend, error).await,
    }
}

/// Asks for a page, and for a smaller one where it is more than is read at once.
pub(super) async fn ask(
    backend: &Backend,
    after: Option<(&str, i64)>,
) -> Result<FeedPage, CallError> {
    let mut answer = Err(CallError::TooLarge);
    for limit in AT_ONCE {
        answer = backend.orchestrator().feed(after, limit).await;
        if !matches!(answer, Err(CallError::TooLarge)) {
            break;
        }
    }
    answer
}

/// What follows from a page that did not come.
pub(super) async fn unanswered(backend: &Backend, error: CallError) -> Result<Pulled, Broken> {
    match error {
        CallError::EpochChanged => stop(backend, Contradiction::Epoch).await,
        CallError::CursorAhead => stop(backend, Contradiction::Gap).await,
        error => Ok(Pulled::Unanswered(error)),
    }
}

async fn keep(backend: &Backend, cursor: &Cursor, page: FeedPage) -> Result<Pulled, Broken> {
    let of_another = |epoch: &String| *epoch != page.epoch;
    if cursor.epoch.as_ref().is_some_and(of_another) {
        return stop(backend, Contradiction::Epoch).await;
    }
    let first = if cursor.epoch.is_some() {
        cursor.seq.max(1)
    } else {
        1
    };
    let Ok(lines) = line::lines(&page, first) else {
        return stop(backend, Contradiction::Gap).await;
    };
    // A feed that ends before our cursor has lost events, which is as bad as a gap.
    if cursor.seq > 0 && lines.is_empty() {
        return stop(backend, Contradiction::Gap).await;
    }
    let kept = match keep_once(backend, cursor, &page, &lines, Care::Whole).await {
        Err(broken) if broken.is_of_a_row() => {
            tracing::warn!(cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "a page of the feed is not taken as it is; it is stored line by line");
            keep_once(backend, cursor, &page, &lines, Care::LineByLine).await
        }
        kept => kept,
    }?;
    let events = match kept {
        Kept::Stored(events) => events,
        Kept::Raced => return Ok(Pulled::Raced),
        Kept::Not(contradiction) => return stop(backend, contradiction).await,
    };
    metrics::counter!("feed_events_total").increment(u64::try_from(events)?);
    if cursor.failures >= FAILURES_ALARM {
        note_recovery(backend).await?;
    }
    Ok(Pulled::Stored {
        events,
        more: page.more,
    })
}

/// How storing a page ended.
enum Kept {
    Stored(usize),
    Raced,
    Not(Contradiction),
}

/// Stores the fresh lines of a page and moves the cursor behind them, in one transaction.
async fn keep_once(
    backend: &Backend,
    cursor: &Cursor,
    page: &FeedPage,
    lines: &[Line<'_>],
    care: Care,
) -> Result<Kept, Broken> {
    let now = backend.clock().now();
    let known = lines.partition_point(|line| line.seq <= cursor.seq);
    let (seen, fresh) = lines.split_at(known);
    let to = Cursor {
        epoch: Some(page.epoch.clone()),
        seq: fresh.last().map_or(cursor.seq, |line| line.seq),
        watermark_at: Some(page.watermark_at),
        answered_at: Some(now),
        ..cursor.clone()
    };
    let mut tx = backend.pool().begin().await?;
    // The cursor first: it locks out other workers, and only who holds it may judge or keep a page.
    if !log::advance(&mut tx, FEED, cursor, &to).await? {
        return Ok(Kept::Raced);
    }
    let held = held(&mut tx, &page.epoch, seen).await?;
    if was_rewritten(&held, seen) {
        tx.rollback().await?;
        return Ok(Kept::Not(Contradiction::Rewritten));
    }
    let known = Known {
        feed: (FEED, &page.epoch),
        vouched: cursor.watermark_at.map(moment),
        now,
    };
    keep::keep(&mut tx, &known, fresh, care).await?;
    tx.commit().await?;
    Ok(Kept::Stored(fresh.len()))
}

/// What we hold of these lines, by their numbers.
pub(super) async fn held(
    db: &mut PgConnection,
    epoch: &str,
    lines: &[Line<'_>],
) -> Result<HashMap<i64, HeldRow>, Broken> {
    if lines.is_empty() {
        return Ok(HashMap::new());
    }
    let seqs: Vec<i64> = lines.iter().map(|line| line.seq).collect();
    let rows = log::held(db, (FEED, epoch), &seqs).await?;
    Ok(rows.into_iter().map(|row| (row.seq, row)).collect())
}

/// True when one of these lines that we hold says something else now.
pub(super) fn was_rewritten(held: &HashMap<i64, HeldRow>, lines: &[Line<'_>]) -> bool {
    lines.iter().any(|line| {
        held.get(&line.seq)
            .is_some_and(|held| held.content_sha256 != line.sha256)
    })
}

pub(super) async fn stop(
    backend: &Backend,
    contradiction: Contradiction,
) -> Result<Pulled, Broken> {
    let reason = match contradiction {
        Contradiction::Gap => "gap",
        Contradiction::Rewritten => "rewritten",
        Contradiction::Epoch => "epoch_changed",
    };
    let mut db = backend.pool().acquire().await?;
    log::stop(&mut db, FEED, reason, backend.clock().now()).await?;
    tracing::error!(reason, "feed stopped; a person must look");
    metrics::counter!("feed_stops_total", "reason" => reason).increment(1);
    Ok(Pulled::Stopped)
}

/// Counts a break. The tenth in a row is a finding, and it is seen again each minute for as long as it goes on.
async fn note_failure(backend: &Backend, word: &'static str) -> Result<(), Broken> {
    let mut db = backend.pool().acquire().await?;
    let failures = log::failed(&mut db, FEED).await?;
    if failures < FAILURES_ALARM || (failures - FAILURES_ALARM) % 60 != 0 {
        return Ok(());
    }
    let found = Finding {
        account_id: None,
        fault: "pulls_break",
        subject: PULLER.to_owned(),
        expected: "the feed is pulled".to_owned(),
        found: format!("{word}, {failures} times in a row"),
    };
    let now = backend.clock().now();
    findings::raise(&mut db, CHECK, &[found], now).await
}

/// The finding is over once a page was kept.
async fn note_recovery(backend: &Backend) -> Result<(), Broken> {
    let mut db = backend.pool().acquire().await?;
    let puller = [PULLER.to_owned()];
    let report = (Scope::Only(&puller), &[][..]);
    findings::report(&mut db, CHECK, None, report, backend.clock().now()).await
}
