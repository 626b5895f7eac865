//! Usage over time: posted hours plus what runs now, so the newest bar is as exact as the oldest. One snapshot per page.
//! Single intervals are `usage_intervals`'s, comparisons `usage_reasons`'s.

use std::collections::HashMap;

use domain::id::AccountId;
use domain::moment::Moment;
use domain::money::Cents;
use domain::refusal::UsageProblem;
use domain::sandbox::SandboxId;
use domain::usage::breakdown::{Amounts, Breakdown, Facet, SERIES_MAX};
use domain::usage::grid::Grid;
use domain::usage::query::{Group, Only, Query, ZoneName, size_of};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::usage_reasons::{self, Reasons};
use super::{FeedStatus, snapshot};
use crate::Backend;
use crate::actor::Actor;
use crate::failure::Broken;
use crate::metering::live;
use crate::store::limits;
use crate::store::usage_reads::{self, Asked, Sum, Unposted};
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
pub async fn read(backend: &Backend, actor: &Actor, asked: &Query) -> Result<Usage, Broken> {
    let account_id = actor.account_id();
    let (mut query, mut problems) = (asked.clone(), Vec::new());
    let zone = Zone::find(&query.zone).unwrap_or_else(|| {
        problems.push(UsageProblem::ZoneUnknown);
        query.zone = ZoneName::utc();
        Zone::utc()
    });
    let mut tx = snapshot(backend).await?;
    let live = live::read(backend, &mut tx, account_id).await?;
    let as_of = Moment::from(live.feed.as_of);
    let grid = Grid::of(query.range, as_of, &zone);
    let (from, until) = (grid.from(), grid.until());
    if query.group == Group::Sandbox
        && query.only.sandbox.is_none()
        && !usage_reads::fits(&mut tx, account_id, from, until).await?
    {
        query.group = Group::None;
        problems.push(UsageProblem::TooMany);
    }
    let unposted = Unposted::of(&live)?;
    let source = Source {
        account_id,
        as_of,
        unposted: &unposted,
    };
    let mut breakdown = source.breakdown(&mut tx, &query, grid).await?;
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
        Some(index) => {
            Some(usage_reasons::read(&mut tx, &source, &query, &breakdown, index, &zone).await?)
        }
        None => None,
    };
    let key = source.key(&mut tx, &query.only).await?;
    let changes = live.book.iter().map(|price| price.from);
    Ok(Usage {
        query,
        problems,
        breakdown,
        feed: live.feed,
        price_changes: changes.filter(|at| from < *at && *at < until).collect(),
        limit: limits::get(&mut tx, account_id).await?,
        reasons,
        key,
    })
}

/// Where sums come from: one account at one moment.
pub(super) struct Source<'a> {
    pub account_id: AccountId,
    pub as_of: Moment,
    pub unposted: &'a Unposted,
}

impl Source<'_> {
    /// What the store is asked for over these bounds.
    pub fn asked<'b>(&'b self, query: &'b Query, bounds: &'b [OffsetDateTime]) -> Asked<'b> {
        Asked {
            account_id: self.account_id,
            bounds,
            group: query.group,
            metric: query.metric,
            only: &query.only,
            unposted: self.unposted,
        }
    }

    /// Sums by bucket and series.
    #[tracing::instrument(skip_all, name = "usage.breakdown")]
    pub async fn breakdown(
        &self,
        db: &mut PgConnection,
        query: &Query,
        grid: Grid,
    ) -> Result<Breakdown, Broken> {
        let mut bounds: Vec<OffsetDateTime> = grid
            .buckets
            .iter()
            .map(|bucket| bucket.start.into())
            .collect();
        bounds.push(grid.until().into());
        let asked = self.asked(query, &bounds);
        let sums = match (&query.only.sandbox, query.group) {
            (Some(id), _) => usage_reads::of_sandbox(db, &asked, id.as_str()).await?,
            (None, Group::Sandbox) => usage_reads::by_sandbox(db, &asked).await?,
            (None, _) => usage_reads::by_cohort(db, &asked).await?,
        };
        let words: Vec<String> = sums.iter().filter_map(|sum| sum.word.clone()).collect();
        let names = self.key_names(db, query.group, &words).await?;
        let (series, cells) = arrange(sums, grid.buckets.len(), |word| {
            facet(query.group, word, &names)
        })?;
        Ok(Breakdown {
            grid,
            as_of: self.as_of,
            metric: query.metric,
            series,
            cells,
        })
    }

    /// The key of a filter, with its name.
    async fn key(&self, db: &mut PgConnection, only: &Only) -> Result<Option<Facet>, Broken> {
        let Some(id) = only.key else {
            return Ok(None);
        };
        let words: Vec<String> = id.iter().map(ToString::to_string).collect();
        let names = self.key_names(db, Group::Key, &words).await?;
        let word = words.first().map_or("", String::as_str);
        facet(Group::Key, word, &names).map(Some)
    }

    /// Names of the keys among these words.
    #[tracing::instrument(skip_all, name = "usage.key_names")]
    pub async fn key_names(
        &self,
        db: &mut PgConnection,
        group: Group,
        words: &[String],
    ) -> Result<KeyNames, Broken> {
        if group != Group::Key {
            return Ok(KeyNames::new());
        }
        let mut ids: Vec<Uuid> = words.iter().filter_map(|word| word.parse().ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        let rows = usage_reads::key_names(db, self.account_id, &ids).await?;
        Ok(rows
            .into_iter()
            .map(|(id, name, is_revoked)| (id, (name, is_revoked)))
            .collect())
    }
}

