//! The price book as rules: what a millisecond of a size costs, and which price an hour falls under.
//! An account's own book is `price::book`'s, what is typed to work out a cost `price::estimate`'s, storage the database's; adding costs up per hour is `interval`'s.

mod book;
mod estimate;

pub use book::{Binding, Listed, Notice, SANDBOX_SKU, book_of};
pub use estimate::{Estimate, EstimateProblem, Unit};
use serde::{Deserialize, Serialize};

use crate::id::PriceId;
use crate::moment::Moment;
use crate::money::{MicroDollars, Ticks};
use crate::sandbox::Size;

/// One row of the price book, valid in `[from, until)`; both bounds are whole UTC hours, so no slice straddles one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// What slices name, so that it stays known by which price each hour was rated.
    pub price_id: PriceId,
    /// Micro-dollars for one vCPU for one hour.
    pub vcpu_hour: MicroDollars,
    /// Micro-dollars for one GiB of memory for one hour.
    pub gib_hour: MicroDollars,
    /// The metering grain in milliseconds: 1,000, as the Terms meter per second.
    pub grain_ms: i64,
    /// First moment of validity.
    pub from: Moment,
    /// First moment after validity; none while no successor is planned.
    pub until: Option<Moment>,
}

impl Price {
    /// True while this price rules at `at`.
    #[must_use]
    pub fn covers(&self, at: Moment) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    /// Milliseconds billed for `[start, end)`: the difference of floors on an absolute grid. Floors telescope, so
    /// cutting an interval anywhere never changes its price. Zero when `end <= start`.
    #[must_use]
    pub fn billed_ms(&self, start: Moment, end: Moment) -> BilledMs {
        let grain = self.grain_ms.max(1);
        let ms = (end.unix_ms().div_euclid(grain) - start.unix_ms().div_euclid(grain)) * grain;
        BilledMs(ms.max(0))
    }

    /// The exact cost of `billed` milliseconds at `size`.
    #[must_use]
    pub fn cost(&self, billed: BilledMs, size: Size) -> Ticks {
        // 1e13 ms x (1e9 x 1,024 x 1e4 + 1e9 x 1e8) stays below 1e31: inside i128 and the 38 digits of a tick column.
        let rate = self.per_ms(size.vcpus.into(), size.mem_mib.into());
        Ticks::new(rate * i128::from(billed.0)).unwrap_or(Ticks::ZERO)
    }

    /// Ticks that so many processors and so much memory in all cost in one millisecond.
    pub(crate) fn per_ms(&self, vcpus: i128, mem_mib: i128) -> i128 {
        i128::from(self.vcpu_hour.0) * 1_024 * vcpus + i128::from(self.gib_hour.0) * mem_mib
    }

    /// What `size` costs in one hour.
    #[must_use]
    pub fn per_hour(&self, size: Size) -> Ticks {
        self.cost(BilledMs(crate::moment::HOUR_MS), size)
    }
}

/// Milliseconds that are charged: a whole multiple of the price's grain, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BilledMs(pub i64);

#[cfg(test)]
pub(crate) mod tests {
    use num_bigint::BigInt;
    use num_rational::BigRational;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::money::{Cents, TICKS_PER_DOLLAR};

    /// $0.026 per vCPU-hour and $0.015 per GiB-hour, which make the $0.041 of Terms 4.
    pub(crate) fn first_price() -> Price {
        Price {
            price_id: PriceId(Uuid::nil()),
            vcpu_hour: MicroDollars(26_000),
            gib_hour: MicroDollars(15_000),
            grain_ms: 1_000,
            from: Moment::MIN,
            until: None,
        }
    }

    fn default_size() -> Size {
        Size {
            vcpus: 1,
            mem_mib: 1_024,
        }
    }

    #[test]
    fn ninety_seconds_of_the_default_size() {
        let price = first_price();
        let billed = price.billed_ms(Moment::from_unix_ms(0), Moment::from_unix_ms(90_000));
        assert_eq!(price.cost(billed, default_size()).get(), 3_778_560_000_000);
        assert_eq!(3_778_560_000_000, 90_000_i128 * 41_000 * 1_024);
    }

    #[test]
    fn fifty_dollars_last_4390243_whole_seconds() {
        let price = first_price();
        let credit = Ticks::from_cents(Cents(5_000));
        let second = price.cost(BilledMs(1_000), default_size());
        assert_eq!(credit.get() / second.get(), 4_390_243);
        let rest = credit.get() - 4_390_243 * second.get();
        // 902 ms and 18,432,000 ticks: the next second pays 37/41 from credit.
        assert_eq!(rest * 41, second.get() * 37);
    }

    #[test]
    fn thirty_days_cost_29_dollars_52() {
        let price = first_price();
        assert_eq!(
            price
                .cost(BilledMs(720 * 3_600_000), default_size())
                .dollars(2),
            "$29.52"
        );
        let parts = Price {
            vcpu_hour: MicroDollars(25_000),
            ..first_price()
        };
        // 700 MiB + 1 vCPU: 35,253.90625 micro-dollars an hour, exact only because of the 1,024 in a tick.
        let hour = parts.per_hour(Size {
            vcpus: 1,
            mem_mib: 700,
        });
        assert_eq!(
            hour.get() * 1_000_000 * 100_000,
            3_525_390_625 * TICKS_PER_DOLLAR
        );
    }

    proptest! {
        #[test]
        fn splitting_an_interval_never_changes_its_price(
            start in 0_i64..10_000_000_000, lengths in prop::collection::vec(0_i64..100_000_000, 1..20),
            grain in prop::sample::select(vec![1_i64, 1_000]), vcpus in 1_i32..64, mem_mib in 1_i32..262_144,
        ) {
            let price = Price { grain_ms: grain, ..first_price() };
            let size = Size { vcpus, mem_mib };
            let mut at = Moment::from_unix_ms(start);
            let mut pieces = Ticks::ZERO;
            for length in &lengths {
                let next = at.plus_ms(*length);
                pieces = pieces.saturating_add(price.cost(price.billed_ms(at, next), size));
                at = next;
            }
            let whole = price.cost(price.billed_ms(Moment::from_unix_ms(start), at), size);
            prop_assert_eq!(pieces, whole);
        }

        #[test]
        fn rating_equals_the_rational_formula(ms in 0_i64..100_000_000, vcpus in 1_i32..64, mem_mib in 1_i32..262_144) {
            let price = first_price();
            let billed = BilledMs(ms * 1_000);
            let ticks = price.cost(billed, Size { vcpus, mem_mib });
            let hours = BigRational::new(BigInt::from(billed.0), BigInt::from(3_600_000));
            let gib = BigRational::new(BigInt::from(mem_mib), BigInt::from(1_024));
            let micro = hours * (BigRational::from(BigInt::from(26_000 * vcpus)) + BigRational::from(BigInt::from(15_000)) * gib);
            let dollars = BigRational::new(BigInt::from(ticks.get()), BigInt::from(TICKS_PER_DOLLAR));
            prop_assert_eq!(dollars * BigRational::from(BigInt::from(1_000_000)), micro);
        }
    }
}
