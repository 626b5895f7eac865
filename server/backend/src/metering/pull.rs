//! Pulls the feed: events and cursor in one transaction, so a crash anywhere repeats or loses nothing. A gap, a rewritten
//! event or a new epoch stops the feed with an alarm before anything of that page is kept.

use std::collections::{HashMap, HashSet};

use domain::feed::{Event, EventKind};
use domain::limits::{FEED_EVENTS_PER_PULL, IMAGE_CHARS_MAX};
use domain::sandbox::{SandboxId, Size};
use serde::Deserialize as _;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::FEED;
use crate::Backend;
use crate::failure::Broken;
use crate::orchestrator::CallError;
use crate::orchestrator::wire::{EventBody, EventHead, FeedPage};
use crate::secret::sha256;
use crate::store::feed::{self, Cursor, LogRow, StoredEvent};
use crate::store::{meters, moment};

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
    let cursor = feed::cursor(&mut db, FEED).await?;
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
    let Some(heads) = heads(&page) else {
        return Ok(Pulled::Unanswered(CallError::Garbage));
    };
    let now = backend.clock().now();
    let fresh: Vec<(&EventHead, &Value)> = heads
        .iter()
        .zip(&page.events)
        .filter(|(head, _)| head.seq > cursor.seq)
        .collect();
    let to = Cursor {
        epoch: Some(page.epoch.clone()),
        seq: fresh.last().map_or(cursor.seq, |(head, _)| head.seq),
        watermark_at: Some(page.watermark_at),
        answered_at: Some(now),
        ..cursor.clone()
    };
    let mut tx = backend.pool().begin().await?;
    // The cursor first: it locks out other workers, and only who holds it may judge or keep a page.
    if !feed::advance(&mut tx, FEED, cursor, &to).await? {
        return Ok(Pulled::Raced);
    }
    if let Err(contradiction) = check(&mut tx, cursor, &page, &heads).await? {
        tx.rollback().await?;
        return stop(backend, &contradiction).await;
    }
    store(&mut tx, &page.epoch, &fresh, now).await?;
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
    let cursor = feed::cursor(&mut db, FEED).await?;
    let from = feed::rechecked(&mut db, FEED).await?;
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
    let Some(heads) = heads(&page) else {
        return Ok(Pulled::Unanswered(CallError::Garbage));
    };
    let known = heads
        .iter()
        .take_while(|head| head.seq <= cursor.seq)
        .count();
    let mut db = backend.pool().acquire().await?;
    if heads
        .iter()
        .take(known)
        .zip(from + 1..)
        .any(|(head, expected)| head.seq != expected)
    {
        drop(db);
        return stop(backend, &Contradiction::Gap).await;
    }
    if was_rewritten(&mut db, epoch, &heads[..known], &page.events[..known]).await? {
        drop(db);
        return stop(backend, &Contradiction::Rewritten).await;
    }
    let reached = heads[..known].last().map_or(0, |head| head.seq);
    let next = if reached >= cursor.seq { 0 } else { reached };
    feed::set_rechecked(&mut db, FEED, next).await?;
    Ok(Pulled::Stored {
        events: 0,
        more: next > 0,
    })
}

/// True when an event that we hold says something else now.
async fn was_rewritten(
    db: &mut PgConnection,
    epoch: &str,
    heads: &[EventHead],
    events: &[Value],
) -> Result<bool, Broken> {
    let seqs: Vec<i64> = heads.iter().map(|head| head.seq).collect();
    let now: HashMap<i64, [u8; 32]> = seqs
        .iter()
        .copied()
        .zip(events.iter().map(digest))
        .collect();
    let held = feed::hashes(db, FEED, epoch, &seqs).await?;
    Ok(held.iter().any(|(seq, hash)| {
        now.get(seq)
            .is_some_and(|now| now.as_slice() != hash.as_slice())
    }))
}

/// The position of each event; `None` when one has none, because then nothing can be said about gaps.
fn heads(page: &FeedPage) -> Option<Vec<EventHead>> {
    page.events
        .iter()
        .map(|event| EventHead::deserialize(event).ok())
        .collect()
}

/// Holds the page against what we know: same epoch, no gap, and what we have already is still the same.
async fn check(
    db: &mut PgConnection,
    cursor: &Cursor,
    page: &FeedPage,
    heads: &[EventHead],
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
    let lost_tail = cursor.seq > 0 && heads.is_empty();
    let gap = heads
        .iter()
        .zip(first..)
        .any(|(head, expected)| head.seq != expected);
    if lost_tail || gap {
        return Ok(Err(Contradiction::Gap));
    }
    if was_rewritten(db, &page.epoch, heads, &page.events).await? {
        return Ok(Err(Contradiction::Rewritten));
    }
    Ok(Ok(()))
}

/// Hash of an event's content. `serde_json` keeps object keys sorted, so the order of fields does not matter.
fn digest(event: &Value) -> [u8; 32] {
    sha256(event.to_string().as_bytes())
}

async fn store(
    db: &mut PgConnection,
    epoch: &str,
    fresh: &[(&EventHead, &Value)],
    now: time::OffsetDateTime,
) -> Result<(), Broken> {
    if fresh.is_empty() {
        return Ok(());
    }
    let mut accounts: Vec<Uuid> = fresh.iter().map(|(head, _)| head.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let known: HashSet<Uuid> = feed::known_accounts(db, &accounts)
        .await?
        .into_iter()
        .collect();
    let mut log = Vec::with_capacity(fresh.len());
    let mut events = Vec::with_capacity(fresh.len());
    for (head, value) in fresh {
        let parsed = if known.contains(&head.account) {
            parse(head, value).ok_or("malformed")
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
            content_sha256: digest(value),
            account_id: head.account,
            set_aside,
            body: set_aside.map(|_| (*value).clone()),
        });
        events.extend(parsed);
    }
    feed::append_log(db, FEED, epoch, &log, now).await?;
    feed::append_events(db, FEED, epoch, &events).await?;
    let (owners, seqs): (Vec<Uuid>, Vec<i64>) = events
        .iter()
        .map(|row| (row.event.account_id.0, row.event.seq))
        .unzip();
    meters::ingested(db, &owners, &seqs).await
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
    })
}

async fn stop(backend: &Backend, contradiction: &Contradiction) -> Result<Pulled, Broken> {
    let reason = match contradiction {
        Contradiction::Gap => "gap",
        Contradiction::Rewritten => "rewritten",
        Contradiction::Epoch => "epoch_changed",
    };
    let mut db = backend.pool().acquire().await?;
    feed::stop(&mut db, FEED, reason, backend.clock().now()).await?;
    tracing::error!(reason, "feed stopped; a person must look");
    metrics::counter!("feed_stops_total", "reason" => reason).increment(1);
    Ok(Pulled::Stopped)
}
