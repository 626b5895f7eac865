//! Single intervals inside a window of whole hours, each with its cost as arithmetic: where every sum on a page ends.

mod store;

use domain::ceilings::PAGE_ROWS;
use domain::interval::{self, Interval};
use domain::moment::Moment;
use domain::money::{MicroDollars, Ticks};
use domain::page::Page;
use domain::price::{BilledMs, Price};
use domain::sandbox::{SandboxId, Size};
use domain::usage::UsageProblem;
use domain::usage::breakdown::{Amounts, Facet, SERIES_MAX};
use domain::usage::grid::Grid;
use domain::usage::query::{Group, Query, Window};
use time::OffsetDateTime;

use crate::authority::view::View;
use crate::failure::{Broken, Failure};
use crate::metering::live::{self, FeedStatus};
use crate::paging::{Cursors, page};
use crate::usage::intervals::store::IntervalRow;
use crate::usage::source::Source;
use crate::usage::sums;
use crate::usage::sums::Unposted;

/// A page of intervals and the sum of its whole window.
pub struct Intervals {
    /// Newest first.
    pub page: Page<Line>,
    /// Everything in the window, read from rated hours and not from these lines.
    pub total: Amounts,
    /// How far it can be trusted.
    pub feed: FeedStatus,
}

/// One interval, clipped to the window.
pub struct Line {
    /// As the orchestrator names it, such as `run78cb…`.
    pub sandbox_id: SandboxId,
    /// The key that started it, or that none did.
    pub key: Facet,
    /// As the create asked for it, such as `node:22-slim`.
    pub image: String,
    /// Two lower-case letters, such as `us`.
    pub region: String,
    /// Allocated processors and memory: what is billed while it runs, used or not.
    pub size: Size,
    /// When it began, perhaps before the window.
    pub started_at: OffsetDateTime,
    /// When it ended, perhaps after the window; none while it runs.
    pub ended_at: Option<OffsetDateTime>,
    /// What was billed inside the window, by price.
    pub parts: Vec<Part>,
}

/// What was billed at one price.
pub struct Part {
    /// Whole seconds as milliseconds.
    pub billed: BilledMs,
    /// Micro-dollars per vCPU and hour.
    pub vcpu_hour: MicroDollars,
    /// Micro-dollars per GiB and hour.
    pub gib_hour: MicroDollars,
    /// The size's price for one hour.
    pub per_hour: Ticks,
    /// The exact cost.
    pub ticks: Ticks,
}

impl Line {
    /// Milliseconds billed inside the window.
    #[must_use]
    pub fn billed(&self) -> BilledMs {
        BilledMs(self.parts.iter().map(|part| part.billed.0).sum())
    }

    /// Exact cost inside the window.
    #[must_use]
    pub fn cost(&self) -> Ticks {
        self.parts.iter().map(|part| part.ticks).sum()
    }
}

/// Intervals of an account inside a window.
///
/// # Errors
/// Refused when the window holds too many rated hours to list; broken when the database fails.
#[tracing::instrument(skip_all, name = "usage.intervals")]
pub async fn list(
    view: &mut View,
    window: &Window,
    cursor: Option<&str>,
) -> Result<Intervals, Failure<UsageProblem>> {
    let account_id = view.account_id();
    let live = live::of(view).await?;
    let (backend, _, db) = view.parts();
    let cursors = Cursors::of(backend.settings(), account_id, "intervals");
    if window.only.sandbox.is_none()
        && !sums::fits(db, account_id, window.from, window.until).await?
    {
        return Err(Failure::Refused(UsageProblem::TooMany));
    }
    let as_of = Moment::from(live.feed.as_of);
    let unposted = Unposted::of(&live)?;
    let source = Source {
        account_id,
        as_of,
        unposted: &unposted,
        series_max: SERIES_MAX,
    };
    let query = Query {
        group: Group::None,
        only: window.only.clone(),
        ..Query::default()
    };
    let sums = source
        .breakdown(db, &query, Grid::window(window.from, window.until))
        .await?;
    let running: Vec<String> = live
        .running
        .iter()
        .filter(|running| {
            let inside = |hour: Moment| window.from <= hour && hour < window.until;
            running.slices.iter().any(|slice| inside(slice.hour))
        })
        .map(|running| running.sandbox_id.to_string())
        .collect();
    let after = cursor.and_then(|cursor| cursors.read_at(cursor));
    let rows = store::list(db, account_id, window, &running, after).await?;
    let page = page(
        rows,
        PAGE_ROWS,
        |row| cursors.write_at(row.started_at, &row.sandbox_id),
        |row| line(row, window, as_of, &live.book),
    )?;
    Ok(Intervals {
        page,
        total: sums.total(),
        feed: live.feed,
    })
}

fn line(row: IntervalRow, window: &Window, as_of: Moment, book: &[Price]) -> Result<Line, Broken> {
    let broken = || Broken::new("a stored interval cannot be read");
    let size = Size::new(row.vcpus, row.mem_mib).ok_or_else(broken)?;
    let start = Moment::from(row.started_at);
    let end = row.ended_at.map_or(as_of.max(start), Moment::from);
    let (from, until) = (start.max(window.from), end.min(window.until));
    let clipped = Interval {
        started_at: from,
        ended_at: Some(until.max(from)),
    };
    let mut parts: Vec<(usize, Part)> = Vec::new();
    for slice in interval::slices(&[clipped], size, book, until)? {
        let price = book.get(slice.price).ok_or_else(broken)?;
        match parts.last_mut().filter(|(index, _)| *index == slice.price) {
            Some((_, part)) => {
                part.billed.0 += slice.billed.0;
                part.ticks = part.ticks.saturating_add(slice.ticks);
            }
            None => parts.push((
                slice.price,
                Part {
                    billed: slice.billed,
                    vcpu_hour: price.vcpu_hour,
                    gib_hour: price.gib_hour,
                    per_hour: price.per_hour(size),
                    ticks: slice.ticks,
                },
            )),
        }
    }
    let name = row.key_name.map(|name| (name, row.is_revoked));
    Ok(Line {
        sandbox_id: SandboxId::parse(&row.sandbox_id).ok_or_else(broken)?,
        key: Facet::Key(row.key_id.map(Into::into), name),
        image: row.image,
        region: row.region,
        size,
        started_at: row.started_at,
        ended_at: row.ended_at,
        parts: parts.into_iter().map(|(_, part)| part).collect(),
    })
}
