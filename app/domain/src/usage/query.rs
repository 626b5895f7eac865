//! What a usage page is asked for, as it stands in its address: parsed with a problem for each word that makes no sense,
//! and printed again, so that every link keeps what was chosen. Whether a time zone exists is `backend`'s to know.

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::{date, format_description};
use time::{Date, OffsetDateTime};

use crate::ceilings::USAGE_DAYS_MAX;
use crate::moment::{HOUR_MS, Moment};
use crate::usage::UsageProblem;
pub use crate::usage::only::{Only, size_of, size_word};

const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const INSTANT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// How far back a usage page looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Range {
    /// 24 hours.
    #[default]
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
    /// From the first of this month to now.
    ThisMonth,
    /// The month before.
    LastMonth,
    /// From a date to a date, both included.
    Own {
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
    },
}

impl Range {
    /// The words of all ranges, shortest first.
    pub const WORDS: [&'static str; 6] = ["24h", "7d", "30d", "this-month", "last-month", "own"];

    /// The word in the address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::ThisMonth => "this-month",
            Self::LastMonth => "last-month",
            Self::Own { .. } => "own",
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name { $($(#[$each])* $variant),+ }

        impl $name {
            /// Every one, the usual one first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in the address.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The one of that word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| each.as_str() == word)
            }
        }
    };
}

words! {
    /// What is counted.
    Metric {
        /// Dollars.
        #[default]
        Cost = "cost",
        /// Hours that sandboxes ran.
        SandboxHours = "sandbox-hours",
        /// Hours times processors.
        VcpuHours = "vcpu-hours",
        /// Hours times GiB of memory.
        GibHours = "gib-hours",
        /// Sandboxes running on average: sandbox time over the time of the bucket.
        Concurrency = "concurrency",
    }
}

words! {
    /// What usage is grouped by.
    Group {
        /// Not at all.
        #[default]
        None = "none",
        /// The key that started the sandbox.
        Key = "key",
        /// Its size.
        Size = "size",
        /// Its image.
        Image = "image",
        /// Its region.
        Region = "region",
        /// The sandbox itself.
        Sandbox = "sandbox",
    }
}

/// The name of a time zone as it was typed: 1 to 40 characters that IANA names are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneName(String);

impl ZoneName {
    /// Accepts what may be a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
        ((1..=40).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// The calendar of bills.
    #[must_use]
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }

    /// An IANA name, such as `Europe/Amsterdam`; whether there is such a zone is not known here.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the calendar of bills.
    #[must_use]
    pub fn is_utc(&self) -> bool {
        self.0 == "UTC"
    }
}

impl Default for ZoneName {
    fn default() -> Self {
        Self::utc()
    }
}

/// Everything a usage page is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// How far back.
    pub range: Range,
    /// What is counted.
    pub metric: Metric,
    /// By what it is grouped.
    pub group: Group,
    /// Leave out series without usage.
    pub hide_zero: bool,
    /// In whose calendar buckets lie.
    pub zone: ZoneName,
    /// What only is counted.
    pub only: Only,
    /// The start of the bucket that is looked into.
    pub bar: Option<Moment>,
}

impl Query {
    /// Reads an address. A word that makes no sense becomes a problem, and the usual one takes its place.
    #[must_use]
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> (Self, Vec<UsageProblem>) {
        let mut problems = Vec::new();
        let range = range(&get, &mut problems);
        let mut query = Self {
            range,
            hide_zero: hide_zero(&get, &mut problems),
            only: Only::parse(&get, &mut problems),
            bar: get("bar").and_then(|text| instant(&text)),
            ..Self::default()
        };
        let said = |name: &str| get(name).filter(|text| !text.is_empty());
        if let Some(word) = said("metric") {
            match Metric::parse(&word) {
                Some(metric) => query.metric = metric,
                None => problems.push(UsageProblem::MetricUnknown),
            }
        }
        if let Some(word) = said("group") {
            match Group::parse(&word) {
                Some(group) => query.group = group,
                None => problems.push(UsageProblem::GroupUnknown),
            }
        }
        if let Some(word) = said("zone") {
            match ZoneName::parse(word.trim()) {
                Some(zone) => query.zone = zone,
                None => problems.push(UsageProblem::ZoneUnknown),
            }
        }
        if query.bar.is_none() && said("bar").is_some() {
            problems.push(UsageProblem::BarUnknown);
        }
        (query, problems)
    }

    /// The same words again; what is as usual is left out.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("range", self.range.as_str().to_owned())];
        if let Range::Own { from, to } = self.range {
            pairs.push(("from", date_word(from)));
            pairs.push(("to", date_word(to)));
        }
        if self.metric != Metric::default() {
            pairs.push(("metric", self.metric.as_str().to_owned()));
        }
        if self.group != Group::default() {
            pairs.push(("group", self.group.as_str().to_owned()));
        }
        if self.hide_zero {
            pairs.push(("hide_zero", "yes".to_owned()));
        }
        if !self.zone.is_utc() {
            pairs.push(("zone", self.zone.as_str().to_owned()));
        }
        pairs.extend(self.only.pairs());
        if let Some(bar) = self.bar {
            pairs.push(("bar", instant_word(bar)));
        }
        pairs
    }

