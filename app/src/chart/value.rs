//! How the values of each metric and the names of series are written. Exact numbers stand beside them for machines.
//! Amounts, durations and moments alone are `format`'s.

use domain::money::Ticks;
use domain::price::BilledMs;
use domain::shown;
use domain::usage::breakdown::{Amounts, Facet, NANOS};
use domain::usage::grid::{Bucket, Grid, Step};
use domain::usage::query::{Group, Metric};
use leptos::prelude::*;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::frame::format;

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[day padding:none] [month repr:short]");
const DAY_AND_YEAR: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:short] [year]");
const HOUR: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");
const OFFSET: &[BorrowedFormatItem<'_>] =
    format_description!(" [offset_hour sign:mandatory]:[offset_minute]");

/// The name of a metric where it is chosen and above its chart.
pub fn metric_name(metric: Metric) -> &'static str {
    match metric {
        Metric::Cost => "Cost",
        Metric::SandboxHours => "Sandbox-hours",
        Metric::VcpuHours => "vCPU-hours",
        Metric::GibHours => "GiB-hours",
        Metric::Concurrency => "Sandboxes running on average",
    }
}

/// The name of a group where it is chosen.
pub fn group_name(group: Group) -> &'static str {
    match group {
        Group::None => "Nothing",
        Group::Key => "Key",
        Group::Size => "Size",
        Group::Image => "Image",
        Group::Region => "Region",
        Group::Sandbox => "Sandbox",
    }
}

pub fn facet_name(facet: &Facet) -> String {
    match facet {
        Facet::All => "All".to_owned(),
        Facet::Key(None, _) => "no key".to_owned(),
        Facet::Key(Some(_), Some((name, false))) => name.clone(),
        Facet::Key(Some(_), Some((name, true))) => format!("{name} (revoked)"),
        Facet::Key(Some(id), None) => {
            // Ids of one day begin alike.
            let text = id.to_string();
            format!("unknown key …{}", text.get(28..).unwrap_or_default())
        }
        Facet::Size(size) => format::size(*size),
        Facet::Image(image) => image.clone(),
        Facet::Region(region) => region.clone(),
        Facet::Sandbox(id) => id.to_string(),
        Facet::Other => "other".to_owned(),
    }
}

/// A value in words: `$1.23`, `2 h 04 m`, `3.25 vCPU-h`, `1.5`.
pub fn text(metric: Metric, raw: i128, elapsed_ms: i64) -> String {
    match metric {
        Metric::Cost => shown::amount(Ticks::new(raw).unwrap_or_default()),
        Metric::SandboxHours => {
            format::duration_text(BilledMs(i64::try_from(raw).unwrap_or(i64::MAX)))
        }
        Metric::VcpuHours => format!("{} vCPU-h", decimal(metric.nanos(raw, elapsed_ms))),
        Metric::GibHours => format!("{} GiB-h", decimal(metric.nanos(raw, elapsed_ms))),
        // Below a billionth of a sandbox nothing is left of the quotient; it is still not nothing.
        Metric::Concurrency => decimal(metric.nanos(raw, elapsed_ms).max(i128::from(raw > 0))),
    }
}

pub fn signed(metric: Metric, raw: i128, elapsed_ms: i64) -> String {
    let sign = if raw < 0 { "−" } else { "+" };
    format!("{sign}{}", text(metric, raw.abs(), elapsed_ms))
}

/// A value with its exact number in the attribute of its unit.
pub fn value(metric: Metric, amounts: &Amounts, elapsed_ms: i64) -> AnyView {
    let raw = amounts.raw(metric);
    exact(metric, raw, text(metric, raw, elapsed_ms))
}

/// A text that stands for an exact number.
pub fn exact(metric: Metric, raw: i128, text: String) -> AnyView {
    let number = raw.to_string();
    match metric {
        Metric::Cost => format::figure(Ticks::new(raw).unwrap_or_default(), text),
        Metric::SandboxHours | Metric::Concurrency => {
            view! { <span data-ms=number>{text}</span> }.into_any()
        }
        Metric::VcpuHours => view! { <span data-vcpu-ms=number>{text}</span> }.into_any(),
        Metric::GibHours => view! { <span data-mib-ms=number>{text}</span> }.into_any(),
    }
}

