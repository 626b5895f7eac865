//! Money as integers: ticks for what is metered, cents for what is invoiced. No floats, no silent conversion.
//! Prices live in `price`, the burning of credit in `credit`.

use std::fmt;
use std::iter::Sum;

use serde::{Deserialize, Serialize};

use crate::number;

/// Ticks in one US cent: 10,000 micro-dollars x 3,600,000 ms x 1,024 MiB.
pub const TICKS_PER_CENT: i128 = 36_864_000_000_000;
/// Ticks in one US dollar.
pub const TICKS_PER_DOLLAR: i128 = 100 * TICKS_PER_CENT;
/// The most that a `NUMERIC(38,0)` column and this type may hold.
const TICKS_MAX: i128 = 10_i128.pow(38) - 1;

/// An exact amount: one tick is one micro-dollar divided by 3,600,000 ms and 1,024 MiB, so that a price in whole
/// micro-dollars per hour times milliseconds times mebibytes is always an integer (docs/decisions/0001-ticks.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticks(i128);

impl Ticks {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount from its number of ticks; `None` beyond 38 decimal digits, the width of the database column.
    #[must_use]
    pub const fn new(ticks: i128) -> Option<Self> {
        if ticks > TICKS_MAX || ticks < -TICKS_MAX {
            None
        } else {
            Some(Self(ticks))
        }
    }

    /// An amount from whole cents, exactly.
    #[must_use]
    pub const fn from_cents(cents: Cents) -> Self {
        // |i64| x 3.7e13 is below 3.5e32, so it always fits.
        Self(cents.0 as i128 * TICKS_PER_CENT)
    }

    /// The number of ticks.
    #[must_use]
    pub const fn get(self) -> i128 {
        self.0
    }

    /// Sum, or `None` beyond 38 digits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::new)
    }

    /// Difference, or `None` beyond 38 digits.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).and_then(Self::new)
    }

    /// Sum that stops at the widest amount. For display and totals of amounts that the database already bounds.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0).clamp(-TICKS_MAX, TICKS_MAX))
    }

    /// Difference that stops at the widest amount.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).clamp(-TICKS_MAX, TICKS_MAX))
    }

    /// True above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The absolute amount.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Whole cents by floor and the ticks that remain (0 <= rest < one cent). The only way from ticks to cents,
    /// used where an invoice is made; the rest carries over.
    #[must_use]
    pub fn split_cents(self) -> (Cents, Self) {
        let cents = self.0.div_euclid(TICKS_PER_CENT);
        // 38 digits of ticks hold at most 2.8e24 cents, beyond i64; saturating keeps the rest honest at that extreme.
        let whole = i64::try_from(cents).unwrap_or(if cents > 0 { i64::MAX } else { i64::MIN });
        (
            Cents(whole),
            Self(self.0 - i128::from(whole) * TICKS_PER_CENT),
        )
    }

    /// Dollars and cents as text, cut and never rounded up: what is left must not look like more than it is.
    #[must_use]
    pub fn dollars_floor(self) -> String {
        let (cents, _) = self.split_cents();
        Self::from_cents(cents).dollars(2)
    }

    /// Dollars as text with `places` decimals (0 to 12), half-even; for display only, never parsed back.
    #[must_use]
    pub fn dollars(self, places: u32) -> String {
        let places = places.min(12);
        let scale = 10_i128.pow(places);
        let magnitude = self.0.unsigned_abs();
        let per_dollar = TICKS_PER_DOLLAR.unsigned_abs();
        let scale_unsigned = scale.unsigned_abs();
        // Whole dollars first: magnitude x 10^12 could leave u128 near the widest amounts.
        let whole = magnitude / per_dollar;
        let rest = (magnitude % per_dollar) * scale_unsigned;
        let (mut units, remainder) = (rest / per_dollar, rest % per_dollar);
        let twice = remainder * 2;
        if twice > per_dollar || (twice == per_dollar && units % 2 == 1) {
            units += 1;
        }
        let (whole, units) = (whole + units / scale_unsigned, units % scale_unsigned);
        let sign = if self.0 < 0 && (whole > 0 || units > 0) {
            "-"
        } else {
            ""
        };
        if places == 0 {
            format!("{sign}${}", grouped(whole))
        } else {
            format!(
                "{sign}${}.{units:0width$}",
                grouped(whole),
                width = places as usize
            )
        }
    }
}

