//! The statement by days, as its page shows it: what was used in the hours of a day is one line, everything else a line of its
//! own. A page holds whole days only, so that a sum never means a part; the next one starts where it ends.

use domain::money::Ticks;
use domain::page::Page;
use time::{Date, UtcOffset};

use super::{Cause, EntryKind, EntryRow};

/// A stretch of the statement that belongs to one UTC day: usage to the day it ran on, everything else to the day it was
/// booked on.
#[derive(Debug)]
pub struct Day {
    /// Which day.
    pub date: Date,
    /// Its lines, newest first.
    pub lines: Vec<Line>,
}

/// One line: an entry, or several hours of usage that follow each other.
#[derive(Debug)]
pub struct Line {
    /// Its entries, newest first; never empty.
    pub entries: Vec<EntryRow>,
}

impl Line {
    /// What all of its entries are.
    #[must_use]
    pub fn kind(&self) -> EntryKind {
        self.entries
            .first()
            .map_or(EntryKind::Usage, |entry| entry.kind)
    }

    /// What its entries add up to.
    #[must_use]
    pub fn amount(&self) -> Ticks {
        self.entries.iter().map(|entry| entry.amount).sum()
    }

    /// Booked credit after the newest of them.
    #[must_use]
    pub fn balance(&self) -> Option<Ticks> {
        self.entries.first().and_then(|entry| entry.balance)
    }
}

/// Sorts entries into days, at most so many. Where the list goes on, its last day may lack entries and is left to the next
/// page, unless it is the only one. The second value is true when entries were left.
pub(super) fn of(entries: Vec<EntryRow>, goes_on: bool, at_most: usize) -> (Vec<Day>, bool) {
    let mut days: Vec<Day> = Vec::new();
    for entry in entries {
        let date = date(&entry);
        match days.last_mut() {
            Some(day) if day.date == date => day.push(entry),
            _ => days.push(Day {
                date,
                lines: vec![Line {
                    entries: vec![entry],
                }],
            }),
        }
    }
    let is_last_whole = !goes_on || days.len() <= 1;
    let whole = days.len() - usize::from(!is_last_whole);
    let kept = whole.min(at_most.max(1));
    let is_cut = kept < days.len();
    days.truncate(kept);
    (days, is_cut)
}

impl Day {
    fn push(&mut self, entry: EntryRow) {
        match self.lines.last_mut() {
            Some(line) if entry.kind == EntryKind::Usage && line.kind() == EntryKind::Usage => {
                line.entries.push(entry);
            }
            _ => self.lines.push(Line {
                entries: vec![entry],
            }),
        }
    }
}

fn date(entry: &EntryRow) -> Date {
    let at = match entry.cause {
        Cause::Hour(hour) => hour,
        _ => entry.booked_at,
    };
    at.to_offset(UtcOffset::UTC).date()
}

/// The last entry of the last day.
pub(super) fn last(days: &[Day]) -> Option<&EntryRow> {
    let line = days.last()?.lines.last()?;
    line.entries.last()
}

/// A page of days.
pub type Days = Page<Day>;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;

    /// Hour `n` before the newest, booked when it has ended; every seventh a grant of the same moment.
    fn entry(n: u32) -> EntryRow {
        let hour = datetime!(2026-12-04 10:00 UTC) - time::Duration::hours(n.into());
        let is_grant = n % 7 == 3;
        EntryRow {
            transfer_id: Uuid::from_u128(n.into()),
            booked_at: hour + time::Duration::HOUR,
            kind: if is_grant {
                EntryKind::Grant
            } else {
                EntryKind::Usage
            },
            cause: if is_grant {
                Cause::Unknown
            } else {
                Cause::Hour(hour)
            },
            amount: Ticks::new(i128::from(n) + 1).unwrap_or_default(),
            balance: None,
            not_charged: Ticks::ZERO,
        }
    }

    fn ids(days: &[Day]) -> Vec<Uuid> {
        let lines = days.iter().flat_map(|day| &day.lines);
        let entries = lines.flat_map(|line| &line.entries);
        entries.map(|entry| entry.transfer_id).collect()
    }

    #[test]
    fn usage_of_the_last_hour_belongs_to_the_day_it_ran_on() {
        // Hour 11 is 23:00 of the day before and was booked at midnight.
        let (days, _) = of(vec![entry(11), entry(12)], false, 31);
        assert_eq!((days.len(), days[0].lines.len()), (1, 1));
        assert_eq!(days[0].date, time::macros::date!(2026 - 12 - 03));
    }

    proptest! {
        #[test]
        fn pages_lose_nothing_and_part_no_day(count in 0_u32..400, read in 30_usize..90, at_most in 1_usize..5) {
            let (mut from, mut seen, mut dates) = (0, Vec::new(), Vec::new());
            loop {
                let left = (from..count).map(entry).collect::<Vec<_>>();
                let goes_on = left.len() > read;
                let part: Vec<_> = left.into_iter().take(read).collect();
                let (days, is_cut) = of(part, goes_on, at_most);
                prop_assert!(days.len() <= at_most);
                let shown = ids(&days);
                from += u32::try_from(shown.len()).unwrap();
                seen.extend(shown);
                dates.extend(days.iter().map(|day| day.date));
                if !(is_cut || goes_on) {
                    break;
                }
            }
            prop_assert_eq!(seen, (0..count).map(|n| entry(n).transfer_id).collect::<Vec<_>>());
            // A grant of midnight may stand between two days; apart from that each is named once.
            let mut runs = dates.clone();
            runs.dedup();
            prop_assert_eq!(runs.len(), dates.len());
        }
    }
}
