//! Usage as pages show it: what is asked (`query`, `only`), the buckets of time (`grid`), which sums fill them (`stretches`),
//! the sums in them (`breakdown`), the plain series of the overview, and the nice steps of an axis. Reading is `backend`'s,
//! drawing is `app`'s.

pub mod breakdown;
pub mod grid;
pub mod only;
pub mod query;
pub mod stretches;

use crate::moment::Moment;
use crate::money::Ticks;
use crate::price::BilledMs;
use grid::Grid;
pub use query::Range;
use strum::EnumIter;

/// What makes no sense in the address of a usage page; the page shows the usual instead and says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter)]
pub enum UsageProblem {
    /// No such range.
    RangeUnknown,
    /// The first day is not a date.
    FromUnreadable,
    /// The last day is not a date.
    ToUnreadable,
    /// The last day lies before the first.
    ToBeforeFrom,
    /// Over 400 days.
    RangeTooLong,
    /// No such metric.
    MetricUnknown,
    /// Nothing to group by.
    GroupUnknown,
    /// Over 200,000 rated hours: too many to group by sandbox or to list.
    TooMany,
    /// More cells than a file holds.
    FileTooLong,
    /// Neither `yes` nor nothing.
    HideZeroUnknown,
    /// No such time zone.
    ZoneUnknown,
    /// A key, size, image, region or sandbox that cannot be one.
    FilterUnreadable,
    /// Not the start of a bucket of this chart.
    BarUnknown,
    /// A window of intervals without two readable ends in order.
    WindowUnreadable,
}

/// Billed time and its cost per bucket of a grid, oldest first, without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The buckets.
    pub grid: Grid,
    /// The moment the figures are true for.
    pub as_of: Moment,
    /// As many amounts as the grid has buckets.
    pub amounts: Vec<(BilledMs, Ticks)>,
}

impl Series {
    /// Sorts amounts (hour or moment, billed, ticks) into the buckets of a grid; amounts outside are left out.
    #[must_use]
    pub fn fill(
        grid: Grid,
        as_of: Moment,
        parts: impl IntoIterator<Item = (Moment, BilledMs, Ticks)>,
    ) -> Self {
        let mut amounts = vec![(BilledMs(0), Ticks::ZERO); grid.buckets.len()];
        for (at, billed, ticks) in parts {
            if let Some(sum) = grid.index_of(at).and_then(|index| amounts.get_mut(index)) {
                sum.0.0 += billed.0;
                sum.1 = sum.1.saturating_add(ticks);
            }
        }
        Self {
            grid,
            as_of,
            amounts,
        }
    }

    /// Sum over all buckets.
    #[must_use]
    pub fn total(&self) -> (BilledMs, Ticks) {
        let billed = self.amounts.iter().map(|(billed, _)| billed.0).sum();
        (
            BilledMs(billed),
            self.amounts.iter().map(|(_, ticks)| *ticks).sum(),
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

    use super::grid::Utc;
    use super::*;

    proptest! {
        #[test]
        fn buckets_hold_every_amount_once(now in 1_000_000_000_000_i64..4_000_000_000_000, offsets in prop::collection::vec((0_i64..2_500_000_000, 0_i64..3_600_000), 0..40)) {
            let now = Moment::from_unix_ms(now);
            for range in [Range::Day, Range::Week, Range::Month, Range::ThisMonth, Range::LastMonth] {
                let grid = Grid::of(range, now, &Utc);
                let amounts: Vec<_> = offsets.iter().map(|(back, ms)| (now.plus_ms(-back), BilledMs(*ms), Ticks::new(i128::from(*ms)).unwrap())).collect();
                let inside: i64 = amounts.iter().filter(|(at, _, _)| *at >= grid.from() && *at < grid.until()).map(|(_, billed, _)| billed.0).sum();
                let series = Series::fill(grid, now, amounts);
                prop_assert_eq!(series.total().0, BilledMs(inside));
            }
        }

        #[test]
        fn an_axis_holds_the_highest_in_few_nice_steps(highest in 1_i128..10_i128.pow(30)) {
            let (top, step) = axis(highest);
            prop_assert!(top >= highest && top % step == 0 && top / step <= 5);
        }
    }
}
