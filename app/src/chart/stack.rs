//! A breakdown as stacked bars or as lines, with its axis, its marks in time, and one link per bucket.
//! What values are called is `value`'s, what tells series apart is `marks`'s.

use domain::moment::Moment;
use domain::usage::breakdown::Breakdown;
use domain::usage::query::Metric;
use domain::usage::{self, grid::Grid};
use leptos::prelude::*;

use super::marks;
use super::scale::{BOTTOM, TOP, WHOLE, grid_named, percent, places, share};
use super::value::{self, bucket_name, on_axis};

/// Everything a drawing needs besides its figures.
pub(super) struct Drawing<'a> {
    /// Unique on the page.
    pub id: &'static str,
    pub caption: String,
    /// Its sum in words.
    pub total: String,
    /// One sentence per bucket.
    pub labels: &'a [String],
    /// Where each bucket leads.
    pub links: Vec<String>,
    /// Moments with a vertical line, and whether prices changed at them.
    pub moments: Vec<(Moment, &'static str)>,
}

pub(super) fn draw(drawing: Drawing<'_>, breakdown: &Breakdown) -> AnyView {
    let highest = highest(breakdown);
    let (top, step) = usage::axis(highest);
    let metric = breakdown.metric;
    let decimals = places(step);
    let (title, desc) = (
        format!("{}-title", drawing.id),
        format!("{}-desc", drawing.id),
    );
    let (named_by, described_by) = (title.clone(), desc.clone());
    let is_lines = metric == Metric::Concurrency;
    let defs =
        (breakdown.series.len() > 1 && !is_lines).then(|| marks::patterns(breakdown.series.len()));
    let shapes = if is_lines {
        lines(top, breakdown)
    } else {
        bars(top, breakdown)
    };
    let kind = if is_lines { "Line" } else { "Bar" };
    view! {
        <svg class="chart__drawing" role="group" aria-labelledby=named_by aria-describedby=described_by>
            <title id=title>{drawing.caption}</title>
            <desc id=desc>{format!("{kind} chart, {}. The table below holds the same figures.", drawing.total)}</desc>
            {defs}
            {grid_named(top, step, move |nanos| on_axis(metric, nanos, decimals))}
            {moments(&breakdown.grid, &drawing.moments)}
            {shapes}
            {targets(&drawing.links, drawing.labels)}
            {ends(&breakdown.grid)}
        </svg>
    }
    .into_any()
}

/// The highest value drawn, in billionths: of stacks for bars, of single lines for lines.
fn highest(breakdown: &Breakdown) -> i128 {
    let metric = breakdown.metric;
    let buckets = (0..breakdown.cells.len()).map(|index| {
        let elapsed = breakdown.elapsed_ms(index);
        if metric == Metric::Concurrency {
            let row = breakdown.cells.get(index).map_or(&[][..], Vec::as_slice);
            let values = row
                .iter()
                .map(|cell| metric.nanos(cell.raw(metric), elapsed));
            values.max().unwrap_or(0)
        } else {
            // Floored values may lie one below their ceiling; the axis must hold the whole bar.
            let raw = breakdown.bucket(index).raw(metric);
            metric.nanos(raw, elapsed) + i128::from(raw > 0)
        }
    });
    buckets.max().unwrap_or(0)
}

fn left(index: usize, count: i128) -> i128 {
    i128::try_from(index).unwrap_or(0) * WHOLE / count
}

fn count(breakdown: &Breakdown) -> i128 {
    i128::try_from(breakdown.cells.len()).unwrap_or(1).max(1)
}

/// Bars stand on each other by their running sum, so that no rounding leaves a gap between them.
fn bars(top: i128, breakdown: &Breakdown) -> AnyView {
    let (metric, count) = (breakdown.metric, count(breakdown));
    let slot = WHOLE / count;
    let is_single = breakdown.series.len() <= 1;
    let mut bars = Vec::new();
    for (index, row) in breakdown.cells.iter().enumerate() {
        let x = percent(left(index, count) + slot * 15 / 100);
        let mut below = 0;
        for (place, cell) in row.iter().enumerate() {
            let raw = cell.raw(metric);
            if raw <= 0 {
                continue;
            }
            let height = |sum: i128| share(metric.nanos(sum, 0), top, BOTTOM - TOP);
            let (from, to) = (height(below), height(below + raw));
            below += raw;
            let fill = (!is_single).then(|| marks::fill(place));
            bars.push(view! {
                <rect class="chart__bar" data-index=index.to_string() data-series=place.to_string() data-raw=raw.to_string() x=x.clone() y=percent(BOTTOM - to) width=percent(slot * 70 / 100) height=percent(to - from) fill=fill></rect>
            });
        }
    }
    bars.collect_view().into_any()
}

