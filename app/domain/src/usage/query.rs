//! What a usage page is asked for, as it stands in its address: parsed with a problem for each word that makes no sense,
//! and printed again, so that every link keeps what was chosen. Whether a time zone exists is `backend`'s to know.

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::{date, format_description};
use time::{Date, OffsetDateTime};

use crate::id::KeyId;
use crate::limits::{IMAGE_CHARS_MAX, USAGE_DAYS_MAX};
use crate::moment::{HOUR_MS, Moment};
use crate::refusal::UsageProblem;
use crate::sandbox::{SandboxId, Size};

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

/// What only is counted. Each that is set narrows further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Only {
    /// Started by this key; the inner none is "without a key".
    pub key: Option<Option<KeyId>>,
    /// Of this size.
    pub size: Option<Size>,
    /// Of this image.
    pub image: Option<String>,
    /// In this region.
    pub region: Option<String>,
    /// This sandbox.
    pub sandbox: Option<SandboxId>,
}

impl Only {
    fn parse(get: &impl Fn(&str) -> Option<String>, problems: &mut Vec<UsageProblem>) -> Self {
        let word = |name: &str| get(name).filter(|text| !text.is_empty());
        let (key, size, image, region, sandbox) = (
            word("key"),
            word("size"),
            word("image"),
            word("region"),
            word("sandbox"),
        );
        let key_read = key.as_deref().map(|text| match text {
            "none" => Some(None),
            _ => text.parse().ok().map(Some),
        });
        let size_read = size.as_deref().map(size_of);
        let short = |text: &String| text.chars().count() <= IMAGE_CHARS_MAX && !text.contains('\0');
        let sandbox_read = sandbox.as_deref().map(SandboxId::parse);
        if matches!(key_read, Some(None))
            || matches!(size_read, Some(None))
            || matches!(sandbox_read, Some(None))
            || !image.iter().chain(&region).all(short)
        {
            problems.push(UsageProblem::FilterUnreadable);
        }
        Self {
            key: key_read.flatten(),
            size: size_read.flatten(),
            image: image.filter(short),
            region: region.filter(short),
            sandbox: sandbox_read.flatten(),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let key = self
            .key
            .map(|key| key.map_or_else(|| "none".to_owned(), |id| id.to_string()));
        let words = [
            ("key", key),
            ("size", self.size.map(size_word)),
            ("image", self.image.clone()),
            ("region", self.region.clone()),
            ("sandbox", self.sandbox.as_ref().map(ToString::to_string)),
        ];
        words
            .into_iter()
            .filter_map(|(name, word)| Some((name, word?)))
            .collect()
    }

    /// True when everything is counted.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// `2x4096`: processors and MiB.
#[must_use]
pub fn size_word(size: Size) -> String {
    format!("{}x{}", size.vcpus, size.mem_mib)
}

/// The size of that word.
#[must_use]
pub fn size_of(word: &str) -> Option<Size> {
    let (vcpus, mem_mib) = word.split_once('x')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(vcpus) || !digits(mem_mib) {
        return None;
    }
    Size::new(vcpus.parse().ok()?, mem_mib.parse().ok()?)
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

    /// The name.
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
            hide_zero: get("hide_zero").is_some_and(|word| word == "yes"),
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
    /// Its first moment.
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
    match word.as_str() {
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
fn address(path: &str, pairs: &[(&'static str, String)]) -> String {
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
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn ask(pairs: &[(&str, &str)]) -> (Query, Vec<UsageProblem>) {
        Query::parse(|name| {
            let pair = pairs.iter().find(|(known, _)| *known == name);
            pair.map(|(_, word)| (*word).to_owned())
        })
    }

    fn dates() -> impl Strategy<Value = Range> {
        let own = (0_i64..70_000, 0_i64..400).prop_map(|(start, length)| {
            let from = date!(2000 - 01 - 01) + time::Duration::days(start);
            Range::Own {
                from,
                to: from + time::Duration::days(length),
            }
        });
        prop_oneof![
            Just(Range::Day),
            Just(Range::Week),
            Just(Range::Month),
            Just(Range::ThisMonth),
            Just(Range::LastMonth),
            own
        ]
    }

    prop_compose! {
        fn only()(
            key in prop::option::of(prop::option::of(any::<u128>())), size in prop::option::of((1_i32..1_024, 1_i32..16_777_216)),
            image in prop::option::of("[ -~é]{1,40}"), region in prop::option::of("[a-z]{2}"),
            sandbox in prop::option::of("[A-Za-z0-9_-]{1,64}"),
        ) -> Only {
            Only {
                key: key.map(|key| key.map(|id| KeyId(Uuid::from_u128(id)))),
                size: size.and_then(|(vcpus, mem_mib)| Size::new(vcpus, mem_mib)),
                image, region, sandbox: sandbox.and_then(|id| SandboxId::parse(&id)),
            }
        }
    }

    prop_compose! {
        fn queries()(
            range in dates(), metric in prop::sample::select(Metric::ALL), group in prop::sample::select(Group::ALL),
            hide_zero: bool, zone in "[A-Za-z/_+-]{1,40}", only in only(), bar in prop::option::of(946_684_800_i64..4_102_444_800),
        ) -> Query {
            Query {
                range, metric, group, hide_zero, only, zone: ZoneName::parse(&zone).unwrap(),
                bar: bar.map(|second| Moment::from_unix_ms(second * 1_000)),
            }
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_is_the_identity(query in queries()) {
            let pairs = query.pairs();
            let again = Query::parse(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, word)| word.clone()));
            prop_assert_eq!(again, (query.clone(), vec![]));
            let address = query.address("/usage");
            prop_assert!(address.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>#+".contains(&byte)), "{}", address);
        }

        #[test]
        fn no_address_breaks_it(words in prop::collection::vec("\\PC{0,30}", 8)) {
            let names = ["range", "from", "to", "metric", "group", "zone", "key", "bar"];
            let _ = Query::parse(|name| names.iter().position(|known| *known == name).map(|index| words[index].clone()));
        }
    }

    #[test]
    fn old_addresses_keep_their_meaning() {
        assert_eq!(ask(&[]).0.range, Range::Day);
        for (word, range) in [
            ("24h", Range::Day),
            ("7d", Range::Week),
            ("30d", Range::Month),
        ] {
            assert_eq!(
                ask(&[("range", word)]),
                (
                    Query {
                        range,
                        ..Query::default()
                    },
                    vec![]
                )
            );
        }
    }

    #[test]
    fn each_bad_word_has_its_problem_and_the_rest_stays() {
        use UsageProblem as P;
        let bad = [
            ("range", "year"),
            ("metric", "joy"),
            ("group", "x"),
            ("zone", "a b"),
            ("key", "1"),
            ("bar", "now"),
        ];
        let (query, problems) = ask(&bad);
        assert_eq!(query, Query::default());
        assert_eq!(
            problems,
            [
                P::RangeUnknown,
                P::FilterUnreadable,
                P::MetricUnknown,
                P::GroupUnknown,
                P::ZoneUnknown,
                P::BarUnknown
            ]
        );
        let own = |from, to| {
            ask(&[
                ("range", "own"),
                ("from", from),
                ("to", to),
                ("metric", "gib-hours"),
            ])
        };
        for (from, to, problem) in [
            ("2026-02-30", "2026-03-01", P::FromUnreadable),
            ("2026-02-01", "", P::ToUnreadable),
            ("2026-02-02", "2026-02-01", P::ToBeforeFrom),
            ("2026-01-01", "2027-02-05", P::RangeTooLong),
        ] {
            let (query, problems) = own(from, to);
            assert_eq!(
                (query.metric, query.range, problems),
                (Metric::GibHours, Range::Day, vec![problem]),
                "{from} {to}"
            );
        }
        assert!(own("2026-01-01", "2027-02-04").1.is_empty(), "400 days");
    }

    #[test]
    fn windows_are_whole_hours() {
        let get = |name: &str| match name {
            "from" => Some("2026-11-24T13:20:00Z".to_owned()),
            "to" => Some("2026-11-24T15:00:01+01:00".to_owned()),
            _ => None,
        };
        let window = Window::parse(get).0.unwrap();
        assert_eq!(
            window.address("/x"),
            "/x?from=2026-11-24T13:00:00Z&to=2026-11-24T15:00:00Z"
        );
        assert_eq!(
            Window::parse(|_| None).0,
            Err(UsageProblem::WindowUnreadable)
        );
    }
}
