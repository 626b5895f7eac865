//! Usage over time: posted hours plus what runs now, so the newest bar is as exact as the oldest. One snapshot per page.
//! Single intervals are `intervals`', comparisons `reasons`'.

pub(crate) mod days;
pub mod intervals;
pub mod reasons;
pub(crate) mod source;
pub(crate) mod sums;

use domain::ceilings::USAGE_FILE_CELLS_MAX;
use domain::moment::Moment;
use domain::money::Cents;
use domain::usage::UsageProblem;
use domain::usage::breakdown::{Breakdown, Facet, SERIES_MAX};
use domain::usage::grid::Grid;
use domain::usage::query::{Group, Only, Query, ZoneName};

use crate::authority::view::View;
use crate::failure::Broken;
use crate::limit;
use crate::metering::live::{self, FeedStatus};
use crate::usage::reasons::Reasons;
use crate::usage::source::Source;
use crate::usage::sums::Unposted;
use crate::zone::Zone;

/// Everything a usage page shows.
pub struct Usage {
    /// What was asked, as far as it can be answered.
    pub query: Query,
    /// What could not be.
    pub problems: Vec<UsageProblem>,
    /// The sums.
    pub breakdown: Breakdown,
    /// How far they can be trusted.
    pub feed: FeedStatus,
    /// When prices changed inside the range.
    pub price_changes: Vec<Moment>,
    /// The account's own limit for a UTC month.
    pub limit: Option<Cents>,
    /// The bucket that is looked into.
    pub reasons: Option<Reasons>,
    /// The key that only is counted, with its name.
    pub key: Option<Facet>,
}

/// The usage of an account as a page asks for it.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "usage.read")]
pub async fn read(view: &mut View, asked: &Query) -> Result<Usage, Broken> {
    with(view, asked, |_| SERIES_MAX).await
}

/// The same for a file: every series by itself, however many there are. When they are more than a file holds, what is too
/// much is a problem.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "usage.read_whole")]
pub async fn read_whole(view: &mut View, asked: &Query) -> Result<Usage, Broken> {
    let mut usage = with(view, asked, |buckets| USAGE_FILE_CELLS_MAX / buckets.max(1)).await?;
    if usage.breakdown.series.contains(&Facet::Other) {
        usage.problems.push(UsageProblem::FileTooLong);
    }
    Ok(usage)
}

/// With as many series as this many buckets leave room for.
async fn with(
    view: &mut View,
    asked: &Query,
    series_max: impl Fn(usize) -> usize,
) -> Result<Usage, Broken> {
    let account_id = view.account_id();
    let (mut query, mut problems) = (asked.clone(), Vec::new());
    let zone = Zone::find(&query.zone).unwrap_or_else(|| {
        problems.push(UsageProblem::ZoneUnknown);
        query.zone = ZoneName::utc();
        Zone::utc()
    });
    let live = live::of(view).await?;
    let (_, _, db) = view.parts();
    let as_of = Moment::from(live.feed.as_of);
    let grid = Grid::of(query.range, as_of, &zone);
    let (from, until) = (grid.from(), grid.until());
    if query.group == Group::Sandbox
        && query.only.sandbox.is_none()
        && !sums::fits(db, account_id, from, until).await?
    {
        query.group = Group::None;
        problems.push(UsageProblem::TooMany);
    }
    let unposted = Unposted::of(&live)?;
    let source = Source {
        account_id,
        as_of,
        unposted: &unposted,
        series_max: series_max(grid.buckets.len()),
    };
    let mut breakdown = source.breakdown(db, &query, grid).await?;
    if query.hide_zero && query.group != Group::None {
        breakdown.hide_zero();
    }
    let buckets = &mut breakdown.grid.buckets.iter();
    let index = query
        .bar
        .and_then(|bar| buckets.position(|bucket| bucket.start == bar));
    if index.is_none() && query.bar.take().is_some() {
        problems.push(UsageProblem::BarUnknown);
    }
    let reasons = match index {
        Some(index) => Some(reasons::read(db, &source, &query, &breakdown, index, &zone).await?),
        None => None,
    };
    let key = source.key(db, &query.only).await?;
    let changes = live.book.iter().map(|price| price.from);
    Ok(Usage {
        query,
        problems,
        breakdown,
        feed: live.feed,
        price_changes: changes.filter(|at| from < *at && *at < until).collect(),
        limit: limit::get(db, account_id).await?,
        reasons,
        key,
    })
}

/// The filter that leaves only this series; none for what is no single thing.
#[must_use]
pub fn narrowed(only: &Only, facet: &Facet) -> Option<Only> {
    let mut only = only.clone();
    match facet {
        Facet::All | Facet::Other => return None,
        Facet::Key(id, _) => only.key = Some(*id),
        Facet::Size(size) => only.size = Some(*size),
        Facet::Image(image) => only.image = Some(image.clone()),
        Facet::Region(region) => only.region = Some(region.clone()),
        Facet::Sandbox(id) => only.sandbox = Some(id.clone()),
    }
    Some(only)
}
