//! Usage for programs: one row per bucket with every exact sum of each series, and the metric in decimals.

use backend::authority::view::View;
use backend::usage::{self, Usage as Found};
use domain::usage::breakdown::{Amounts, Facet};
use domain::usage::query::{Metric, Query, Range, instant_word, size_word};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use crate::action::problem::Problem;
use crate::chart::value::facet_name;
use crate::twin::{Asked, Pages, Part, Place, Stop, Twin, Word};
use crate::usage::words;

/// `/usage`
pub struct Usage;

/// What was asked and what it comes to.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageHead)]
pub struct Head {
    /// The range that was asked for.
    range: &'static str,
    /// What `value` counts.
    metric: &'static str,
    /// What a series stands for.
    group: &'static str,
    /// In whose calendar the buckets lie.
    zone: String,
    /// Up to when the figures are true, RFC 3339.
    as_of: String,
    /// The series, in the order of every bucket's cells.
    series: Vec<Series>,
    /// All buckets together.
    total: Cell,
}

/// A series of cells.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageSeries)]
pub struct Series {
    /// An id, a size such as `2x4096`, an image or a region; `all` or `none`.
    series: String,
    /// As people read it.
    name: String,
}

/// One hour, day or week.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageBucket)]
pub struct Bucket {
    /// Its start, UTC.
    start: String,
    /// Its end, UTC.
    end: String,
    /// Its start in the zone.
    start_local: String,
    /// One for each series.
    cells: Vec<Cell>,
    /// All of them together.
    total: Cell,
}

/// The sums of a cell. Text, since most readers of JSON and spreadsheets round large numbers.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageCell)]
pub struct Cell {
    /// Milliseconds that sandboxes ran.
    sandbox_ms: String,
    /// The same times processors.
    vcpu_ms: String,
    /// The same times MiB of memory.
    mib_ms: String,
    /// The cost in ticks.
    ticks: String,
    /// The cost in dollars, cut after twelve decimals.
    dollars: String,
    /// The metric in its unit, cut after twelve decimals.
    value: String,
}

const fn word(name: &'static str, about: &'static str) -> Word {
    Word { name, about }
}

impl Twin for Usage {
    const PATH: &'static str = "/usage";
    const ABOUT: &'static str = "Usage over time, by bucket and series.";
    const ROWS: &'static str = "buckets";
    const COLUMNS: &'static [&'static str] = &[
        "start_utc",
        "end_utc",
        "start_local",
        "zone",
        "group",
        "series",
        "name",
        "sandbox_ms",
        "vcpu_ms",
        "mib_ms",
        "ticks",
        "dollars",
        "value",
    ];
    const WORDS: &'static [Word] = &[
        word(
            "range",
            "24h, 7d, 30d, this-month, last-month or own; own when a day is said and no range.",
        ),
        word(
            "from",
            "The first day of the own range, such as 2026-11-24.",
        ),
        word("to", "Its last day."),
        word(
            "metric",
            "What `value` counts: cost, sandbox-hours, vcpu-hours, gib-hours or concurrency.",
        ),
        word(
            "group",
            "What a series stands for: none, key, size, image, region or sandbox.",
        ),
        word("hide_zero", "`yes` leaves out series without usage."),
        word(
            "zone",
            "The IANA name of the calendar; UTC if none is said.",
        ),
        word(
            "key",
            "Only what was started by the key of this id; `none` for what was started without one.",
        ),
        word("size", "Only this size, such as 2x4096."),
        word("image", "Only this image."),
        word("region", "Only this region."),
        word("sandbox", "Only this sandbox."),
    ];
    // A report: its buckets are bounded by the longest range.
    const PAGES: Option<Pages> = None;

    type Query = Query;
    type Head = Head;
    type Row = Bucket;

    fn query(asked: &Asked) -> Result<Query, Vec<Problem>> {
        let (query, problems) = Query::parse(|name| asked.get(name));
        let mut problems = words::about_file(&problems);
        let is_said = |name: &str| asked.get(name).is_some_and(|word| !word.trim().is_empty());
        if !matches!(query.range, Range::Own { .. })
            && problems.is_empty()
            && ["from", "to"].into_iter().any(is_said)
        {
            let text = "Days count only with `range=own`, or with no range at all.";
            problems.push(Problem::in_field("range", text));
        }
        if problems.is_empty() {
            Ok(query)
        } else {
            Err(problems)
        }
    }

    /// A report has no places to go on from.
    fn knows(_view: &mut View, _query: &Query, _cursor: &str) -> bool {
        false
    }

    async fn read(view: &mut View, query: &Query, _place: Place<'_>) -> Result<Part<Self>, Stop> {
        let found = usage::read_whole(view, query).await?;
        if !found.problems.is_empty() {
            return Err(Stop::Refused(words::about_file(&found.problems)));
        }
        let buckets = 0..found.breakdown.grid.buckets.len();
        Ok(Part {
            head: head(&found),
            rows: buckets.filter_map(|index| bucket(&found, index)).collect(),
            next: None,
        })
    }

    /// One line for each series.
    fn lines(head: &Head, bucket: &Bucket) -> Vec<Vec<String>> {
        let line = |(series, cell): (&Series, &Cell)| {
            let columns = [
                &bucket.start,
                &bucket.end,
                &bucket.start_local,
                &head.zone,
                head.group,
                &series.series,
                &series.name,
                &cell.sandbox_ms,
                &cell.vcpu_ms,
                &cell.mib_ms,
                &cell.ticks,
                &cell.dollars,
                &cell.value,
            ];
            columns.map(str::to_owned).to_vec()
        };
        head.series.iter().zip(&bucket.cells).map(line).collect()
    }
}