/// One line per series through the middles of its buckets, with a point at each.
fn lines(top: i128, breakdown: &Breakdown) -> AnyView {
    let (metric, count) = (breakdown.metric, count(breakdown));
    let at = |index: usize, place: usize| {
        let cell = breakdown.cells.get(index).and_then(|row| row.get(place));
        let raw = cell.map_or(0, |cell| cell.raw(metric));
        let nanos = metric.nanos(raw, breakdown.elapsed_ms(index));
        let x = left(index, count) + WHOLE / count / 2;
        (
            raw,
            percent(x),
            percent(BOTTOM - share(nanos, top, BOTTOM - TOP)),
        )
    };
    // What lies ahead has no average yet.
    let passed = (0..breakdown.cells.len())
        .filter(|index| breakdown.elapsed_ms(*index) > 0)
        .count();
    let mut shapes: Vec<AnyView> = Vec::new();
    for place in 0..breakdown.series.len() {
        for index in 0..passed {
            let (raw, x, y) = at(index, place);
            if index + 1 < passed {
                let (_, x2, y2) = at(index + 1, place);
                let class = marks::class("chart__line", place);
                shapes.push(view! { <line class=class x1=x.clone() y1=y.clone() x2=x2 y2=y2 stroke-dasharray=marks::dash(place)></line> }.into_any());
            }
            let class = marks::class("chart__point", place);
            shapes.push(view! { <circle class=class data-index=index.to_string() data-series=place.to_string() data-raw=raw.to_string() cx=x cy=y r="3"></circle> }.into_any());
        }
    }
    shapes.collect_view().into_any()
}

/// Over the shapes, one target per bucket as high as the plot: low bars must be as easy to point at as high ones. The
/// table holds the same links for the keyboard, so these are not stops of their own.
fn targets(links: &[String], labels: &[String]) -> AnyView {
    let count = i128::try_from(links.len()).unwrap_or(1).max(1);
    let targets = links.iter().zip(labels).enumerate().map(|(index, (href, label))| {
        let hit = view! { <rect class="chart__hit" data-index=index.to_string() x=percent(left(index, count)) y="0" width=percent(WHOLE / count) height="100%" fill="transparent"></rect> };
        view! { <a href=href.clone() tabindex="-1" aria-label=label.clone() data-index=index.to_string()>{hit}</a> }
    });
    targets.collect_view().into_any()
}

/// Verticals where a month begins or a price changes.
fn moments(grid: &Grid, moments: &[(Moment, &'static str)]) -> AnyView {
    let count = i128::try_from(grid.buckets.len()).unwrap_or(1).max(1);
    let lines = moments.iter().filter_map(|(at, name)| {
        let index = grid.index_of(*at)?;
        let bucket = grid.buckets.get(index)?;
        let inside = share(
            i128::from(at.since_ms(bucket.start)),
            i128::from(bucket.end.since_ms(bucket.start)),
            WHOLE / count,
        );
        let x = left(index, count) + inside;
        let (is_price, right) = (*name == PRICE_CHANGE, x > WHOLE * 4 / 5);
        let class = if is_price {
            "chart__when chart__when--price"
        } else {
            "chart__when"
        };
        let (y, anchor) = (
            if is_price { "5.50%" } else { "1.50%" },
            if right { "end" } else { "start" },
        );
        Some(view! {
            <line class=class x1=percent(x) x2=percent(x) y1="0" y2=percent(BOTTOM)></line>
            <text class="chart__axis chart__name" x=percent(x) y=y text-anchor=anchor>{*name}</text>
        })
    });
    lines.collect_view().into_any()
}

/// The name of a vertical at which prices change.
pub(super) const PRICE_CHANGE: &str = "price change";

/// Names of the first, the middle and the last bucket.
fn ends(grid: &Grid) -> AnyView {
    let last = grid.buckets.len().saturating_sub(1);
    let names = [
        (0, "0", "start"),
        (last / 2, "50%", "middle"),
        (last, "100%", "end"),
    ];
    let names = names
        .into_iter()
        .filter(|(index, _, anchor)| *anchor == "start" || *index > 0)
        .filter_map(|(index, x, anchor)| {
            let name = bucket_name(grid, grid.buckets.get(index)?);
            // Three dates with their hours do not fit a narrow window.
            let class = if anchor == "middle" {
                "chart__axis chart__middle"
            } else {
                "chart__axis"
            };
            Some(view! { <text class=class x=x y="98%" text-anchor=anchor>{name}</text> })
        });
    names.collect_view().into_any()
}

/// One sentence per bucket with all its series.
pub(super) fn labels(breakdown: &Breakdown) -> Vec<String> {
    let metric = breakdown.metric;
    let buckets = breakdown.grid.buckets.iter().enumerate();
    buckets
        .map(|(index, bucket)| {
            let elapsed = breakdown.elapsed_ms(index);
            let name = bucket_name(&breakdown.grid, bucket);
            let total = value::text(metric, breakdown.bucket(index).raw(metric), elapsed);
            let row = breakdown.cells.get(index).map_or(&[][..], Vec::as_slice);
            let parts = breakdown
                .series
                .iter()
                .zip(row)
                .filter(|(_, cell)| cell.raw(metric) > 0);
            let parts: Vec<String> = parts
                .map(|(facet, cell)| {
                    format!(
                        "{} {}",
                        value::facet_name(facet),
                        value::text(metric, cell.raw(metric), elapsed)
                    )
                })
                .collect();
            if breakdown.series.len() > 1 && !parts.is_empty() {
                format!("{name}: {total} in all. {}", parts.join(" · "))
            } else {
                format!("{name}: {total}")
            }
        })
        .collect()
}
