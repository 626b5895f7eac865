//! The example of the front page: a stated month of a small team, rated by the listed prices as real usage is. Nobody ran it,
//! and the page says so.

use domain::interval::{Interval, slices};
use domain::moment::Moment;
use domain::price::Price;
use domain::sandbox::Size;
use domain::usage::breakdown::{Amounts, Breakdown, Facet};
use domain::usage::grid::{Bucket, Grid, Utc};
use domain::usage::query::{Metric, Range};
use time::Weekday;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// What the example says of itself.
pub const SAYS: &str = "An example, nobody's account: a nightly build of 45 minutes with 4 vCPU and 8 GiB, and from Monday to Friday, 9 to 17 UTC, two sandboxes of 1 vCPU and 1 GiB. Rated by the prices below, for the last 30 days.";

/// One part of the example: a size, how many, on which days, and from when to when.
struct Part {
    size: Size,
    count: i128,
    only_weekdays: bool,
    from_ms: i64,
    until_ms: i64,
}

const PARTS: [Part; 2] = [
    Part {
        size: Size {
            vcpus: 1,
            mem_mib: 1_024,
        },
        count: 2,
        only_weekdays: true,
        from_ms: 9 * HOUR_MS,
        until_ms: 17 * HOUR_MS,
    },
    Part {
        size: Size {
            vcpus: 4,
            mem_mib: 8_192,
        },
        count: 1,
        only_weekdays: false,
        from_ms: 2 * HOUR_MS,
        until_ms: 2 * HOUR_MS + 45 * MINUTE_MS,
    },
];

impl Part {
    /// What it adds to a day, up to `as_of`; none when a moment of it has no price.
    fn on(&self, day: &Bucket, prices: &[Price], as_of: Moment) -> Option<Amounts> {
        let is_weekend = matches!(day.first.weekday(), Weekday::Saturday | Weekday::Sunday);
        let ran = Interval {
            started_at: day.start.plus_ms(self.from_ms),
            ended_at: Some(day.start.plus_ms(self.until_ms).min(as_of)),
        };
        if (self.only_weekdays && is_weekend) || ran.started_at >= as_of {
            return Some(Amounts::default());
        }
        let mut sum = Amounts::default();
        for slice in slices(&[ran], self.size, prices, as_of).ok()? {
            let ms = i128::from(slice.billed.0);
            let one = Amounts {
                ms,
                vcpu_ms: ms * i128::from(self.size.vcpus),
                mib_ms: ms * i128::from(self.size.mem_mib),
                ticks: slice.ticks,
            };
            sum = (0..self.count).fold(sum, |sum, _| sum.plus(one));
        }
        Some(sum)
    }
}

/// The last 30 days of the example by day and size; none when the list has no price for one of them.
pub fn month(prices: &[Price], as_of: Moment) -> Option<Breakdown> {
    let grid = Grid::of(Range::Month, as_of, &Utc);
    let cells = grid.buckets.iter().map(|day| {
        let parts = PARTS.iter().map(|part| part.on(day, prices, as_of));
        parts.collect::<Option<Vec<Amounts>>>()
    });
    let cells = cells.collect::<Option<Vec<_>>>()?;
    Some(Breakdown {
        grid,
        as_of,
        metric: Metric::Cost,
        series: PARTS.iter().map(|part| Facet::Size(part.size)).collect(),
        cells,
    })
}

#[cfg(test)]
mod tests {
    use domain::id::PriceId;
    use domain::money::MicroDollars;
    use time::macros::datetime;

    use super::*;

    fn price() -> Price {
        Price {
            price_id: PriceId(uuid::Uuid::nil()),
            vcpu_hour: MicroDollars(26_000),
            gib_hour: MicroDollars(15_000),
            grain_ms: 1_000,
            from: Moment::MIN,
            until: None,
        }
    }

    #[test]
    fn the_example_costs_what_it_says() {
        // Thirty days, all passed but the last, which ends at noon: a Monday.
        let as_of = Moment::from(datetime!(2026-11-30 12:00 UTC));
        let month = month(&[price()], as_of).unwrap();
        assert_eq!(month.cells.len(), 30);
        // 1 Nov 2026 is a Sunday: 20 weekdays before the 30th, then three hours.
        let desk_ms = 2 * (20 * 8 + 3) * i128::from(HOUR_MS);
        let night_ms = 30 * 45 * i128::from(MINUTE_MS);
        let total = month.total();
        assert_eq!(total.ms, desk_ms + night_ms);
        let rate = |vcpus: i128, gib: i128| 26_000 * 1_024 * vcpus + 15_000 * 1_024 * gib;
        assert_eq!(
            total.ticks.get(),
            desk_ms * rate(1, 1) + night_ms * rate(4, 8)
        );
    }

    #[test]
    fn without_a_price_there_is_no_example() {
        let as_of = Moment::from(datetime!(2026-11-30 12:00 UTC));
        assert!(month(&[], as_of).is_none());
        let began = Price {
            from: Moment::from(datetime!(2026-11-29 00:00 UTC)),
            ..price()
        };
        assert!(month(&[began], as_of).is_none());
    }
}
