//! What runs now and is not posted yet: the exact cost of open intervals from the posted hour to the settled watermark.
//! Never beyond it: what the feed has not vouched for is not shown.

use crate::authority::view::View;
use crate::metering::running;
use std::sync::Arc;

use domain::id::{AccountId, KeyId};
use domain::interval::{self, Interval, Slice};
use domain::moment::Moment;
use domain::money::Ticks;
use domain::price::{BilledMs, Price};
use domain::sandbox::{SandboxId, Size};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use crate::failure::Broken;
use crate::metering::feed;
use crate::metering::{FEED, meters};
use crate::{Backend, prices};

/// How far figures can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedStatus {
    /// Figures are exact up to here.
    pub as_of: OffsetDateTime,
    /// The orchestrator has not answered for ten seconds: figures are true but old.
    pub stale: bool,
    /// It answers, and what it says is not taken, again and again: figures are true but old, and a person is called.
    pub failing: bool,
    /// The feed contradicts itself, or this account's settling is broken: figures stand still and a person is called.
    pub stopped: bool,
}

/// A running sandbox with its cost since the posted hour.
pub struct Running {
    /// As the orchestrator names it, such as `run78cb…`.
    pub sandbox_id: SandboxId,
    /// Allocated processors and memory: what is billed while it runs, used or not.
    pub size: Size,
    /// None when no key started it.
    pub key_id: Option<KeyId>,
    /// Since when it runs; just after the settled watermark when the feed is ahead of it.
    pub started_at: Moment,
    /// When its timer will destroy it; none without one, and where a passed one was restarted, which is no event.
    pub destroy_at: Option<Moment>,
    /// Its unposted hours.
    pub slices: Vec<Slice>,
}

impl Running {
    /// Unposted milliseconds and cost from `since` (a whole hour) on.
    #[must_use]
    pub fn since(&self, since: Moment) -> (BilledMs, Ticks) {
        let slices = self.slices.iter().filter(|slice| slice.hour >= since);
        let billed = slices.clone().map(|slice| slice.billed.0).sum();
        (BilledMs(billed), slices.map(|slice| slice.ticks).sum())
    }
}

/// What runs now in one account.
pub struct Live {
    /// How far it can be trusted.
    pub feed: FeedStatus,
    /// The last event of the account that is counted, as the orchestrator names it: `EPOCH:SEQ`. None before the first answer.
    pub counted: Option<String>,
    /// What runs at `feed.as_of`.
    pub running: Vec<Running>,
    /// The account's price book, for what follows from it.
    pub book: Vec<Price>,
}

impl Live {
    /// Unposted cost of everything.
    #[must_use]
    pub fn total(&self) -> Ticks {
        self.running
            .iter()
            .map(|running| running.since(Moment::MIN).1)
            .sum()
    }

    /// What the running sandboxes cost in one hour at the price of now.
    #[must_use]
    pub fn per_hour(&self) -> Ticks {
        self.running
            .iter()
            .map(|running| self.price_per_hour(running.size))
            .sum()
    }

    /// What a size costs in one hour at the price of now; zero when the book has no price, which settling alarms.
    #[must_use]
    pub fn price_per_hour(&self, size: Size) -> Ticks {
        let now = Moment::from(self.feed.as_of);
        self.book
            .iter()
            .find(|price| price.covers(now))
            .map_or(Ticks::ZERO, |price| price.per_hour(size))
    }

    /// None when it does not run.
    #[must_use]
    pub fn of(&self, sandbox_id: &str) -> Option<&Running> {
        self.running
            .iter()
            .find(|running| running.sandbox_id.as_str() == sandbox_id)
    }
}

/// What runs now in the account of a view, read once for all parts of an answer.
///
/// # Errors
/// When the database fails or an hour has no price.
pub async fn of(view: &mut View) -> Result<Arc<Live>, Broken> {
    if let Some(live) = view.kept() {
        return Ok(live);
    }
    let (backend, actor, db) = view.parts();
    let live = read(backend, db, actor.account_id()).await?;
    Ok(view.keep(live))
}

/// Reads what runs now. Must share a transaction with the posted figures it is added to.
///
/// # Errors
/// When the database fails or an hour has no price.
pub(crate) async fn read(
    backend: &Backend,
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Live, Broken> {
    let now = backend.clock().now();
    let cursor = feed::log::peek(db, FEED).await?;
    let meter = meters::peek(db, account_id).await?;
    let feed_at = cursor.as_ref().and_then(|cursor| cursor.settled_at);
    let settled_at = match &meter {
        Some(meter) => meter.position(feed_at),
        None => feed_at,
    };
    let answered_at = cursor.as_ref().and_then(|cursor| cursor.answered_at);
    let cursor_epoch = cursor.as_ref().and_then(|cursor| cursor.epoch.clone());
    let failed = meter.as_ref().is_some_and(|meter| meter.failed);
    let failures = cursor.as_ref().map_or(0, |cursor| cursor.failures);
    let feed = FeedStatus {
        // Before the first answer nothing can have run, so now is as true as any moment.
        as_of: settled_at.unwrap_or(now),
        stale: answered_at.is_none_or(|at| at < now - Duration::seconds(10)),
        failing: failures >= feed::log::FAILURES_ALARM,
        stopped: failed || cursor.is_some_and(|cursor| cursor.stopped_at.is_some()),
    };
    let counted = cursor_epoch.map(|epoch| {
        let seq = meter.as_ref().map_or(0, |meter| meter.settled_seq);
        format!("{epoch}:{seq}")
    });
    let book = prices::book(db, account_id).await?.to_vec();
    let posted_until = meter
        .and_then(|meter| meter.settled_until)
        .map_or(Moment::MIN, Moment::from);
    let rows = running::running(db, account_id).await?;
    let running: Result<Vec<Running>, Broken> = rows
        .into_iter()
        .map(|row| {
            let start = row.interval.started_at.max(posted_until);
            let end = Moment::from(feed.as_of).max(start);
            let rest = Interval {
                started_at: start,
                ended_at: Some(end),
            };
            let slices = interval::slices(&[rest], row.size, &book, end)?;
            Ok(Running {
                sandbox_id: row.sandbox_id,
                size: row.size,
                key_id: row.key_id,
                started_at: row.interval.started_at,
                destroy_at: row.destroy_at.filter(|at| *at > Moment::from(feed.as_of)),
                slices,
            })
        })
        .collect();
    Ok(Live {
        feed,
        counted,
        running: running?,
        book,
    })
}
