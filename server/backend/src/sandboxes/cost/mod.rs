//! The cost of a sandbox written out: each running interval as billed seconds times the price that ruled, and the
//! incidents inside it. The parts add up to the cost so far, to the tick.

mod store;

use domain::ceilings::PAGE_ROWS;
use domain::id::GrantId;
use domain::interval::{Interval, NoPrice};
use domain::moment::Moment;
use domain::money::{MicroDollars, Ticks};
use domain::page::Page;
use domain::price::{BilledMs, Price};
use domain::sandbox::Size;
use time::OffsetDateTime;

use crate::authority::view::View;
use crate::db::ticks;
use crate::failure::Broken;
use crate::metering::live::{self, FeedStatus};
use crate::paging::{Cursors, page};
use crate::sandboxes::{self, SandboxRow};

/// A part of an interval under one price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Whole seconds as milliseconds.
    pub billed: BilledMs,
    /// Price of one vCPU for one hour.
    pub vcpu_hour: MicroDollars,
    /// Price of one GiB for one hour.
    pub gib_hour: MicroDollars,
    /// What the part costs.
    pub cost: Ticks,
}

/// A running interval.
pub struct IntervalRow {
    /// When it began to run.
    pub started_at: OffsetDateTime,
    /// When it stopped; none while it runs.
    pub ended_at: Option<OffsetDateTime>,
    /// Its parts, one per price.
    pub parts: Vec<Part>,
}

impl IntervalRow {
    /// Sum of its parts.
    #[must_use]
    pub fn cost(&self) -> Ticks {
        self.parts.iter().map(|part| part.cost).sum()
    }
}

/// A stretch in which the orchestrator had lost the sandbox.
pub struct Incident {
    /// When it was lost.
    pub started_at: OffsetDateTime,
    /// When it was found again.
    pub ended_at: OffsetDateTime,
    /// Milliseconds of it in which the sandbox was billed.
    pub billed: BilledMs,
    /// What was given back.
    pub cost: Ticks,
    /// None until its hours are booked, and when nothing was paid for them.
    pub grant_id: Option<GrantId>,
}

/// A sandbox with its past.
pub struct Life {
    /// With its cost in all.
    pub sandbox: SandboxRow,
    /// Its intervals, newest first.
    pub intervals: Page<IntervalRow>,
    /// True when these are all.
    pub is_whole: bool,
    /// Incidents inside it, newest first.
    pub incidents: Vec<Incident>,
    /// How far the figures can be trusted.
    pub feed: FeedStatus,
}

/// Reads it; none when the account has no such sandbox. The cursor names the last interval shown.
///
/// # Errors
/// When the database fails or an hour has no price.
#[tracing::instrument(skip_all, name = "sandboxes.cost")]
pub async fn read(
    view: &mut View,
    id: &domain::sandbox::SandboxId,
    cursor: Option<&str>,
) -> Result<Option<Life>, Broken> {
    let account_id = view.account_id();
    let live = live::of(view).await?;
    let (backend, actor, db) = view.parts();
    let Some(sandbox) = sandboxes::one(db, actor, &live, id).await? else {
        return Ok(None);
    };
    let list = format!("intervals of {id}");
    let cursors = Cursors::of(backend.settings(), account_id, &list);
    let before = cursor.and_then(|cursor| cursors.read(cursor)?.parse().ok());
    let found = store::newest(db, account_id, id, before, PAGE_ROWS + 1).await?;
    let as_of = Moment::from(live.feed.as_of);
    let intervals = page(
        found,
        PAGE_ROWS,
        |(ordinal, _)| cursors.write(&ordinal.to_string()),
        |(_, interval)| {
            Ok(IntervalRow {
                started_at: interval.started_at.into(),
                ended_at: interval.ended_at.map(Into::into),
                parts: parts(interval, sandbox.size, &live.book, as_of)?,
            })
        },
    )?;
    let incidents = store::incidents(db, account_id, id).await?;
    let incidents: Result<Vec<Incident>, Broken> = incidents
        .into_iter()
        .map(|row| {
            Ok(Incident {
                started_at: row.started_at,
                ended_at: row.ended_at,
                billed: BilledMs(row.billed_ms),
                cost: ticks(row.ticks)?,
                grant_id: row.grant_id,
            })
        })
        .collect();
    Ok(Some(Life {
        is_whole: before.is_none() && intervals.next.is_none(),
        sandbox,
        intervals,
        incidents: incidents?,
        feed: live.feed,
    }))
}

/// Cuts an interval where the price changes. Floors telescope, so cutting at prices gives what cutting at hours gave.
fn parts(
    interval: Interval,
    size: Size,
    book: &[Price],
    as_of: Moment,
) -> Result<Vec<Part>, NoPrice> {
    let end = interval.ended_at.unwrap_or(as_of).max(interval.started_at);
    let mut at = interval.started_at;
    let mut parts = Vec::new();
    while at < end {
        let hour = at.hour();
        let price = book.iter().find(|price| price.covers(hour));
        let price = price.ok_or(NoPrice { hour })?;
        let next = price.until.map_or(end, |until| until.min(end));
        let billed = price.billed_ms(at, next);
        parts.push(Part {
            billed,
            vcpu_hour: price.vcpu_hour,
            gib_hour: price.gib_hour,
            cost: price.cost(billed, size),
        });
        at = next;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use domain::id::PriceId;
    use domain::interval::slices;
    use domain::moment::HOUR_MS;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn parts_add_up_to_the_slices_through_a_change_of_price() {
        let change = Moment::from_unix_ms(1_795_000_000_000).hour();
        let price = |vcpu, from, until| Price {
            price_id: PriceId(Uuid::nil()),
            vcpu_hour: MicroDollars(vcpu),
            gib_hour: MicroDollars(15_000),
            grain_ms: 1_000,
            from,
            until,
        };
        let book = [
            price(26_000, Moment::MIN, Some(change)),
            price(52_000, change, None),
        ];
        let size = Size {
            vcpus: 2,
            mem_mib: 700,
        };
        let interval = Interval {
            started_at: change.plus_ms(-3 * HOUR_MS - 1_499),
            ended_at: None,
        };
        let as_of = change.plus_ms(5 * HOUR_MS + 777);
        let parts = parts(interval, size, &book, as_of).unwrap();
        let cut = slices(&[interval], size, &book, as_of).unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(
            parts.iter().map(|part| part.cost).sum::<Ticks>(),
            cut.iter().map(|slice| slice.ticks).sum()
        );
        assert_eq!(parts[0].billed, BilledMs(3 * HOUR_MS + 2_000));
    }
}
