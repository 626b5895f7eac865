//! What tells series apart without colour: a pattern for bars, a dash for lines, and the legend that shows both.
//! Colours are the stylesheet's.

use domain::usage::breakdown::{Breakdown, Facet};
use leptos::prelude::*;

use super::value;

/// Lines drawn into an 8 by 8 tile; the first series is plain.
const PATTERNS: [&str; 8] = [
    "",
    "M-2 10 10-2M-2 2 2-2M6 10 10 6",
    "M0 4H8",
    "M4 0V8",
    "M2 2h2v2h-2zM6 6h2v2h-2z",
    "M-2-2 10 10M6-2 10 2M-2 6 2 10",
    "M0 4H8M4 0V8",
    "M0 0H8M0 4H8M2 0V8M6 0V8",
];
const DASHES: [&str; 8] = [
    "none",
    "6 3",
    "2 3",
    "10 3 2 3",
    "12 4",
    "1 4",
    "6 2 2 2 2 2",
    "4 6",
];

pub(super) fn class(base: &'static str, place: usize) -> String {
    format!("{base} {base}--{}", place + 1)
}

pub(super) fn fill(place: usize) -> String {
    format!("url(#mark-{})", place + 1)
}

pub(super) fn dash(place: usize) -> &'static str {
    DASHES.get(place).copied().unwrap_or("none")
}

/// The patterns of so many series; once per page.
pub(super) fn patterns(count: usize) -> AnyView {
    let patterns = PATTERNS
        .iter()
        .take(count)
        .enumerate()
        .map(|(place, lines)| {
            let name = format!("mark-{}", place + 1);
            let ground = class("chart__ground", place);
            view! {
                <pattern id=name width="8" height="8" patternUnits="userSpaceOnUse">
                    <rect class=ground width="8" height="8"></rect>
                    <path class="chart__hatch" d=*lines></path>
                </pattern>
            }
        });
    view! { <defs>{patterns.collect_view()}</defs> }.into_any()
}

/// The name of each series beside its mark, leading to that series alone.
pub(super) fn legend(
    breakdown: &Breakdown,
    is_lines: bool,
    href: impl Fn(&Facet) -> Option<String>,
) -> AnyView {
    let entries = breakdown.series.iter().enumerate().map(|(place, facet)| {
        let mark = if is_lines {
            let class = class("chart__line", place);
            view! { <line class=class x1="0" x2="24" y1="8" y2="8" stroke-dasharray=dash(place)></line> }.into_any()
        } else {
            view! { <rect width="24" height="16" fill=fill(place)></rect> }.into_any()
        };
        let name = value::facet_name(facet);
        let name = match href(facet) {
            Some(href) => view! { <a href=href>{name}</a> }.into_any(),
            None => name.into_any(),
        };
        view! { <li class="legend__entry"><svg class="legend__mark" width="24" height="16" aria-hidden="true">{mark}</svg>{name}</li> }
    });
    view! { <ul class="legend" aria-label="Series">{entries.collect_view()}</ul> }.into_any()
}
