//! The calendar feed as text (RFC 5545): dated moments of an account, without a person in them.
//! Which moments there are is `backend`'s.

use std::fmt::Write as _;

use strum::EnumIter;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::moment::Moment;

/// Octets of a line, without its end (RFC 5545 3.1).
const LINE_OCTETS_MAX: usize = 75;

/// How long an entry lasts. What it tells of is a moment, but a calendar draws what lasts no time as nothing, or as
/// whatever it takes for usual, and a program that needs an end (RFC 5545 3.6.1) adds one of its own.
const LASTS: &str = "PT15M";

/// A moment worth an entry, which begins when it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Stays the same while the entry means the same, so that a calendar moves it instead of adding another.
    pub uid: String,
    /// When it happens.
    pub at: Moment,
    /// One line.
    pub summary: String,
    /// What it means and what to do.
    pub description: String,
}

/// Why a change to the calendar feed was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum CalendarRefusal {
    /// A link exists already.
    AlreadyThere,
    /// No link exists.
    NotFound,
}

/// The feed. `stamped` is when its figures were computed.
#[must_use]
pub fn write(name: &str, entries: &[Entry], stamped: Moment) -> String {
    let mut out = String::new();
    for (key, value) in [
        ("BEGIN", "VCALENDAR"),
        ("VERSION", "2.0"),
        ("PRODID", "-//Isorun//Account dashboard//EN"),
        ("CALSCALE", "GREGORIAN"),
        ("METHOD", "PUBLISH"),
        ("REFRESH-INTERVAL;VALUE=DURATION", "PT1H"),
        ("X-PUBLISHED-TTL", "PT1H"),
    ] {
        line(&mut out, key, value);
    }
    line(&mut out, "X-WR-CALNAME", &escaped(name));
    for entry in entries {
        line(&mut out, "BEGIN", "VEVENT");
        line(&mut out, "UID", &escaped(&entry.uid));
        line(&mut out, "DTSTAMP", &stamp(stamped));
        line(&mut out, "DTSTART", &stamp(entry.at));
        line(&mut out, "DURATION", LASTS);
        line(&mut out, "SUMMARY", &escaped(&entry.summary));
        line(&mut out, "DESCRIPTION", &escaped(&entry.description));
        line(&mut out, "TRANSP", "TRANSPARENT");
        line(&mut out, "END", "VEVENT");
    }
    line(&mut out, "END", "VCALENDAR");
    out
}

/// One content line, folded before the 76th octet and never inside a character.
fn line(out: &mut String, key: &str, value: &str) {
    let mut octets = 0;
    for character in key.chars().chain([':']).chain(value.chars()) {
        if octets + character.len_utf8() > LINE_OCTETS_MAX {
            out.push_str("\r\n ");
            octets = 1;
        }
        out.push(character);
        octets += character.len_utf8();
    }
    out.push_str("\r\n");
}

/// A text value: four characters mean something else there, and control characters must not be.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => {
                let _ = write!(out, "\\{character}");
            }
            '\n' => out.push_str("\\n"),
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

fn stamp(at: Moment) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    OffsetDateTime::from(at).format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    fn entry(summary: &str) -> Entry {
        Entry {
            uid: "zero-1@isorun".to_owned(),
            at: Moment::from(datetime!(2026-11-26 02:14:07.9 UTC)),
            summary: summary.to_owned(),
            description: "a, b; c\\d\ne".to_owned(),
        }
    }

    #[test]
    fn a_feed_reads_as_the_standard_says() {
        let at = Moment::from(datetime!(2026-11-24 12:00 UTC));
        let text = write("Isorun", &[entry("Credit ends")], at);
        assert!(text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:"));
        assert!(text.ends_with("END:VEVENT\r\nEND:VCALENDAR\r\n"));
        let (starts, lengths) = (
            text.matches("\r\nDTSTART").count(),
            text.matches("\r\nDURATION").count(),
        );
        assert_eq!((starts, lengths), (1, 1), "each entry has a length");
        for wanted in [
            "\r\nUID:zero-1@isorun\r\n",
            "\r\nDTSTAMP:20261124T120000Z\r\n",
            "\r\nDTSTART:20261126T021407Z\r\nDURATION:PT15M\r\n",
            "\r\nSUMMARY:Credit ends\r\n",
            "\r\nDESCRIPTION:a\\, b\\; c\\\\d\\ne\r\n",
        ] {
            assert!(text.contains(wanted), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_unfolding_gives_it_back(summary in "\\PC{0,200}|[\\x00-\\x7f]{0,200}") {
            let text = write("Isorun", &[entry(&summary)], Moment::MIN);
            prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
            for line in text.split("\r\n") {
                prop_assert!(line.len() <= 75, "{}", line);
            }
            let unfolded = text.replace("\r\n ", "");
            let wanted = format!("SUMMARY:{}", escaped(&summary));
            prop_assert!(unfolded.split("\r\n").any(|line| line == wanted), "{}", unfolded);
            prop_assert_eq!(unfolded.matches("BEGIN:VEVENT").count(), 1 + summary.matches("BEGIN:VEVENT").count());
        }
    }
}
