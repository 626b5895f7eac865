//! Usage over time as a page draws it: ranges, buckets without gaps, totals, and the nice steps of an axis.
//! Reading the slices is `backend`'s, drawing is `app`'s.

use crate::moment::{DAY_MS, HOUR_MS, Moment};
use crate::money::Ticks;
use crate::price::BilledMs;

/// How far back a usage page looks. All buckets lie on the UTC grid, as bills do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// 24 hours by the hour.
    Day,
    /// 7 days by the day.
    Week,
    /// 30 days by the day.
    Month,
}

impl Range {
    /// Every range, shortest first.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The word in the address of the page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// The range of that word; 24 hours when it is none.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|range| range.as_str() == word)
            .unwrap_or(Self::Day)
    }

    /// Width of one bucket in milliseconds.
    #[must_use]
    pub const fn bucket_ms(self) -> i64 {
        match self {
            Self::Day => HOUR_MS,
            Self::Week | Self::Month => DAY_MS,
        }
    }

    /// Number of buckets.
    #[must_use]
    pub const fn buckets(self) -> i64 {
        match self {
            Self::Day => 24,
            Self::Week => 7,
            Self::Month => 30,
        }
    }

    /// The first bucket's start, so that the last bucket holds `now`.
    #[must_use]
    pub fn start(self, now: Moment) -> Moment {
        let last = match self {
            Self::Day => now.hour(),
            Self::Week | Self::Month => now.day(),
        };
        last.plus_ms(-(self.buckets() - 1) * self.bucket_ms())
    }
}

/// Usage inside one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its first moment.
    pub start: Moment,
    /// Sandbox-milliseconds billed in it.
    pub billed: BilledMs,
    /// Their cost.
    pub ticks: Ticks,
}

/// A range of buckets, oldest first, without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The range drawn.
    pub range: Range,
    /// The moment the figures are true for; the last bucket ends no later than its grid says.
    pub as_of: Moment,
    /// As many buckets as the range has.
    pub buckets: Vec<Bucket>,
}

impl Series {
    /// Sorts amounts (hour or moment, billed, ticks) into the buckets of a range; amounts outside are left out.
    #[must_use]
    pub fn fill(
        range: Range,
        as_of: Moment,
        amounts: impl IntoIterator<Item = (Moment, BilledMs, Ticks)>,
    ) -> Self {
        let first = range.start(as_of);
        let width = range.bucket_ms();
        let start = |index: i64| first.plus_ms(index * width);
        let empty = |index| Bucket {
            start: start(index),
            billed: BilledMs(0),
            ticks: Ticks::ZERO,
        };
        let mut buckets: Vec<Bucket> = (0..range.buckets()).map(empty).collect();
        for (at, billed, ticks) in amounts {
            let index = at.since_ms(first).div_euclid(width);
            let bucket = usize::try_from(index)
                .ok()
                .and_then(|index| buckets.get_mut(index));
            if let Some(bucket) = bucket {
                bucket.billed.0 += billed.0;
                bucket.ticks = bucket.ticks.saturating_add(ticks);
            }
        }
        Self {
            range,
            as_of,
            buckets,
        }
    }

    /// Sum over all buckets.
    #[must_use]
    pub fn total(&self) -> (BilledMs, Ticks) {
        let billed = self.buckets.iter().map(|bucket| bucket.billed.0).sum();
        (
            BilledMs(billed),
            self.buckets.iter().map(|bucket| bucket.ticks).sum(),
        )
    }
}

/// The top of an axis that holds `highest`, and its step: 1, 2 or 5 times a power of ten, four or five steps.
/// In the unit of the input; `(0, 0)` for an empty chart.
#[must_use]
pub fn axis(highest: i128) -> (i128, i128) {
    if highest <= 0 {
        return (0, 0);
    }
    let mut magnitude = 1_i128;
    loop {
        for factor in [1, 2, 5] {
            let step = magnitude * factor;
            if step * 5 >= highest {
                return ((highest + step - 1) / step * step, step);
            }
        }
        magnitude *= 10;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn buckets_hold_every_amount_once(now in 2_592_000_000_i64..4_000_000_000_000, offsets in prop::collection::vec((0_i64..2_500_000_000, 0_i64..3_600_000), 0..40)) {
            let now = Moment::from_unix_ms(now);
            for range in Range::ALL {
                let amounts: Vec<_> = offsets.iter().map(|(back, ms)| (now.plus_ms(-back), BilledMs(*ms), Ticks::new(i128::from(*ms)).unwrap())).collect();
                let inside: i64 = amounts.iter().filter(|(at, _, _)| *at >= range.start(now)).map(|(_, billed, _)| billed.0).sum();
                let series = Series::fill(range, now, amounts);
                prop_assert_eq!(series.buckets.len() as i64, range.buckets());
                prop_assert_eq!(series.total().0, BilledMs(inside));
                let last = series.buckets.last().unwrap();
                prop_assert!(last.start <= now && now < last.start.plus_ms(range.bucket_ms()));
            }
        }

        #[test]
        fn an_axis_holds_the_highest_in_few_nice_steps(highest in 1_i128..10_i128.pow(30)) {
            let (top, step) = axis(highest);
            prop_assert!(top >= highest && top % step == 0 && top / step <= 5);
        }
    }
}
