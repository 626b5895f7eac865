//! Time zones by IANA name, from the table built into `jiff`: when a date begins on some clocks, and what they show.
//! Server only: the table must not reach the browser. Billing never uses it; bills run on UTC.

use domain::moment::Moment;
use domain::usage::grid::Calendar;
use domain::usage::query::ZoneName;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use time::{Date, OffsetDateTime, UtcOffset};

/// A time zone.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC.
    #[must_use]
    pub const fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The zone of that name; none when the table has no such name.
    #[must_use]
    pub fn find(name: &ZoneName) -> Option<Self> {
        if name.is_utc() {
            return Some(Self::utc());
        }
        TimeZone::get(name.as_str()).ok().map(Self)
    }

    fn timestamp(at: Moment) -> Timestamp {
        Timestamp::from_millisecond(at.unix_ms()).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl Calendar for Zone {
    fn local(&self, at: Moment) -> OffsetDateTime {
        let seconds = self.0.to_offset(Self::timestamp(at)).seconds();
        let offset = UtcOffset::from_whole_seconds(seconds).unwrap_or(UtcOffset::UTC);
        OffsetDateTime::from(at).to_offset(offset)
    }

    fn midnight(&self, date: Date) -> Moment {
        let plain = Moment::from(date.midnight().assume_utc());
        let fields = (
            i16::try_from(date.year()),
            i8::try_from(u8::from(date.month())),
            i8::try_from(date.day()),
        );
        let (Ok(year), Ok(month), Ok(day)) = fields else {
            return plain;
        };
        let start = jiff::civil::Date::new(year, month, day)
            .and_then(|date| date.to_zoned(self.0.clone()))
            .and_then(|zoned| zoned.start_of_day());
        start.map_or(plain, |start| {
            Moment::from_unix_ms(start.timestamp().as_millisecond())
        })
    }
}

/// The first moment of the UTC month of `at`.
pub(crate) fn month_start(at: OffsetDateTime) -> Moment {
    let first = at.to_offset(time::UtcOffset::UTC).date().replace_day(1);
    Moment::from(first.unwrap_or(at.date()).midnight().assume_utc())
}

/// The first moment of the UTC month before that of `at`.
pub(crate) fn last_month_start(at: OffsetDateTime) -> Moment {
    month_start(OffsetDateTime::from(month_start(at).plus_ms(-1)))
}

#[cfg(test)]
mod tests {
    use domain::usage::Range;
    use domain::usage::grid::Grid;
    use time::macros::{date, datetime};

    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::find(&ZoneName::parse(name).unwrap()).unwrap()
    }

    fn hours(name: &str, date: Date) -> usize {
        let own = Range::Own {
            from: date,
            to: date,
        };
        Grid::of(own, Moment::from_unix_ms(0), &zone(name))
            .buckets
            .len()
    }

    #[test]
    fn days_have_23_to_25_hours() {
        assert_eq!(hours("UTC", date!(2026 - 03 - 29)), 24);
        assert_eq!(hours("Europe/Amsterdam", date!(2026 - 03 - 29)), 23);
        assert_eq!(hours("Europe/Amsterdam", date!(2026 - 10 - 25)), 25);
        assert_eq!(hours("America/New_York", date!(2026 - 03 - 08)), 23);
        assert_eq!(hours("America/New_York", date!(2026 - 11 - 01)), 25);
        assert_eq!(hours("Asia/Kolkata", date!(2028 - 02 - 29)), 24);
        // Clocks that spring forward at midnight: the day begins at one.
        assert_eq!(hours("Africa/Cairo", date!(2026 - 04 - 24)), 23);
    }

    #[test]
    fn a_date_that_a_zone_skipped_has_no_bucket() {
        let own = Range::Own {
            from: date!(2011 - 12 - 28),
            to: date!(2011 - 12 - 31),
        };
        let grid = Grid::of(own, Moment::from_unix_ms(0), &zone("Pacific/Apia"));
        assert_eq!(grid.buckets.len(), 3);
    }

    #[test]
    fn clocks_show_the_offset_of_the_moment() {
        let at = Moment::from(datetime!(2026-07-01 12:00 UTC));
        assert_eq!(zone("America/New_York").local(at).hour(), 8);
        assert_eq!(zone("Asia/Kolkata").local(at).minute(), 30);
        assert!(Zone::find(&ZoneName::parse("Mars/Base").unwrap()).is_none());
    }

    #[test]
    fn months_begin_at_midnight_utc() {
        let at = datetime!(2028-03-01 00:30 +02:00);
        assert_eq!(
            OffsetDateTime::from(month_start(at)),
            datetime!(2028-02-01 00:00 UTC)
        );
        assert_eq!(
            OffsetDateTime::from(last_month_start(at)),
            datetime!(2028-01-01 00:00 UTC)
        );
    }
}
