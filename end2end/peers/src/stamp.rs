//! A moment as a peer keeps it and writes it. Which moment it is now is clock.rs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::StaticFormatDescription,
    macros::format_description,
};

const TIME: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A moment of a peer's clock, in milliseconds since 1970 (UTC).
/// Written as RFC 3339 with exactly three decimals; any other form is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(pub i64);

impl Stamp {
    /// This moment moved by `ms` milliseconds, which may be negative.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment; negative if it is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .map_err(|_| fmt::Error)?;
        f.write_str(&moment.format(&TIME).map_err(|_| fmt::Error)?)
    }
}

/// A time that is not RFC 3339 UTC with exactly three decimals.
#[derive(Debug, thiserror::Error)]
#[error("a time must look like 2026-11-23T13:00:00.000Z")]
pub struct NotATime;

impl FromStr for Stamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let moment = PrimitiveDateTime::parse(text, &TIME)
            .map_err(|_| NotATime)?
            .assume_utc();
        i64::try_from(moment.unix_timestamp_nanos() / 1_000_000)
            .map(Self)
            .map_err(|_| NotATime)
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_exactly_three_decimals() {
        let stamp: Stamp = "2026-11-23T13:00:00.007Z".parse().unwrap();
        assert_eq!(stamp.to_string(), "2026-11-23T13:00:00.007Z");
        for other in [
            "2026-11-23T13:00:00Z",
            "2026-11-23T13:00:00.0071Z",
            "2026-11-23T13:00:00.007+01:00",
            "",
        ] {
            assert!(other.parse::<Stamp>().is_err(), "{other}");
        }
    }
}