fn head(found: &Found) -> Head {
    let (breakdown, query) = (&found.breakdown, &found.query);
    let series = breakdown.series.iter().map(|facet| Series {
        series: series_word(facet),
        name: facet_name(facet),
    });
    Head {
        range: query.range.as_str(),
        metric: query.metric.as_str(),
        group: query.group.as_str(),
        zone: query.zone.as_str().to_owned(),
        as_of: local(found.feed.as_of),
        series: series.collect(),
        total: cell(
            breakdown.metric,
            &breakdown.total(),
            breakdown.elapsed_in_all_ms(),
        ),
    }
}

fn bucket(found: &Found, index: usize) -> Option<Bucket> {
    let breakdown = &found.breakdown;
    let bucket = breakdown.grid.buckets.get(index)?;
    let elapsed = breakdown.elapsed_ms(index);
    let cells = breakdown.cells.get(index).map_or(&[][..], Vec::as_slice);
    Some(Bucket {
        start: instant_word(bucket.start),
        end: instant_word(bucket.end),
        start_local: local(bucket.local),
        cells: cells
            .iter()
            .map(|each| cell(breakdown.metric, each, elapsed))
            .collect(),
        total: cell(breakdown.metric, &breakdown.bucket(index), elapsed),
    })
}

fn cell(metric: Metric, amounts: &Amounts, elapsed_ms: i64) -> Cell {
    Cell {
        sandbox_ms: amounts.ms.to_string(),
        vcpu_ms: amounts.vcpu_ms.to_string(),
        mib_ms: amounts.mib_ms.to_string(),
        ticks: amounts.ticks.to_string(),
        dollars: decimal(Metric::Cost, amounts.ticks.get(), 0),
        value: decimal(metric, amounts.raw(metric), elapsed_ms),
    }
}

/// The machine's word for a series: an id, a size such as `2x4096`, an image.
fn series_word(facet: &Facet) -> String {
    match facet {
        Facet::All => "all".to_owned(),
        Facet::Key(id, _) => id.map_or_else(|| "none".to_owned(), |id| id.to_string()),
        Facet::Size(size) => size_word(*size),
        Facet::Image(text) | Facet::Region(text) => text.clone(),
        Facet::Sandbox(id) => id.to_string(),
        Facet::Other => "other".to_owned(),
    }
}

/// A raw value in its unit with twelve decimals, cut.
fn decimal(metric: Metric, raw: i128, elapsed_ms: i64) -> String {
    let whole = metric.whole(elapsed_ms);
    if whole <= 0 {
        return "0.000000000000".to_owned();
    }
    let (units, mut rest) = (raw / whole, raw % whole);
    let mut text = format!("{units}.");
    for _ in 0..12 {
        rest *= 10;
        text.push_str(&(rest / whole).to_string());
        rest %= whole;
    }
    text
}

fn local(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use domain::money::TICKS_PER_DOLLAR;

    use super::*;

    #[test]
    fn decimals_are_cut_after_twelve_places() {
        assert_eq!(
            decimal(Metric::Cost, TICKS_PER_DOLLAR / 3, 0),
            "0.333333333333"
        );
        assert_eq!(
            decimal(Metric::SandboxHours, 5_400_000, 0),
            "1.500000000000"
        );
        assert_eq!(decimal(Metric::Concurrency, 1, 0), "0.000000000000");
    }

    #[test]
    fn every_word_that_is_read_is_declared() {
        let read = RefCell::new(BTreeSet::new());
        for range in ["own", "7d"] {
            let get = |name: &str| {
                read.borrow_mut().insert(name.to_owned());
                (name == "range").then(|| range.to_owned())
            };
            let _ = Query::parse(get);
        }
        // Which bar is looked into is the page's: it shows why the bar is as tall as it is.
        read.borrow_mut().remove("bar");
        let declared: BTreeSet<String> = Usage::WORDS
            .iter()
            .map(|word| word.name.to_owned())
            .collect();
        assert_eq!(read.into_inner(), declared);
    }
}
