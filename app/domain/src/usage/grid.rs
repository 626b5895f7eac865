//! The buckets of a chart: hours, days or weeks of some calendar, always on whole UTC hours because metered hours are.
//! Time zones themselves are `backend`'s: a calendar arrives as a parameter.

use time::{Date, Duration, OffsetDateTime};

use super::query::Range;
use crate::moment::{HOUR_MS, Moment};

/// What a time zone knows.
pub trait Calendar {
    /// A moment as its clocks show it.
    fn local(&self, at: Moment) -> OffsetDateTime;
    /// The first moment of a date, which may lie inside a UTC hour; of a date that the zone skipped, that of the next.
    fn midnight(&self, date: Date) -> Moment;

    /// The first whole UTC hour of a date.
    fn day_start(&self, date: Date) -> Moment {
        self.midnight(date).plus_ms(HOUR_MS - 1).hour()
    }
}

/// The calendar of bills.
#[derive(Clone, Copy, Debug)]
pub struct Utc;

impl Calendar for Utc {
    fn local(&self, at: Moment) -> OffsetDateTime {
        at.into()
    }

    fn midnight(&self, date: Date) -> Moment {
        Moment::from(date.midnight().assume_utc())
    }
}

/// How wide buckets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One UTC hour.
    Hour,
    /// One day of the calendar.
    Day,
    /// Monday to Sunday, cut at the ends of the range.
    Week,
}

/// One bucket, `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its first moment, a whole UTC hour.
    pub start: Moment,
    /// The first moment after it, a whole UTC hour.
    pub end: Moment,
    /// Its start as the calendar's clocks show it.
    pub local: OffsetDateTime,
    /// The first date that it shows, in the calendar of the chart.
    pub first: Date,
    /// Its last date, the first one again for hours and days.
    pub last: Date,
}

impl Bucket {
    /// Milliseconds of it that have passed: all of it, or up to `as_of`.
    #[must_use]
    pub fn elapsed_ms(&self, as_of: Moment) -> i64 {
        self.end.min(as_of).since_ms(self.start).max(0)
    }
}

/// Buckets without gaps, oldest first, at most 100.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// How wide they are.
    pub step: Step,
    /// The buckets; never none.
    pub buckets: Vec<Bucket>,
}

impl Grid {
    /// The buckets of a range that ends with `as_of` or is named by its dates: by hour up to two days, by day up to 92,
    /// by week above.
    #[must_use]
    pub fn of(range: Range, as_of: Moment, calendar: &impl Calendar) -> Self {
        let today = calendar.local(as_of).date();
        let (first, last) = match range {
            Range::Day => return Self::last_hours(as_of, calendar),
            Range::Week => (back(today, 6), today),
            Range::Month => (back(today, 29), today),
            Range::ThisMonth => (back(today, i64::from(today.day()) - 1), today),
            Range::LastMonth => {
                let last = back(today, i64::from(today.day()));
                (back(last, i64::from(last.day()) - 1), last)
            }
            Range::Own { from, to } => (from, to.max(from)),
        };
        match (last - first).whole_days() + 1 {
            ..=2 => Self::hours(
                calendar.day_start(first),
                calendar.day_start(after(last)),
                calendar,
            ),
            3..=92 => Self::days(Step::Day, first, last, calendar),
            _ => Self::days(Step::Week, first, last, calendar),
        }
    }

    fn last_hours(as_of: Moment, calendar: &impl Calendar) -> Self {
        let end = as_of.hour().plus_ms(HOUR_MS);
        Self::hours(end.plus_ms(-24 * HOUR_MS), end, calendar)
    }

    fn hours(from: Moment, until: Moment, calendar: &impl Calendar) -> Self {
        let count = (until.since_ms(from) / HOUR_MS).clamp(1, 100);
        let bucket = |index: i64| {
            let start = from.plus_ms(index * HOUR_MS);
            let local = calendar.local(start);
            let date = local.date();
            Bucket {
                start,
                end: start.plus_ms(HOUR_MS),
                local,
                first: date,
                last: date,
            }
        };
        Self {
            step: Step::Hour,
            buckets: (0..count).map(bucket).collect(),
        }
    }

    fn days(step: Step, first: Date, last: Date, calendar: &impl Calendar) -> Self {
        let mut buckets: Vec<Bucket> = Vec::new();
        let mut date = first;
        while date <= last && buckets.len() < 100 {
            let length = match step {
                Step::Week => 7 - i64::from(date.weekday().number_days_from_monday()),
                Step::Hour | Step::Day => 1,
            };
            let end_date = on(date, length - 1).min(last);
            let (start, end) = (
                calendar.day_start(date),
                calendar.day_start(after(end_date)),
            );
            // A date that the zone skipped has no time in it, and no bucket.
            if start < end {
                buckets.push(Bucket {
                    start,
                    end,
                    local: calendar.local(start),
                    first: date,
                    last: end_date,
                });
            }
            date = after(end_date);
        }
        Self { step, buckets }
    }

    /// One bucket for a window of whole hours.
    #[must_use]
    pub fn window(from: Moment, until: Moment) -> Self {
        let local = OffsetDateTime::from(from);
        let bucket = Bucket {
            start: from,
            end: until,
            local,
            first: local.date(),
            last: local.date(),
        };
        Self {
            step: Step::Hour,
            buckets: vec![bucket],
        }
    }

    /// The first moment.
    #[must_use]
    pub fn from(&self) -> Moment {
        self.buckets
            .first()
            .map_or(Moment::MIN, |bucket| bucket.start)
    }