/// Key names and whether each is revoked.
pub(super) type KeyNames = HashMap<Uuid, (String, bool)>;

/// Puts sums into a row per bucket and a column per series.
fn arrange(
    sums: Vec<Sum>,
    buckets: usize,
    facet: impl Fn(&str) -> Result<Facet, Broken>,
) -> Result<(Vec<Facet>, Vec<Vec<Amounts>>), Broken> {
    let mut series: Vec<Facet> = Vec::new();
    let mut place = 0;
    let mut cells: Vec<Vec<Amounts>> = vec![Vec::new(); buckets];
    // In the order of their rank, so a new rank is a new column.
    for sum in sums {
        if sum.rank != place {
            place = sum.rank;
            series.push(match &sum.word {
                Some(word) => facet(word)?,
                None => Facet::Other,
            });
            for row in &mut cells {
                row.push(Amounts::default());
            }
        }
        if let Some(cell) = sum
            .bucket
            .and_then(|bucket| cells.get_mut(bucket)?.last_mut())
        {
            *cell = sum.amounts;
        }
    }
    if series.len() > SERIES_MAX + 1 {
        return Err(Broken::new("more series than were asked for"));
    }
    Ok((series, cells))
}

/// What a word of a group stands for.
pub(super) fn facet(group: Group, word: &str, names: &KeyNames) -> Result<Facet, Broken> {
    let broken = || Broken::new("a stored cohort cannot be read");
    Ok(match group {
        Group::None => Facet::All,
        Group::Key if word.is_empty() => Facet::Key(None, None),
        Group::Key => {
            let id: Uuid = word.parse()?;
            Facet::Key(Some(id.into()), names.get(&id).cloned())
        }
        Group::Size => Facet::Size(size_of(word).ok_or_else(broken)?),
        Group::Image => Facet::Image(word.to_owned()),
        Group::Region => Facet::Region(word.to_owned()),
        Group::Sandbox => Facet::Sandbox(SandboxId::parse(word).ok_or_else(broken)?),
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

/// The first moment of the UTC month of `at`.
pub(crate) fn month_start(at: OffsetDateTime) -> Moment {
    let first = at.to_offset(time::UtcOffset::UTC).date().replace_day(1);
    Moment::from(first.unwrap_or(at.date()).midnight().assume_utc())
}

/// The first moment of the UTC month before that of `at`.
pub(crate) fn last_month_start(at: OffsetDateTime) -> Moment {
    month_start(OffsetDateTime::from(month_start(at).plus_ms(-1)))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn months_begin_at_midnight_utc() {
        let at = datetime!(2028-03-01 00:30 +02:00);
        assert_eq!(
            OffsetDateTime::from(month_start(at)),
            datetime!(2028-02-01 00:00 UTC)
        );
        assert_eq!(
            OffsetDateTime::from(last_month_start(at)),
            datetime!(2028-01-01 00:00 UTC)
        );
    }
}