    /// The address of a page that is asked this.
    #[must_use]
    pub fn address(&self, path: &str) -> String {
        address(path, &self.pairs())
    }
}

/// A window of single intervals, whole UTC hours, and where its page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// First moment that counts.
    pub from: Moment,
    /// The first moment after it.
    pub until: Moment,
    /// What only is listed.
    pub only: Only,
}

impl Window {
    /// Reads an address: `from` and `to` are instants and are widened to whole hours.
    ///
    /// # Errors
    /// When the window cannot be read, is empty or is too long. What only is listed is read in any case.
    pub fn parse(
        get: impl Fn(&str) -> Option<String>,
    ) -> (Result<Self, UsageProblem>, Vec<UsageProblem>) {
        let mut problems = Vec::new();
        let only = Only::parse(&get, &mut problems);
        let bound = |name: &str| get(name).and_then(|text| instant(&text));
        let (Some(from), Some(until)) = (bound("from"), bound("to")) else {
            return (Err(UsageProblem::WindowUnreadable), problems);
        };
        let (from, until) = (from.hour(), until.plus_ms(HOUR_MS - 1).hour());
        let hours = until.since_ms(from) / HOUR_MS;
        let window = match hours {
            ..=0 => Err(UsageProblem::WindowUnreadable),
            hours if hours > USAGE_DAYS_MAX * 24 => Err(UsageProblem::RangeTooLong),
            _ => Ok(Self { from, until, only }),
        };
        (window, problems)
    }

    /// The address of the list.
    #[must_use]
    pub fn address(&self, path: &str) -> String {
        let mut pairs = vec![
            ("from", instant_word(self.from)),
            ("to", instant_word(self.until)),
        ];
        pairs.extend(self.only.pairs());
        address(path, &pairs)
    }
}

fn range(get: &impl Fn(&str) -> Option<String>, problems: &mut Vec<UsageProblem>) -> Range {
    let word = get("range").unwrap_or_default();
    // Who names a day means it, also where no range is said.
    let mut days = ["from", "to"].into_iter().filter_map(get);
    let has_days = days.any(|day| !day.trim().is_empty());
    match word.as_str() {
        "" if has_days => own(get, problems).unwrap_or_default(),
        "" | "24h" => Range::Day,
        "7d" => Range::Week,
        "30d" => Range::Month,
        "this-month" => Range::ThisMonth,
        "last-month" => Range::LastMonth,
        "own" => own(get, problems).unwrap_or_default(),
        _ => {
            problems.push(UsageProblem::RangeUnknown);
            Range::Day
        }
    }
}

fn hide_zero(get: &impl Fn(&str) -> Option<String>, problems: &mut Vec<UsageProblem>) -> bool {
    let word = get("hide_zero").unwrap_or_default();
    if !["", "yes"].contains(&word.as_str()) {
        problems.push(UsageProblem::HideZeroUnknown);
    }
    word == "yes"
}

fn own(get: &impl Fn(&str) -> Option<String>, problems: &mut Vec<UsageProblem>) -> Option<Range> {
    let mut read = |name: &str, problem| {
        let date = get(name).and_then(|text| date_of(text.trim()));
        if date.is_none() {
            problems.push(problem);
        }
        date
    };
    let (from, to) = (
        read("from", UsageProblem::FromUnreadable),
        read("to", UsageProblem::ToUnreadable),
    );
    let (from, to) = (from?, to?);
    let problem = match (to - from).whole_days() + 1 {
        ..=0 => UsageProblem::ToBeforeFrom,
        days if days > USAGE_DAYS_MAX => UsageProblem::RangeTooLong,
        _ => return Some(Range::Own { from, to }),
    };
    problems.push(problem);
    None
}

/// `2026-11-24`, from 2000 to 2199: beyond that a date is a slip of the finger.
#[must_use]
pub fn date_of(text: &str) -> Option<Date> {
    let date = Date::parse(text, DATE).ok()?;
    (date!(2000 - 01 - 01)..date!(2200 - 01 - 01))
        .contains(&date)
        .then_some(date)
}

/// `2026-11-24`.
#[must_use]
pub fn date_word(date: Date) -> String {
    date.format(DATE).unwrap_or_default()
}

/// `2026-11-24T13:00:00Z`.
#[must_use]
pub fn instant_word(at: Moment) -> String {
    OffsetDateTime::from(at).format(INSTANT).unwrap_or_default()
}

fn instant(text: &str) -> Option<Moment> {
    let at = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
    let inside = date!(2000 - 01 - 01)..date!(2201 - 01 - 01);
    inside.contains(&at.date()).then(|| Moment::from(at))
}

/// A path with its words; only what RFC 3986 leaves unreserved stays as it is.
#[must_use]
pub fn address(path: &str, pairs: &[(&'static str, String)]) -> String {
    let mut text = path.to_owned();
    for (index, (name, word)) in pairs.iter().enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        for byte in word.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
                text.push(char::from(byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