    /// The first moment after it.
    #[must_use]
    pub fn until(&self) -> Moment {
        self.buckets.last().map_or(Moment::MIN, |bucket| bucket.end)
    }

    /// The bucket that holds a moment.
    #[must_use]
    pub fn index_of(&self, at: Moment) -> Option<usize> {
        let after = self.buckets.partition_point(|bucket| bucket.start <= at);
        let index = after.checked_sub(1)?;
        (at < self.buckets.get(index)?.end).then_some(index)
    }

    /// True when clocks change inside it: then an hour needs its offset to have a name.
    #[must_use]
    pub fn changes_offset(&self) -> bool {
        let offset = |bucket: &Bucket| bucket.local.offset();
        self.buckets.first().map(offset) != self.buckets.last().map(offset)
    }

    /// The same length of time one week earlier, from the same weekday on: hours by 168 hours, days by their dates.
    #[must_use]
    pub fn week_before(&self, bucket: &Bucket, calendar: &impl Calendar) -> (Moment, Moment) {
        match self.step {
            Step::Hour => (
                bucket.start.plus_ms(-168 * HOUR_MS),
                bucket.end.plus_ms(-168 * HOUR_MS),
            ),
            Step::Day | Step::Week => (
                calendar.day_start(back(bucket.first, 7)),
                calendar.day_start(after(back(bucket.last, 7))),
            ),
        }
    }

    /// Moments inside the grid at which a UTC month begins; its very first moment marks nothing.
    #[must_use]
    pub fn month_starts(&self) -> Vec<Moment> {
        let mut found = Vec::new();
        let first = OffsetDateTime::from(self.from()).date();
        let days = self.until().since_ms(self.from()) / (24 * HOUR_MS) + 1;
        for offset in 1..=days.min(1_000) {
            let date = on(first, offset);
            let at = Utc.midnight(date);
            if date.day() == 1 && at < self.until() && at > self.from() {
                found.push(at);
            }
        }
        found
    }
}

/// So many days earlier, or the first date there is.
fn back(date: Date, days: i64) -> Date {
    date.checked_sub(Duration::days(days)).unwrap_or(Date::MIN)
}

/// So many days later, or the last date there is.
fn on(date: Date, days: i64) -> Date {
    date.checked_add(Duration::days(days)).unwrap_or(Date::MAX)
}

fn after(date: Date) -> Date {
    on(date, 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::{date, datetime, offset};

    use super::*;

    /// Half an hour off, as India is.
    struct Half;
    impl Calendar for Half {
        fn local(&self, at: Moment) -> OffsetDateTime {
            OffsetDateTime::from(at).to_offset(offset!(+5:30))
        }
        fn midnight(&self, date: Date) -> Moment {
            Moment::from(date.midnight().assume_offset(offset!(+5:30)))
        }
    }

    fn check(grid: &Grid, as_of: Moment, range: Range) {
        assert!((1..=100).contains(&grid.buckets.len()), "{range:?}");
        for pair in grid.buckets.windows(2) {
            assert_eq!(pair[0].end, pair[1].start);
        }
        for bucket in &grid.buckets {
            assert!(bucket.start < bucket.end && bucket.start == bucket.start.hour());
            assert_eq!(
                grid.index_of(bucket.start),
                grid.index_of(bucket.end.plus_ms(-1))
            );
        }
        assert_eq!(grid.index_of(grid.until()), None);
        if matches!(range, Range::Day) {
            assert_eq!(grid.index_of(as_of), Some(grid.buckets.len() - 1));
        }
    }

    proptest! {
        #[test]
        fn buckets_lie_side_by_side_on_whole_hours(now in 1_000_000_000_000_i64..4_000_000_000_000, length in 0_i64..400) {
            let as_of = Moment::from_unix_ms(now);
            let from = OffsetDateTime::from(as_of).date();
            let own = Range::Own { from, to: on(from, length) };
            for range in [Range::Day, Range::Week, Range::Month, Range::ThisMonth, Range::LastMonth, own] {
                check(&Grid::of(range, as_of, &Utc), as_of, range);
                check(&Grid::of(range, as_of, &Half), as_of, range);
            }
        }
    }

    #[test]
    fn steps_follow_the_length() {
        let now = Moment::from(datetime!(2028-03-15 12:30 UTC));
        let own = |from, to| Grid::of(Range::Own { from, to }, now, &Utc);
        assert_eq!(
            own(date!(2028 - 02 - 28), date!(2028 - 02 - 29))
                .buckets
                .len(),
            48
        );
        assert_eq!(
            own(date!(2028 - 02 - 28), date!(2028 - 03 - 01))
                .buckets
                .len(),
            3
        );
        let weeks = own(date!(2027 - 12 - 01), date!(2028 - 03 - 15));
        assert_eq!(weeks.step, Step::Week);
        assert!(
            weeks.buckets[1..]
                .iter()
                .all(|bucket| bucket.first.weekday() == time::Weekday::Monday)
        );
        assert_eq!(
            Grid::of(Range::LastMonth, now, &Utc).buckets.len(),
            29,
            "February 2028"
        );
        assert_eq!(Grid::of(Range::ThisMonth, now, &Utc).buckets.len(), 15);
        assert_eq!(weeks.month_starts().len(), 3);
    }

    #[test]
    fn in_half_hour_zones_a_day_starts_at_the_next_whole_hour() {
        let start = Half.day_start(date!(2026 - 11 - 24));
        assert_eq!(start, Moment::from(datetime!(2026-11-23 19:00 UTC)));
    }
}
