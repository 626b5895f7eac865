//! Closes UTC months: freezes what each account used once the feed has passed the month's end by a day and everything is
//! settled, or 72 hours after the end with what is known, so that no month stays open for ever. Safe to run twice: a month closes once,
//! in one transaction with all its rows. Later corrections are booked in the ledger and change no frozen row.

mod store;

use domain::forecast::{month_start, next_month};
use domain::moment::Moment;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::Backend;
use crate::failure::Broken;
use crate::findings::{self, Finding};
use crate::metering::FEED;
use crate::metering::feed;
use crate::queue::lane::Lane;
use crate::queue::{Job, JobError, LeasedJob};

/// How far the feed must have passed the end: late events come in this time.
const GRACE: Duration = Duration::hours(24);
/// How long after the end, by our clock, a month is closed in any case.
const HARD_STOP: Duration = Duration::hours(72);
/// Accounts frozen by one statement.
const ACCOUNTS_AT_ONCE: i64 = 200;
/// Months closed in one turn; the next turn goes on.
const MONTHS_PER_TURN: usize = 12;

/// Closes every month that may be closed.
#[derive(Serialize, Deserialize)]
pub struct CloseMonth {}

impl Job for CloseMonth {
    const NAME: &'static str = "close-month";
    const LANE: Lane = Lane::Upkeep;

    fn unique_key(&self) -> String {
        "close-month:close-month".to_owned()
    }

    async fn run(self, backend: &Backend, _: &LeasedJob) -> Result<(), JobError> {
        for _ in 0..MONTHS_PER_TURN {
            if !close_next(backend).await? {
                break;
            }
        }
        Ok(())
    }
}

/// Closes the oldest open month, if it may; false when it may not or there is none.
async fn close_next(backend: &Backend) -> Result<bool, Broken> {
    let now = backend.clock().now();
    // One moment for the question and the answer: what is frozen is what was judged to be final.
    let mut tx = backend
        .pool()
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await?;
    let last = store::last_closed(&mut tx).await?.map(Moment::from);
    let first = store::first_service(&mut tx).await?.map(Moment::from);
    let Some(month) = last.map(next_month).or(first.map(month_start)) else {
        return Ok(false);
    };
    let (month_at, until) = (
        OffsetDateTime::from(month),
        OffsetDateTime::from(next_month(month)),
    );
    let Some(cursor) = feed::log::peek(&mut tx, FEED).await? else {
        return Ok(false);
    };
    let (watermark_at, settled_at) = (cursor.watermark_at, cursor.settled_at);
    let passed = |at: Option<OffsetDateTime>| at.is_some_and(|at| at >= until + GRACE);
    let is_final =
        passed(watermark_at) && passed(settled_at) && store::is_settled(&mut tx, until).await?;
    if !is_final && now < until + HARD_STOP {
        return Ok(false);
    }
    let watermark_at = watermark_at.unwrap_or(month_at);
    if !store::insert(&mut tx, month_at, watermark_at, !is_final, now).await? {
        return Ok(false);
    }
    let mut after = Uuid::nil();
    // Ends: `after` grows with each page and accounts are finite.
    while let Some(last) =
        store::freeze(&mut tx, (month_at, until), after, ACCOUNTS_AT_ONCE).await?
    {
        after = last;
    }
    if !is_final {
        let finding = Finding {
            account_id: None,
            fault: "forced",
            subject: month_at.date().to_string(),
            expected: format!("feed and every account past {}", until + GRACE),
            found: format!("watermark {watermark_at}"),
        };
        findings::raise(&mut tx, "month", &[finding], now).await?;
    }
    tx.commit().await?;
    tracing::info!(month = %month_at.date(), is_forced = !is_final, "month closed");
    Ok(true)
}
