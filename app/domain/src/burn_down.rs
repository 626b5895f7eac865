//! How credit went down: the line of what was left, rebuilt from what is left now and what changed in each bucket.
//! Reading the changes is `backend`'s, drawing the line is `app`'s.

use crate::ceilings::BURN_DOWN_DAYS_MAX;
use crate::moment::{DAY_MS, HOUR_MS, Moment};
use crate::money::Ticks;

/// How far back the line goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// 30 days.
    Month,
    /// 90 days.
    Quarter,
    /// Since the first grant, 366 days at most.
    #[default]
    All,
}

impl Reach {
    /// Every reach, shortest first.
    pub const ALL: [Self; 3] = [Self::Month, Self::Quarter, Self::All];

    /// The word in the address of the page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Month => "30d",
            Self::Quarter => "90d",
            Self::All => "all",
        }
    }

    /// The reach of that word; all of it when it is none.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|reach| reach.as_str() == word)
            .unwrap_or(Self::All)
    }

    const fn days(self) -> i64 {
        match self {
            Self::Month => 30,
            Self::Quarter => 90,
            Self::All => BURN_DOWN_DAYS_MAX,
        }
    }
}

/// The buckets of a line: whole UTC days, or hours while the whole line is no longer than three days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Start of the first bucket.
    pub start: Moment,
    /// Width of a bucket in milliseconds.
    pub bucket_ms: i64,
    /// The moment up to which figures are exact; it lies in the last bucket.
    pub as_of: Moment,
    /// True when credit is older than the line.
    pub is_cut: bool,
}

impl Grid {
    /// The buckets from the first grant (`born`) or the reach, whichever is later, up to `as_of`.
    #[must_use]
    pub fn of(reach: Reach, born: Moment, as_of: Moment) -> Self {
        let born = born.min(as_of);
        let oldest = as_of.day().plus_ms(-(reach.days() - 1) * DAY_MS);
        let (start, bucket_ms) = if as_of.since_ms(born) <= 3 * DAY_MS {
            (born.hour(), HOUR_MS)
        } else {
            (born.day().max(oldest), DAY_MS)
        };
        Self {
            start,
            bucket_ms,
            as_of,
            is_cut: born < start,
        }
    }

    /// Number of buckets, at least one.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.as_of.since_ms(self.start) / self.bucket_ms + 1).unwrap_or(1)
    }

    /// False: a line has at least one bucket.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// True when buckets are hours.
    #[must_use]
    pub const fn is_hourly(&self) -> bool {
        self.bucket_ms == HOUR_MS
    }

    /// Start of the bucket of that number.
    #[must_use]
    pub fn bucket(&self, index: usize) -> Moment {
        let index = i64::try_from(index).unwrap_or(i64::MAX);
        self.start.plus_ms(index.saturating_mul(self.bucket_ms))
    }

    /// The bucket that holds a moment; none before the line, the last for what is later than `as_of`.
    #[must_use]
    pub fn index(&self, at: Moment) -> Option<usize> {
        let at = at.min(self.as_of);
        let index = at.since_ms(self.start).div_euclid(self.bucket_ms);
        usize::try_from(index).ok()
    }
}

/// What changed the credit in one bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Credit that began to pay.
    pub granted: Ticks,
    /// Credit that ended unused.
    pub ended: Ticks,
    /// Cost of what ran, by the name of its key, the dearest first.
    pub used: Vec<(String, Ticks)>,
    /// The part of it that no credit covered.
    pub overrun: Ticks,
}

impl Change {
    /// Cost of everything that ran.
    #[must_use]
    pub fn cost(&self) -> Ticks {
        self.used.iter().map(|(_, ticks)| *ticks).sum()
    }
}

/// One bucket of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// First moment, a whole UTC hour.
    pub start: Moment,
    /// Left before it.
    pub before: Ticks,
    /// Left after it, or at `as_of` in the last one.
    pub left: Ticks,
    /// What lies between the two.
    pub change: Change,
}

/// The line, oldest first, from what is left now and the changes of each bucket. Backwards, because the present is what
/// is known for certain: the line ends exactly at the balance that every page shows.
#[must_use]
pub fn line(grid: &Grid, left_now: Ticks, changes: Vec<Change>) -> Vec<Point> {
    let mut left = left_now;
    let mut points = Vec::with_capacity(changes.len());
    for (index, change) in changes.into_iter().enumerate().rev() {
        let paid = change.cost().saturating_sub(change.overrun);
        let before = left
            .saturating_add(paid)
            .saturating_add(change.ended)
            .saturating_sub(change.granted);
        points.push(Point {
            start: grid.bucket(index),
            before,
            left,
            change,
        });
        left = before;
    }
    points.reverse();
    points
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    fn ticks(n: i64) -> Ticks {
        Ticks::new(i128::from(n)).unwrap()
    }

    #[test]
    fn a_young_account_is_drawn_by_the_hour_and_an_old_one_by_the_day() {
        let as_of = Moment::from(datetime!(2026-11-24 15:20 UTC));
        let young = Grid::of(
            Reach::All,
            Moment::from(datetime!(2026-11-24 13:59 UTC)),
            as_of,
        );
        assert_eq!(
            (young.len(), young.is_hourly(), young.is_cut),
            (3, true, false)
        );
        assert_eq!(young.index(as_of), Some(2));
        let old = Moment::from(datetime!(2026-10-01 00:00 UTC));
        let old = |reach| Grid::of(reach, old, as_of);
        assert_eq!((old(Reach::All).len(), old(Reach::All).is_cut), (55, false));
        assert_eq!(
            (old(Reach::Month).len(), old(Reach::Month).is_cut),
            (30, true)
        );
        assert_eq!(
            old(Reach::Month).index(Moment::from(datetime!(2026-10-02 00:00 UTC))),
            None
        );
        assert_eq!(old(Reach::Month).index(Moment::MAX), Some(29));
        // A grant later than the feed: the clocks of the two differ by seconds.
        assert_eq!(Grid::of(Reach::All, Moment::MAX, as_of).len(), 1);
    }

    proptest! {
        #[test]
        fn the_line_walks_from_nothing_to_the_balance(
            changes in prop::collection::vec((0_i64..1_000, 0_i64..100, prop::collection::vec(0_i64..100, 0..4), 0_i64..50), 1..40),
        ) {
            let as_of = Moment::from(datetime!(2026-11-24 15:20 UTC));
            let grid = Grid::of(Reach::All, as_of.plus_ms(-DAY_MS * 39), as_of);
            let changes: Vec<Change> = changes.into_iter().map(|(granted, ended, used, overrun)| Change {
                granted: ticks(granted), ended: ticks(ended),
                used: used.into_iter().map(|n| ("ci".to_owned(), ticks(n))).collect(), overrun: ticks(overrun),
            }).collect();
            let mut left = Ticks::ZERO;
            for change in &changes {
                left = left.saturating_add(change.granted).saturating_sub(change.ended)
                    .saturating_sub(change.cost()).saturating_add(change.overrun);
            }
            let points = line(&grid, left, changes);
            prop_assert_eq!(points[0].before, Ticks::ZERO);
            prop_assert_eq!(points.last().unwrap().left, left);
            for pair in points.windows(2) {
                prop_assert_eq!(pair[0].left, pair[1].before);
            }
        }
    }
}
