//! The figures of a breakdown as its table writes them: rounded together, so that rows and columns add up to the sums beside
//! them, all with the decimals that the total has. What is nothing is a dot; what is less than shows says so.

use domain::money::Ticks;
use domain::price::BilledMs;
use domain::shown::{self, Rounded};
use domain::usage::breakdown::{Amounts, Breakdown};
use domain::usage::query::Metric;
use leptos::prelude::*;

use super::value::{exact, text};
use crate::frame::format;

/// A breakdown, rounded.
pub(super) struct Sheet<'a> {
    breakdown: &'a Breakdown,
    scale: Scale,
    rounded: Rounded,
}

/// What a unit of a rounded figure is.
#[derive(Clone, Copy)]
struct Scale {
    metric: Metric,
    unit: i128,
    places: u32,
}

impl Scale {
    /// As fine as the total asks for: cents from a dollar on, minutes from an hour on.
    fn of(metric: Metric, total: i128) -> Self {
        let whole = metric.whole(1);
        let (unit, places) = match metric {
            Metric::Cost => {
                let places = shown::places(Ticks::new(total).unwrap_or_default());
                (shown::unit(places), places)
            }
            Metric::SandboxHours => (if total >= whole { 60_000 } else { 1_000 }, 0),
            _ if total >= whole => (whole / 100, 2),
            _ => (whole / 10_000, 4),
        };
        Self {
            metric,
            unit,
            places,
        }
    }

    /// So many units in words.
    fn text(self, units: i128) -> String {
        let raw = units.saturating_mul(self.unit);
        match self.metric {
            Metric::Cost => Ticks::new(raw).unwrap_or_default().dollars(self.places),
            Metric::SandboxHours => {
                let billed = BilledMs(i64::try_from(raw).unwrap_or(i64::MAX));
                format::coarse_duration(billed, self.unit >= 60_000)
            }
            _ => decimal(units, self.places),
        }
    }

    /// A figure that stands for `raw`, which was rounded to `units`.
    fn figure(self, raw: i128, units: i128) -> AnyView {
        if raw == 0 {
            let dot = format::nothing(self.text(0));
            return dotted(self.metric, dot);
        }
        let said = if units == 0 {
            format!("<{}", self.text(1))
        } else {
            self.text(units)
        };
        match self.metric {
            Metric::Cost => format::figure(Ticks::new(raw).unwrap_or_default(), said),
            metric => exact(metric, raw, said),
        }
    }
}

/// `12.05`: the unit stands in the heading.
fn decimal(units: i128, places: u32) -> String {
    let scale = 10_i128.pow(places);
    let (whole, rest) = (units / scale, units % scale);
    format!("{whole}.{rest:0width$}", width = places as usize)
}

/// A dot that stands for an exact zero.
fn dotted(metric: Metric, dot: AnyView) -> AnyView {
    match metric {
        Metric::Cost => view! { <span data-ticks="0">{dot}</span> }.into_any(),
        Metric::SandboxHours | Metric::Concurrency => {
            view! { <span data-ms="0">{dot}</span> }.into_any()
        }
        Metric::VcpuHours => view! { <span data-vcpu-ms="0">{dot}</span> }.into_any(),
        Metric::GibHours => view! { <span data-mib-ms="0">{dot}</span> }.into_any(),
    }
}

impl<'a> Sheet<'a> {
    pub fn of(breakdown: &'a Breakdown) -> Self {
        let metric = breakdown.metric;
        let scale = Scale::of(metric, breakdown.total().raw(metric));
        let rows = breakdown.cells.iter();
        let raw: Vec<Vec<i128>> = rows
            .map(|row| row.iter().map(|cell| cell.raw(metric)).collect())
            .collect();
        Self {
            rounded: shown::add_up(&raw, scale.unit),
            breakdown,
            scale,
        }
    }

    pub fn cell(&self, bucket: usize, place: usize, cell: &Amounts) -> AnyView {
        let rows = self.rounded.cells.get(bucket);
        let units = rows.and_then(|row| row.get(place)).copied().unwrap_or(0);
        self.figure(cell, units, self.breakdown.elapsed_ms(bucket))
    }

    pub fn row(&self, bucket: usize) -> AnyView {
        let units = self.rounded.rows.get(bucket).copied().unwrap_or(0);
        let elapsed = self.breakdown.elapsed_ms(bucket);
        self.figure(&self.breakdown.bucket(bucket), units, elapsed)
    }

    pub fn column(&self, place: usize) -> AnyView {
        let units = self.rounded.columns.get(place).copied().unwrap_or(0);
        let elapsed = self.breakdown.elapsed_in_all_ms();
        self.figure(&self.breakdown.column(place), units, elapsed)
    }

    pub fn total(&self) -> AnyView {
        let elapsed = self.breakdown.elapsed_in_all_ms();
        self.figure(&self.breakdown.total(), self.rounded.total, elapsed)
    }

    /// Averages over different times add up to nothing, so each stands for itself.
    fn figure(&self, amounts: &Amounts, units: i128, elapsed_ms: i64) -> AnyView {
        let metric = self.scale.metric;
        let raw = amounts.raw(metric);
        if metric == Metric::Concurrency && raw != 0 {
            exact(metric, raw, text(metric, raw, elapsed_ms))
        } else {
            self.scale.figure(raw, units)
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::moment::HOUR_MS;
    use domain::money::TICKS_PER_DOLLAR;

    use super::*;

    #[test]
    fn a_total_decides_what_its_rows_show() {
        let dollars = Scale::of(Metric::Cost, TICKS_PER_DOLLAR * 43);
        assert_eq!(dollars.text(151), "$1.51");
        let less = dollars.figure(1, 0).to_html();
        assert!(less.contains("&lt;$0.01"), "{less}");
        let cents = Scale::of(Metric::Cost, TICKS_PER_DOLLAR / 25);
        assert_eq!(cents.text(1_000), "$0.01000");
        let nothing = cents.figure(0, 0).to_html();
        assert!(
            nothing.contains('·') && nothing.contains("data-ticks=\"0\""),
            "{nothing}"
        );
        let hours = Scale::of(Metric::VcpuHours, 2 * i128::from(HOUR_MS));
        assert_eq!(hours.text(205), "2.05");
        let time = Scale::of(Metric::SandboxHours, 2 * i128::from(HOUR_MS));
        assert_eq!(
            (time.text(64), time.text(4)),
            ("1 h 04 m".to_owned(), "4 m".to_owned())
        );
    }
}
