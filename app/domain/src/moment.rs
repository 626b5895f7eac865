//! Instants as whole milliseconds since 1970-01-01 UTC, the grain of the orchestrator's feed.
//! Calendar arithmetic for people (zones, month names) does not belong here; billing knows only UTC hours.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Milliseconds in one UTC hour. Leap seconds do not exist in Unix time, so every hour is this long.
pub const HOUR_MS: i64 = 3_600_000;
/// Milliseconds in one UTC day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// An instant in whole milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(i64);

impl Moment {
    /// The earliest representable moment (year 1).
    pub const MIN: Self = Self(-62_135_596_800_000);
    /// The latest representable moment (end of year 9999), where RFC 3339 ends too.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// A moment from Unix milliseconds, clamped to the years 1 to 9999.
    #[must_use]
    pub fn from_unix_ms(ms: i64) -> Self {
        Self(ms.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// The same for a constant, which is inside that range by itself.
    pub(crate) const fn at_unix_ms(ms: i64) -> Self {
        assert!(Self::MIN.0 <= ms && ms <= Self::MAX.0);
        Self(ms)
    }

    /// Unix milliseconds.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Floors to the start of this UTC hour.
    #[must_use]
    pub const fn hour(self) -> Self {
        Self(self.0.div_euclid(HOUR_MS) * HOUR_MS)
    }

    /// Floors to the start of this UTC day.
    #[must_use]
    pub const fn day(self) -> Self {
        Self(self.0.div_euclid(DAY_MS) * DAY_MS)
    }

    /// This moment moved by `ms` milliseconds, clamped to the representable range.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self::from_unix_ms(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment; negative when `earlier` is later.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl From<OffsetDateTime> for Moment {
    /// Floors to whole milliseconds.
    fn from(at: OffsetDateTime) -> Self {
        let ms = at.unix_timestamp_nanos().div_euclid(1_000_000);
        Self::from_unix_ms(i64::try_from(ms).unwrap_or(i64::MAX))
    }
}

impl From<Moment> for OffsetDateTime {
    fn from(moment: Moment) -> Self {
        let nanos = i128::from(moment.0) * 1_000_000;
        // The clamp in `from_unix_ms` keeps every moment inside the range of `OffsetDateTime`.
        Self::from_unix_timestamp_nanos(nanos).unwrap_or(Self::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_floor_before_the_epoch_too() {
        assert_eq!(Moment::from_unix_ms(-1).hour().unix_ms(), -HOUR_MS);
        assert_eq!(Moment::from_unix_ms(HOUR_MS).hour().unix_ms(), HOUR_MS);
        assert_eq!(Moment::from_unix_ms(HOUR_MS - 1).hour().unix_ms(), 0);
    }

    #[test]
    fn the_range_survives_a_round_trip() {
        for moment in [Moment::MIN, Moment::MAX, Moment::from_unix_ms(1)] {
            assert_eq!(Moment::from(OffsetDateTime::from(moment)), moment);
        }
    }
}