/// Billionths as a decimal number: four places, cut, two at least; what is smaller than they show says so.
fn decimal(nanos: i128) -> String {
    let tenths_of_milli = nanos / (NANOS / 10_000);
    if nanos > 0 && tenths_of_milli == 0 {
        return "under 0.0001".to_owned();
    }
    let (whole, rest) = (tenths_of_milli / 10_000, tenths_of_milli % 10_000);
    let rest = format!("{rest:04}");
    let rest = rest.strip_suffix("00").unwrap_or(&rest);
    format!("{whole}.{rest}")
}

/// A value on the axis, with the decimals that its step needs.
pub fn on_axis(metric: Metric, nanos: i128, places: u32) -> String {
    let scale = 10_i128.pow(places);
    let units = nanos / (NANOS / scale);
    let sign = if metric == Metric::Cost { "$" } else { "" };
    if places == 0 {
        format!("{sign}{units}")
    } else {
        let (whole, rest) = (units / scale, units % scale);
        format!("{sign}{whole}.{rest:0width$}", width = places as usize)
    }
}

/// The name of a bucket: `23 Nov, 14:00`, `23 Nov`, `23 Nov to 29 Nov`. The year where the grid spans two, the offset
/// where clocks change inside it.
pub fn bucket_name(grid: &Grid, bucket: &Bucket) -> String {
    let years = (
        grid.buckets.first().map(|first| first.first.year()),
        grid.buckets.last().map(|last| last.last.year()),
    );
    let day = |date: time::Date| {
        let format = if years.0 == years.1 {
            DAY
        } else {
            DAY_AND_YEAR
        };
        date.format(format).unwrap_or_default()
    };
    let first = day(bucket.first);
    match grid.step {
        Step::Hour => {
            let hour = bucket.local.format(HOUR).unwrap_or_default();
            let offset = if grid.changes_offset() {
                bucket.local.format(OFFSET).unwrap_or_default()
            } else {
                String::new()
            };
            format!("{first}, {hour}{offset}")
        }
        Step::Week if bucket.first != bucket.last => format!("{first} to {}", day(bucket.last)),
        Step::Day | Step::Week => first,
    }
}

#[cfg(test)]
mod tests {
    use domain::money::TICKS_PER_DOLLAR;

    use super::*;

    #[test]
    fn each_metric_has_its_unit() {
        assert_eq!(text(Metric::Cost, TICKS_PER_DOLLAR / 4, 0), "$0.25");
        assert_eq!(text(Metric::Cost, 0, 0), "$0.00");
        assert_eq!(text(Metric::SandboxHours, 43_440_000, 0), "12 h 04 m");
        assert_eq!(text(Metric::VcpuHours, 9_000_000, 0), "2.50 vCPU-h");
        assert_eq!(text(Metric::GibHours, 3_600_000 * 1_024, 0), "1.00 GiB-h");
        assert_eq!(text(Metric::Concurrency, 1_000, 3_600_000), "0.0002");
        assert_eq!(text(Metric::Concurrency, 1, 3_600_000_000), "under 0.0001");
        assert_eq!(signed(Metric::Cost, -TICKS_PER_DOLLAR, 0), "−$1.00");
    }

    #[test]
    fn axis_names_are_short() {
        assert_eq!(on_axis(Metric::Cost, 500_000_000, 2), "$0.50");
        assert_eq!(on_axis(Metric::VcpuHours, 5_000_000_000, 0), "5");
    }

    #[test]
    fn a_revoked_and_an_unknown_key_have_names() {
        let id = domain::id::KeyId(uuid::Uuid::from_u128(1));
        let revoked = Facet::Key(Some(id), Some(("ci".to_owned(), true)));
        assert_eq!(facet_name(&revoked), "ci (revoked)");
        assert_eq!(
            facet_name(&Facet::Key(Some(id), None)),
            "unknown key …00000001"
        );
        assert_eq!(facet_name(&Facet::Key(None, None)), "no key");
    }
}
