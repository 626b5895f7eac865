//! Where the sums of a usage question come from: one account at one moment, cut into buckets and series.

use super::sums;
use std::collections::HashMap;

use domain::id::AccountId;
use domain::moment::Moment;
use domain::sandbox::SandboxId;
use domain::usage::breakdown::{Amounts, Breakdown, Facet};
use domain::usage::grid::Grid;
use domain::usage::query::{Group, Only, Query, size_of};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::failure::Broken;
use crate::usage::sums::{Asked, Sum, Unposted};

/// Where sums come from: one account at one moment.
pub(crate) struct Source<'a> {
    pub account_id: AccountId,
    pub as_of: Moment,
    pub unposted: &'a Unposted,
    /// Series at most: as many as a chart has colours, or as a file has room for.
    pub series_max: usize,
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
            series_max: self.series_max,
        }
    }

    #[tracing::instrument(skip_all, name = "usage.breakdown")]
    pub(super) async fn breakdown(
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
            (Some(id), _) => sums::of_sandbox(db, &asked, id.as_str()).await?,
            (None, Group::Sandbox) => sums::by_sandbox(db, &asked).await?,
            (None, _) => sums::by_cohort(db, &asked).await?,
        };
        let words: Vec<String> = sums.iter().filter_map(|sum| sum.word.clone()).collect();
        let names = self.key_names(db, query.group, &words).await?;
        let facet = |word: &str| facet(query.group, word, &names);
        let (series, cells) = arrange(sums, grid.buckets.len(), self.series_max, facet)?;
        Ok(Breakdown {
            grid,
            as_of: self.as_of,
            metric: query.metric,
            series,
            cells,
        })
    }

    /// The key of a filter, with its name.
    pub(crate) async fn key(
        &self,
        db: &mut PgConnection,
        only: &Only,
    ) -> Result<Option<Facet>, Broken> {
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
    pub(super) async fn key_names(
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
        let rows = sums::key_names(db, self.account_id, &ids).await?;
        Ok(rows
            .into_iter()
            .map(|(id, name, is_revoked)| (id, (name, is_revoked)))
            .collect())
    }
}

/// Key names and whether each is revoked.
pub(crate) type KeyNames = HashMap<Uuid, (String, bool)>;

/// Puts sums into a row per bucket and a column per series.
pub(crate) fn arrange(
    sums: Vec<Sum>,
    buckets: usize,
    series_max: usize,
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
    if series.len() > series_max.saturating_add(1) {
        return Err(Broken::new("more series than were asked for"));
    }
    Ok((series, cells))
}

/// What a word of a group stands for.
pub(crate) fn facet(group: Group, word: &str, names: &KeyNames) -> Result<Facet, Broken> {
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
