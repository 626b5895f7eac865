//! Why a bar is as tall as it is: the same weekday one week earlier, and the largest differences to it as plain sums.

mod store;

use domain::moment::Moment;
use domain::usage::breakdown::{Amounts, Breakdown, Facet};
use domain::usage::grid::Grid;
use domain::usage::query::{Group, Query};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::usage::source::{Source, facet};
use crate::usage::sums;
use crate::zone::Zone;

/// A bucket beside the same one of the week before.
pub struct Reasons {
    /// Index of the bucket.
    pub index: usize,
    /// Where the earlier stretch begins and ends.
    pub before: (Moment, Moment),
    /// What was used in the earlier stretch.
    pub total_before: Amounts,
    /// Largest differences by sandbox, key, image and size; no list where there are too many sandboxes to compare.
    pub by: Vec<(Group, Option<Vec<Difference>>)>,
}

/// One difference, in the raw units of the metric.
pub struct Difference {
    /// What differs.
    pub facet: Facet,
    /// In the bucket.
    pub now: i128,
    /// In the week before.
    pub before: i128,
}

/// Compares a bucket with the week before.
pub(super) async fn read(
    db: &mut PgConnection,
    source: &Source<'_>,
    query: &Query,
    breakdown: &Breakdown,
    index: usize,
    zone: &Zone,
) -> Result<Reasons, Broken> {
    let bucket = breakdown
        .grid
        .buckets
        .get(index)
        .ok_or_else(|| Broken::new("no such bucket"))?;
    let before = breakdown.grid.week_before(bucket, zone);
    let plain = Query {
        group: Group::None,
        ..query.clone()
    };
    let earlier = source
        .breakdown(db, &plain, Grid::window(before.0, before.1))
        .await?;
    let bounds = [before.0, before.1, bucket.start, bucket.end].map(OffsetDateTime::from);
    let fits = query.only.sandbox.is_some()
        || (sums::fits(db, source.account_id, bucket.start, bucket.end).await?
            && sums::fits(db, source.account_id, before.0, before.1).await?);
    let mut by = Vec::new();
    for group in [Group::Sandbox, Group::Key, Group::Image, Group::Size] {
        let asked = Query {
            group,
            ..query.clone()
        };
        let asked = source.asked(&asked, &bounds);
        let found = match group {
            Group::Sandbox if !fits => None,
            Group::Sandbox => Some(store::by_sandbox(db, &asked).await?),
            // One sandbox has one key, image and size.
            _ if query.only.sandbox.is_some() => continue,
            _ => Some(store::by_cohort(db, &asked).await?),
        };
        let found = match found {
            Some(found) => Some(named(db, source, group, found).await?),
            None => None,
        };
        by.push((group, found));
    }
    Ok(Reasons {
        index,
        before,
        total_before: earlier.total(),
        by,
    })
}

async fn named(
    db: &mut PgConnection,
    source: &Source<'_>,
    group: Group,
    found: Vec<store::Difference>,
) -> Result<Vec<Difference>, Broken> {
    let words: Vec<String> = found.iter().map(|each| each.word.clone()).collect();
    let names = source.key_names(db, group, &words).await?;
    found
        .into_iter()
        .map(|each| {
            Ok(Difference {
                facet: facet(group, &each.word, &names)?,
                now: each.now,
                before: each.before,
            })
        })
        .collect()
}
