//! Who is settled when: each round takes the accounts that are behind, in batches of a bounded size. What settling an account
//! is, `batch` says. A batch that breaks is settled account by account, so that one bad account holds up nobody.

mod batch;
mod cohorts;
mod expiry;
mod folded;
mod incidents;
mod incidents_store;
mod plan;
mod post;
mod recover;
mod replay;
mod slices;
mod sums;

use domain::ceilings::{
    SETTLED_ACCOUNTS_PER_ROUND, SETTLED_EVENTS_PER_ACCOUNT, SETTLED_EVENTS_PER_BATCH,
};
use domain::moment::Moment;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sqlx::PgConnection;

use crate::Backend;
use crate::failure::Broken;
use crate::metering::FEED;
use crate::metering::feed;
use crate::metering::meters::{self, BehindQuery, BehindRow};
use crate::metering::settle::plan::Round;

/// Batches settled at the same time, each on a connection of its own. One alone keeps one core of the database busy.
const BATCHES_AT_ONCE: usize = 2;

/// Settles accounts that are behind, a bounded number; gives how many were. When none was left behind, everything up to
/// the watermark read first is settled, and pages may say so. One that breaks is noted, alarmed and tried again in a
/// minute; it does not hold up the others.
///
/// # Errors
/// When the database cannot be asked who is behind.
pub async fn round(backend: &Backend) -> Result<usize, Broken> {
    let mut db = backend.pool().acquire().await?;
    let Some(cursor) = feed::log::peek(&mut db, FEED).await? else {
        return Ok(0);
    };
    let (Some(watermark), Some(epoch)) = (cursor.watermark_at, cursor.epoch) else {
        return Ok(0);
    };
    let now = backend.clock().now();
    let round = Round {
        feed: FEED,
        epoch: &epoch,
        watermark,
        settled_at: cursor.settled_at,
        horizon: Moment::from(watermark).hour(),
        now,
    };
    let asked = BehindQuery {
        feed: FEED,
        epoch: &epoch,
        horizon: round.horizon.into(),
        events: SETTLED_EVENTS_PER_ACCOUNT,
        accounts: SETTLED_ACCOUNTS_PER_ROUND,
    };
    meters::open(&mut db, asked.horizon).await?;
    let behind = meters::behind(&mut db, &asked, now).await?;
    let planned = behind.len();
    let partly = behind
        .iter()
        .any(|row| row.pending >= SETTLED_EVENTS_PER_ACCOUNT);
    drop(db);
    let settling = batches(behind).into_iter().map(async |accounts| {
        let mut db = backend.pool().acquire().await?;
        settle_batch(&mut db, &round, &accounts).await
    });
    let settled: usize = stream::iter(settling)
        .buffer_unordered(BATCHES_AT_ONCE)
        .try_fold(0, async |sum, settled| Ok(sum + settled))
        .await?;
    // Whoever fell behind after the watermark was read has events that it does not speak of.
    let listed = i64::try_from(planned)? < SETTLED_ACCOUNTS_PER_ROUND;
    if listed && !partly && settled == planned {
        let mut db = backend.pool().acquire().await?;
        feed::log::settled(&mut db, FEED, watermark).await?;
    }
    Ok(settled)
}

/// Cuts the accounts that are behind into batches that fit into memory: a batch ends with the account that fills it.
fn batches(behind: Vec<BehindRow>) -> Vec<Vec<BehindRow>> {
    let mut batches: Vec<Vec<BehindRow>> = Vec::new();
    let mut weight = SETTLED_EVENTS_PER_BATCH;
    for row in behind {
        if weight >= SETTLED_EVENTS_PER_BATCH {
            batches.push(Vec::new());
            weight = 0;
        }
        weight += row.pending + i64::from(row.running);
        if let Some(last) = batches.last_mut() {
            last.push(row);
        }
    }
    batches
}

/// Settles one batch; gives how many accounts of it are done with, those that broke included.
async fn settle_batch(
    db: &mut PgConnection,
    round: &Round<'_>,
    accounts: &[BehindRow],
) -> Result<usize, Broken> {
    let broken = match batch::settle(db, round, accounts).await {
        Ok(settled) => return Ok(settled),
        Err(broken) => broken,
    };
    if let [only] = accounts {
        note_failure(db, round, only, &broken).await?;
        return Ok(1);
    }
    tracing::warn!(cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), accounts = accounts.len(), "batch broke; its accounts are settled one by one");
    let mut done = 0;
    for row in accounts {
        done += match batch::settle(db, round, std::slice::from_ref(row)).await {
            Ok(settled) => settled,
            Err(broken) => {
                note_failure(db, round, row, &broken).await?;
                1
            }
        };
    }
    Ok(done)
}

async fn note_failure(
    db: &mut PgConnection,
    round: &Round<'_>,
    row: &BehindRow,
    broken: &Broken,
) -> Result<(), Broken> {
    tracing::error!(account.id = %row.account_id, cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "settling broke; other accounts go on");
    metrics::counter!("settling_failures_total").increment(1);
    meters::failed(db, row.account_id, round.settled_at, round.now).await
}
