//! Usage by bucket and by what it is for: exact sums, and what a metric makes of them.
//! How they are read is `backend`'s; how they are drawn and written is `app`'s.

use super::grid::Grid;
use super::query::Metric;
use crate::id::KeyId;
use crate::moment::{HOUR_MS, Moment};
use crate::money::{TICKS_PER_DOLLAR, Ticks};
use crate::sandbox::{SandboxId, Size};

/// Series shown by name; what is beyond them is summed as "other".
pub const SERIES_MAX: usize = 7;
/// Units in one whole of a metric when drawn: a billionth, the finest in which dollars and ticks are both whole.
pub const NANOS: i128 = 1_000_000_000;

/// Exact sums of usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Running time in milliseconds, billed by the whole second.
    pub ms: i128,
    /// Milliseconds times processors.
    pub vcpu_ms: i128,
    /// Milliseconds times MiB of memory.
    pub mib_ms: i128,
    /// Exact cost of that time.
    pub ticks: Ticks,
}

impl Amounts {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            ms: self.ms + other.ms,
            vcpu_ms: self.vcpu_ms + other.vcpu_ms,
            mib_ms: self.mib_ms + other.mib_ms,
            ticks: self.ticks.saturating_add(other.ticks),
        }
    }

    /// The exact whole number that a metric counts: ticks, or milliseconds, or milliseconds times vCPUs or MiB.
    #[must_use]
    pub const fn raw(&self, metric: Metric) -> i128 {
        match metric {
            Metric::Cost => self.ticks.get(),
            Metric::SandboxHours | Metric::Concurrency => self.ms,
            Metric::VcpuHours => self.vcpu_ms,
            Metric::GibHours => self.mib_ms,
        }
    }
}

impl Metric {
    /// How many raw units make one dollar, one hour, or one sandbox on average over `elapsed_ms`.
    #[must_use]
    pub const fn whole(self, elapsed_ms: i64) -> i128 {
        match self {
            Self::Cost => TICKS_PER_DOLLAR,
            Self::SandboxHours | Self::VcpuHours => HOUR_MS as i128,
            Self::GibHours => HOUR_MS as i128 * 1_024,
            Self::Concurrency => elapsed_ms as i128,
        }
    }

    /// A raw value in billionths of its unit, floored; 0 where no time has passed.
    #[must_use]
    pub const fn nanos(self, raw: i128, elapsed_ms: i64) -> i128 {
        let whole = self.whole(elapsed_ms);
        if whole <= 0 {
            return 0;
        }
        // Split, so that no product leaves i128.
        raw / whole * NANOS + raw % whole * NANOS / whole
    }
}

/// What a series or a difference is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Facet {
    /// Everything, ungrouped.
    All,
    /// One key, or sandboxes without one; with the key's name and whether it is revoked, where it is known.
    Key(Option<KeyId>, Option<(String, bool)>),
    /// One size.
    Size(Size),
    /// One image.
    Image(String),
    /// One region.
    Region(String),
    /// One sandbox.
    Sandbox(SandboxId),
    /// All beyond the named ones.
    Other,
}

/// Usage by bucket and series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown {
    /// The buckets.
    pub grid: Grid,
    /// The moment the figures are true for.
    pub as_of: Moment,
    /// What is counted.
    pub metric: Metric,
    /// What each column is about, largest first, "other" last.
    pub series: Vec<Facet>,
    /// By bucket, then by series.
    pub cells: Vec<Vec<Amounts>>,
}

impl Breakdown {
    /// Sum of a bucket.
    #[must_use]
    pub fn bucket(&self, index: usize) -> Amounts {
        let row = self.cells.get(index).map_or(&[][..], Vec::as_slice);
        row.iter().copied().fold(Amounts::default(), Amounts::plus)
    }

    /// Sum of a series.
    #[must_use]
    pub fn column(&self, index: usize) -> Amounts {
        let cells = self.cells.iter().filter_map(|row| row.get(index).copied());
        cells.fold(Amounts::default(), Amounts::plus)
    }

    /// Sum of everything.
    #[must_use]
    pub fn total(&self) -> Amounts {
        (0..self.cells.len()).fold(Amounts::default(), |sum, index| {
            sum.plus(self.bucket(index))
        })
    }

    /// Milliseconds of a bucket that have passed.
    #[must_use]
    pub fn elapsed_ms(&self, index: usize) -> i64 {
        self.grid
            .buckets
            .get(index)
            .map_or(0, |bucket| bucket.elapsed_ms(self.as_of))
    }

    /// Milliseconds of all buckets that have passed.
    #[must_use]
    pub fn elapsed_in_all_ms(&self) -> i64 {
        (0..self.grid.buckets.len())
            .map(|index| self.elapsed_ms(index))
            .sum()
    }

    /// Leaves out series in which nothing was used.
    pub fn hide_zero(&mut self) {
        let used: Vec<bool> = (0..self.series.len())
            .map(|index| self.column(index) != Amounts::default())
            .collect();
        let keep = |index: usize| used.get(index).copied().unwrap_or(true);
        let mut index = 0;
        self.series.retain(|_| {
            index += 1;
            keep(index - 1)
        });
        for row in &mut self.cells {
            let mut index = 0;
            row.retain(|_| {
                index += 1;
                keep(index - 1)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::grid::Utc;
    use super::super::query::Range;
    use super::*;

    fn amounts(n: i128) -> Amounts {
        Amounts {
            ms: n,
            vcpu_ms: 2 * n,
            mib_ms: 3 * n,
            ticks: Ticks::new(4 * n).unwrap(),
        }
    }

    proptest! {
        #[test]
        fn rows_and_columns_add_up_to_the_same_total(values in prop::collection::vec(prop::collection::vec(0_i128..1_000_000, 3), 24)) {
            let grid = Grid::of(Range::Day, Moment::from_unix_ms(1_795_000_000_000), &Utc);
            let mut breakdown = Breakdown {
                grid, as_of: Moment::from_unix_ms(1_795_000_000_000), metric: Metric::Cost,
                series: vec![Facet::Image("a".into()), Facet::Image("b".into()), Facet::Other],
                cells: values.iter().map(|row| row.iter().map(|n| amounts(*n)).collect()).collect(),
            };
            let columns = (0..3).fold(Amounts::default(), |sum, index| sum.plus(breakdown.column(index)));
            prop_assert_eq!(columns, breakdown.total());
            let before = breakdown.total();
            for row in &mut breakdown.cells { row[1] = Amounts::default(); }
            let without = breakdown.total();
            breakdown.hide_zero();
            prop_assert!(breakdown.total() == without && !breakdown.series.contains(&Facet::Image("b".into())));
            prop_assert!(before.ms >= without.ms);
        }
    }

    #[test]
    fn nanos_are_exact_where_they_can_be() {
        assert_eq!(Metric::Cost.nanos(TICKS_PER_DOLLAR, 0), NANOS);
        assert_eq!(Metric::GibHours.nanos(1_024 * 3_600_000 / 2, 0), NANOS / 2);
        assert_eq!(Metric::Concurrency.nanos(3_600_000, 7_200_000), NANOS / 2);
        assert_eq!(Metric::Concurrency.nanos(3_600_000, 0), 0);
        let large = 10_i128.pow(37);
        assert!(Metric::Cost.nanos(large, 0) > 0);
    }
}
