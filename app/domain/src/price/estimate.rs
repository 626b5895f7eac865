//! What so many sandboxes of one size cost for a time, from what somebody types: read strictly, computed by the price.

use strum::EnumIter;

use super::{BilledMs, Price};
use crate::ceilings::{ESTIMATE_DAYS_MAX, WHAT_IF_COUNT_MAX};
use crate::moment::{DAY_MS, HOUR_MS};
use crate::money::Ticks;
use crate::sandbox::Size;

/// Why no cost was worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum EstimateProblem {
    /// Not a number of sandboxes.
    Count,
    /// Not a number of processors that a sandbox can have.
    Vcpus,
    /// Not a size of memory that a sandbox can have.
    Memory,
    /// Not a number of whole units, or more than a year.
    Time,
}

/// In what a time is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumIter)]
pub enum Unit {
    /// What is billed.
    #[default]
    Seconds,
    /// 60 of them.
    Minutes,
    /// 3,600.
    Hours,
    /// 86,400.
    Days,
}

impl Unit {
    /// The word in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
        }
    }

    /// Seconds for a word that is none of them.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "minutes" => Self::Minutes,
            "hours" => Self::Hours,
            "days" => Self::Days,
            _ => Self::Seconds,
        }
    }

    const fn ms(self) -> i64 {
        match self {
            Self::Seconds => 1_000,
            Self::Minutes => 60_000,
            Self::Hours => HOUR_MS,
            Self::Days => DAY_MS,
        }
    }
}

/// So many sandboxes of a size for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// How many, at least one.
    pub count: u32,
    /// Of each.
    pub size: Size,
    /// Of each, in whole seconds.
    pub billed: BilledMs,
}

impl Estimate {
    /// Reads what was typed.
    ///
    /// # Errors
    /// Everything that cannot be read, in the order of the fields.
    pub fn parse(
        count: &str,
        vcpus: &str,
        gib: &str,
        time: &str,
        unit: Unit,
    ) -> Result<Self, Vec<EstimateProblem>> {
        let inside = |typed: &str, most: i64| {
            let number = typed.trim().parse::<i64>().ok();
            number.filter(|number| (1..=most).contains(number))
        };
        let count = inside(count, i64::from(WHAT_IF_COUNT_MAX)).and_then(|n| u32::try_from(n).ok());
        let vcpus = inside(vcpus, i64::from(i32::MAX)).and_then(|n| i32::try_from(n).ok());
        let vcpus = vcpus.filter(|n| Size::new(*n, 1).is_some());
        let mem_mib = inside(gib, i64::from(i32::MAX / 1_024))
            .and_then(|n| i32::try_from(n * 1_024).ok())
            .filter(|mib| Size::new(1, *mib).is_some());
        let longest = ESTIMATE_DAYS_MAX * DAY_MS / unit.ms();
        let billed = inside(time, longest).map(|n| BilledMs(n * unit.ms()));
        let size = vcpus.zip(mem_mib);
        let size = size.and_then(|(vcpus, mem_mib)| Size::new(vcpus, mem_mib));
        match (count, size, billed) {
            (Some(count), Some(size), Some(billed)) => Ok(Self {
                count,
                size,
                billed,
            }),
            _ => {
                let missing = [
                    (count.is_none(), EstimateProblem::Count),
                    (vcpus.is_none(), EstimateProblem::Vcpus),
                    (mem_mib.is_none(), EstimateProblem::Memory),
                    (billed.is_none(), EstimateProblem::Time),
                ];
                let missing = missing.into_iter().filter(|(is_missing, _)| *is_missing);
                Err(missing.map(|(_, problem)| problem).collect())
            }
        }
    }

    /// What all of them cost together.
    #[must_use]
    pub fn cost(&self, price: &Price) -> Ticks {
        let one = price.cost(self.billed, self.size);
        // A year of the largest size is below 1e31 ticks, ten thousand of them below 1e35: inside the 38 digits.
        Ticks::new(one.get() * i128::from(self.count)).unwrap_or(Ticks::ZERO)
    }

    /// What they cost per hour while they run.
    #[must_use]
    pub fn per_hour(&self, price: &Price) -> Ticks {
        let hour = Self {
            billed: BilledMs(HOUR_MS),
            ..*self
        };
        hour.cost(price)
    }

    /// How long an amount pays for them, in whole seconds; none when they cost nothing.
    #[must_use]
    pub fn lasts(&self, amount: Ticks, price: &Price) -> Option<BilledMs> {
        let second = Self {
            billed: BilledMs(1_000),
            ..*self
        };
        let second = second.cost(price).get();
        let seconds = (second > 0).then(|| amount.get().max(0) / second)?;
        i64::try_from(seconds)
            .ok()?
            .checked_mul(1_000)
            .map(BilledMs)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::money::Cents;
    use crate::price::tests::first_price;

    #[test]
    fn ninety_seconds_of_one() {
        let one = Estimate::parse("1", " 1", "1 ", "90", Unit::Seconds).unwrap();
        let price = first_price();
        assert_eq!(one.cost(&price).get(), 90_000 * 41_000 * 1_024);
        assert_eq!(one.per_hour(&price).dollars(3), "$0.041");
        let lasts = one.lasts(Ticks::from_cents(Cents(5_000)), &price);
        assert_eq!(lasts, Some(BilledMs(4_390_243_000)));
        let hour = Estimate::parse("3", "2", "4", "1", Unit::Hours).unwrap();
        assert_eq!(hour.cost(&price), hour.per_hour(&price));
        assert_eq!(hour.cost(&price).dollars(3), "$0.336");
    }

    #[test]
    fn what_cannot_be_read_is_named_each() {
        use EstimateProblem as P;
        let all = Estimate::parse("", "x", "0", "-1", Unit::Days);
        assert_eq!(all, Err(vec![P::Count, P::Vcpus, P::Memory, P::Time]));
        for (count, vcpus, gib, time, problem) in [
            ("10001", "1", "1", "1", P::Count),
            ("1.5", "1", "1", "1", P::Count),
            ("1", "1025", "1", "1", P::Vcpus),
            ("1", "1", "16385", "1", P::Memory),
            ("1", "1", "9223372036854775807", "1", P::Memory),
            ("1", "1", "1", "367", P::Time),
            ("1", "1", "1", "1e3", P::Time),
        ] {
            let read = Estimate::parse(count, vcpus, gib, time, Unit::Days);
            assert_eq!(read, Err(vec![problem]));
        }
    }

    proptest! {
        #[test]
        fn many_cost_as_many_times_one(count in 1_u32..10_000, vcpus in 1_i32..=1_024, gib in 1_i32..=16_384, days in 1_i64..=366) {
            let text = |n: i64| n.to_string();
            let read = |count: u32| Estimate::parse(&text(count.into()), &text(vcpus.into()), &text(gib.into()), &text(days), Unit::Days).unwrap();
            let price = first_price();
            let one = read(1).cost(&price);
            prop_assert_eq!(one, price.cost(BilledMs(days * DAY_MS), read(1).size));
            prop_assert_eq!(read(count).cost(&price).get(), one.get() * i128::from(count));
            prop_assert!(one.is_positive());
        }
    }
}