/// Thousands separated by commas, as US dollars are written.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

impl Sum for Ticks {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Self::saturating_add)
    }
}

impl std::ops::Neg for Ticks {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl fmt::Display for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Ticks {
    /// As a decimal string: JSON numbers lose digits beyond 2^53.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Ticks {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<i128>()
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| serde::de::Error::custom("not a number of ticks"))
    }
}

/// Whole US cents, as invoices and grants are stated.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    /// Reads what a person types for an amount of dollars: `25`, `$25.50`, `1,000`. `None` for anything else: signs, a third
    /// decimal, and commas that are not between thousands.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('$').unwrap_or(text).trim_start();
        let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
        let is_digits = part.bytes().all(|b| b.is_ascii_digit());
        if !(1..=2).contains(&part.len()) || !is_digits {
            return None;
        }
        let tens = if part.len() == 1 { 10 } else { 1 };
        let cents = part.parse::<i64>().ok()?.checked_mul(tens)?;
        let whole = i64::try_from(number::whole(whole)?)
            .ok()?
            .checked_mul(100)?;
        whole.checked_add(cents).map(Self)
    }
}

/// Whole micro-dollars (1e-6 USD), as prices per hour are stated.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MicroDollars(pub i64);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fifty_dollars_in_ticks() {
        assert_eq!(
            Ticks::from_cents(Cents(5_000)).get(),
            184_320_000_000_000_000
        );
        assert_eq!(TICKS_PER_DOLLAR, 3_686_400_000_000_000);
    }

    #[test]
    fn dollars_round_half_to_even() {
        let half_micro = |n: i128| Ticks(n * TICKS_PER_DOLLAR / 2_000_000);
        assert_eq!(half_micro(1).dollars(6), "$0.000000");
        assert_eq!(half_micro(3).dollars(6), "$0.000002");
        assert_eq!(half_micro(-3).dollars(6), "-$0.000002");
        assert_eq!(
            Ticks::from_cents(Cents(123_456_789)).dollars(2),
            "$1,234,567.89"
        );
        assert_eq!(Ticks(TICKS_PER_DOLLAR - 1).dollars(2), "$1.00");
        assert_eq!(Ticks(TICKS_PER_DOLLAR - 1).dollars_floor(), "$0.99");
        assert_eq!(
            Ticks(TICKS_MAX).dollars(12).len(),
            Ticks(TICKS_MAX - 1).dollars(12).len()
        );
    }

    #[test]
    fn amounts_as_people_type_them() {
        for (text, cents) in [
            ("25", 2_500),
            (" $25.5 ", 2_550),
            ("1,000.05", 100_005),
            ("1,050", 105_000),
            ("1,050.00", 105_000),
            ("1,234,567.8", 123_456_780),
            ("0", 0),
            ("$ 3", 300),
        ] {
            assert_eq!(Cents::parse(text), Some(Cents(cents)), "{text}");
        }
        for text in [
            "",
            "$",
            "-1",
            "+1",
            "1.234",
            "1.",
            ".5",
            "1e3",
            "1 000",
            "10,50",
            ",5",
            "1,5",
            "0,50",
            "1,050,5",
            "1050,00",
            "1.050,00",
            "10,",
            "1,000.0,5",
            "1.,5",
            "1.5,",
            "NaN",
            "٣",
            &"9".repeat(30),
        ] {
            assert_eq!(Cents::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn cents_and_rest_make_the_whole(ticks in -10_i128.pow(30)..10_i128.pow(30)) {
            let (cents, rest) = Ticks(ticks).split_cents();
            prop_assert_eq!(Ticks::from_cents(cents).saturating_add(rest), Ticks(ticks));
            prop_assert!((0..TICKS_PER_CENT).contains(&rest.get()));
        }

        #[test]
        fn the_wire_keeps_every_tick(ticks in -TICKS_MAX..=TICKS_MAX) {
            let json = serde_json::to_string(&Ticks(ticks)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Ticks>(&json).unwrap(), Ticks(ticks));
        }
    }
}
