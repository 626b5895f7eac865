//! Usage over a range: a chart, its totals, and the rows it was drawn from.

use backend::service::usage;
use domain::usage::Range;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::pages::layout::{self, Page, Section, Stop, Visit};
use crate::pages::{chart, format};

/// `/usage`
pub fn view() -> AnyView {
    let range = use_query_map()
        .get_untracked()
        .get("range")
        .map_or(Range::Day, |word| Range::parse(&word));
    layout::dashboard(Section::Usage, "/usage", move |visit| read(visit, range))
}

async fn read(visit: Visit, range: Range) -> Result<Page, Stop> {
    let usage = usage::series(&visit.backend, &visit.actor, range).await?;
    let (billed, ticks) = usage.series.total();
    let body = view! {
        {layout::feed_notice(&usage.feed)}
        <section class="section" aria-label="Usage">
            {controls(range)}
            <div class="figures">
                <div class="figure">
                    <p class="figure__value" data-figure="cost">{format::amount(ticks, format::METERED)}</p>
                    <p class="figure__note">"cost in this range"</p>
                </div>
                <div class="figure">
                    <p class="figure__value" data-figure="time">{format::duration(billed)}</p>
                    <p class="figure__note">"sandbox time billed"</p>
                </div>
            </div>
            {chart::spend("chart", "usage-chart", caption(range), &usage.series)}
        </section>
        {layout::as_of(&usage.feed)}
    };
    Ok(Page::new("Usage", body.into_any()))
}

fn controls(current: Range) -> AnyView {
    let links = Range::ALL.into_iter().map(|range| {
        let here = (range == current).then_some("page");
        view! { <a href=format!("/usage?range={}", range.as_str()) aria-current=here>{name(range)}</a> }
    });
    view! { <nav class="controls" aria-label="Range"><div class="controls__set">{links.collect_view()}</div></nav> }.into_any()
}

const fn name(range: Range) -> &'static str {
    match range {
        Range::Day => "24 hours",
        Range::Week => "7 days",
        Range::Month => "30 days",
    }
}

const fn caption(range: Range) -> &'static str {
    match range {
        Range::Day => "Cost by hour, last 24 hours (UTC)",
        Range::Week => "Cost by day, last 7 days (UTC)",
        Range::Month => "Cost by day, last 30 days (UTC)",
    }
}
