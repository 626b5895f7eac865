//! Pulls the feed: events and cursor in one transaction, so a crash anywhere repeats or loses nothing. A gap, a rewritten
//! event or a new epoch stops the feed with an alarm before anything of that page is kept.

use std::collections::{HashMap, HashSet};

use domain::ceilings::{FEED_EVENTS_PER_PULL, IMAGE_CHARS_MAX};
use domain::feed::{Event, EventKind, StopReason};
use domain::sandbox::{SandboxId, Size};
use serde::Deserialize as _;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Backend;
use crate::db::moment;
use crate::failure::Broken;
use crate::metering::FEED;
use crate::metering::feed::events::{self, StoredEvent};
use crate::metering::feed::log::{self, Cursor, LogRow};
use crate::metering::feed::pending;
use crate::outside::orchestrator::CallError;
use crate::outside::orchestrator::wire::{EventBody, EventHead, FeedPage};
use crate::secret::sha256;

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

/// An event with its place in the feed and the hash of its content.
struct Line<'a> {
    head: EventHead,
    content: &'a Value,
    sha256: [u8; 32],
}

/// A feed that contradicts what it said before.
enum Contradiction {
    Gap,
    Rewritten,
    Epoch,
}

/// Pulls one page.
///
/// # Errors
/// When our database fails; then nothing of the page is kept.
pub async fn pull(backend: &Backend) -> Result<Pulled, Broken> {
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
    let page = match backend
        .orchestrator()
        .feed(after, FEED_EVENTS_PER_PULL)
        .await
    {
        Ok(page) => page,
        Err(CallError::EpochChanged) => return stop(backend, &Contradiction::Epoch).await,
        Err(error) => return Ok(Pulled::Unanswered(error)),
    };
    keep(backend, &cursor, page).await
}

async fn keep(backend: &Backend, cursor: &Cursor, page: FeedPage) -> Result<Pulled, Broken> {
    let Some(lines) = lines(&page) else {
        return Ok(Pulled::Unanswered(CallError::Garbage));
    };
    let now = backend.clock().now();
    let known = lines.partition_point(|line| line.head.seq <= cursor.seq);
    let (seen, fresh) = lines.split_at(known);
    let to = Cursor {
        epoch: Some(page.epoch.clone()),
        seq: fresh.last().map_or(cursor.seq, |line| line.head.seq),
        watermark_at: Some(page.watermark_at),
        answered_at: Some(now),
        ..cursor.clone()
    };
    let mut tx = backend.pool().begin().await?;
    // The cursor first: it locks out other workers, and only who holds it may judge or keep a page.
    if !log::advance(&mut tx, FEED, cursor, &to).await? {
        return Ok(Pulled::Raced);
    }
    if let Err(contradiction) = check(&mut tx, cursor, &page, &lines, seen).await? {
        tx.rollback().await?;
        return stop(backend, &contradiction).await;
    }
    store(&mut tx, &page.epoch, fresh, now).await?;
    tx.commit().await?;
    metrics::counter!("feed_events_total").increment(u64::try_from(fresh.len())?);
    Ok(Pulled::Stored {
        events: fresh.len(),
        more: page.more,
    })
}

/// Reads one page of old events again and holds it against the log. `pull` sees only the seam; this walks the whole feed
/// round and round, so a rewrite anywhere stops the feed sooner or later.
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
    let read = backend
        .orchestrator()
        .feed(Some((epoch, from)), FEED_EVENTS_PER_PULL);
    let page = match read.await {
        Ok(page) => page,
        Err(CallError::EpochChanged) => return stop(backend, &Contradiction::Epoch).await,
        Err(error) => return Ok(Pulled::Unanswered(error)),
    };
    let Some(lines) = lines(&page) else {
        return Ok(Pulled::Unanswered(CallError::Garbage));
    };
    let known = lines.partition_point(|line| line.head.seq <= cursor.seq);
    let known = &lines[..known];
    let mut db = backend.pool().acquire().await?;
    if !is_gapless(known, from + 1) {
        drop(db);
        return stop(backend, &Contradiction::Gap).await;
    }
    if was_rewritten(&mut db, epoch, known).await? {
        drop(db);
        return stop(backend, &Contradiction::Rewritten).await;
    }
    let reached = known.last().map_or(0, |line| line.head.seq);
    let next = if reached >= cursor.seq { 0 } else { reached };
    log::set_rechecked(&mut db, FEED, next).await?;
    Ok(Pulled::Stored {
        events: 0,
        more: next > 0,
    })
}

/// True when one of these events that we hold says something else now.
async fn was_rewritten(
    db: &mut PgConnection,
    epoch: &str,
    lines: &[Line<'_>],
) -> Result<bool, Broken> {
    if lines.is_empty() {
        return Ok(false);
    }
    let now: HashMap<i64, &[u8; 32]> = lines
        .iter()
        .map(|line| (line.head.seq, &line.sha256))
        .collect();
    let seqs: Vec<i64> = lines.iter().map(|line| line.head.seq).collect();
    let held = log::hashes(db, FEED, epoch, &seqs).await?;
    Ok(held.iter().any(|(seq, hash)| {
        now.get(seq)
            .is_some_and(|now| now.as_slice() != hash.as_slice())
    }))
}

/// The events with their places and hashes; `None` when one has no place, because then nothing can be said about gaps.
fn lines(page: &FeedPage) -> Option<Vec<Line<'_>>> {
    let mut text = Vec::new();
    page.events
        .iter()
        .map(|content| {
            Some(Line {
                head: EventHead::deserialize(content).ok()?,
                content,
                sha256: digest(content, &mut text)?,
            })
        })
        .collect()
}

fn is_gapless(lines: &[Line<'_>], first: i64) -> bool {
    lines
        .iter()
        .zip(first..)
        .all(|(line, expected)| line.head.seq == expected)
}

/// Holds the page against what we know: same epoch, no gap, and what we have already is still the same.
async fn check(
    db: &mut PgConnection,
    cursor: &Cursor,
    page: &FeedPage,
    lines: &[Line<'_>],
    seen: &[Line<'_>],
) -> Result<Result<(), Contradiction>, Broken> {
    if cursor
        .epoch
        .as_ref()
        .is_some_and(|epoch| *epoch != page.epoch)
    {
        return Ok(Err(Contradiction::Epoch));
    }
    let first = if cursor.epoch.is_some() {
        cursor.seq.max(1)
    } else {
        1
    };
    // A feed that ends before our cursor has lost events, which is as bad as a gap.
    let lost_tail = cursor.seq > 0 && lines.is_empty();
    if lost_tail || !is_gapless(lines, first) {
        return Ok(Err(Contradiction::Gap));
    }
    if was_rewritten(db, &page.epoch, seen).await? {
        return Ok(Err(Contradiction::Rewritten));
    }
    Ok(Ok(()))
}

/// Hash of an event's content. `serde_json` keeps object keys sorted, so the order of fields does not matter. The buffer is
/// the caller's, because there are ten thousand events to a page.
fn digest(event: &Value, text: &mut Vec<u8>) -> Option<[u8; 32]> {
    text.clear();
    serde_json::to_writer(&mut *text, event).ok()?;
    Some(sha256(text))
}

async fn store(
    db: &mut PgConnection,
    epoch: &str,
    fresh: &[Line<'_>],
    now: time::OffsetDateTime,
) -> Result<(), Broken> {
    if fresh.is_empty() {
        return Ok(());
    }
    let mut accounts: Vec<Uuid> = fresh.iter().map(|line| line.head.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let known: HashSet<Uuid> = log::known_accounts(db, &accounts)
        .await?
        .into_iter()
        .collect();
    let mut log = Vec::with_capacity(fresh.len());
    let mut events = Vec::with_capacity(fresh.len());
    for line in fresh {
        let head = &line.head;
        let parsed = if known.contains(&head.account) {
            parse(head, line.content).ok_or("malformed")
        } else {
            Err("unknown_account")
        };
        let set_aside = parsed.as_ref().err().copied();
        if let Some(reason) = set_aside {
            tracing::error!(
                feed.seq = head.seq,
                reason,
                "event set aside; a person must look"
            );
            metrics::counter!("feed_events_set_aside_total", "reason" => reason).increment(1);
        }
        log.push(LogRow {
            seq: head.seq,
            event_id: head.event_id,
            content_sha256: line.sha256,
            account_id: head.account,
            set_aside,
            body: set_aside.map(|_| line.content.clone()),
        });
        events.extend(parsed);
    }
    log::append_log(db, FEED, epoch, &log, now).await?;
    events::append(db, (FEED, epoch), &mut events).await?;
    let (owners, seqs): (Vec<Uuid>, Vec<i64>) = events
        .iter()
        .map(|row| (row.event.account_id.0, row.event.seq))
        .unzip();
    pending::add(db, &owners, &seqs).await
}

/// An event that can be folded; `None` when a field is missing or out of its range.
fn parse(head: &EventHead, value: &Value) -> Option<StoredEvent> {
    let body = EventBody::deserialize(value).ok()?;
    let event = Event {
        seq: head.seq,
        event_id: head.event_id,
        account_id: head.account.into(),
        sandbox_id: SandboxId::parse(&body.sandbox_id)?,
        key_id: body.key_id.map(Into::into),
        kind: EventKind::parse(&body.kind)?,
        occurred_at: moment(body.occurred_at),
        recorded_at: moment(body.recorded_at),
        image: body
            .image
            .chars()
            .filter(|c| !c.is_control())
            .take(IMAGE_CHARS_MAX)
            .collect(),
        region: domain::key::Region::parse(&body.region)?.to_string(),
        size: Size::new(body.vcpus, body.mem_mib)?,
    };
    Some(StoredEvent {
        event,
        parent_id: body
            .parent_id
            .and_then(|id| SandboxId::parse(&id))
            .map(|id| id.to_string()),
        cpu_ms: body.cpu_ms,
        reason: body.reason.as_deref().and_then(StopReason::parse),
    })
}

async fn stop(backend: &Backend, contradiction: &Contradiction) -> Result<Pulled, Broken> {
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
