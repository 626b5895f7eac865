//! Usage over a range: what was asked, its chart and rows, and why one bucket is as tall as it is.
//! The controls, the reasons and the single intervals have files of their own.

use backend::usage::{self, Usage};
use domain::usage::UsageProblem;
use domain::usage::breakdown::Amounts;
use domain::usage::grid::Step;
use domain::usage::query::{Metric, Query, Range};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::controls::{self, Typed};
use super::reasons;
use crate::chart;
use crate::chart::value::{metric_name, value};
use crate::frame::layout::{self, Page, Place, Stop, Visit};

/// `/usage`
pub fn view(place: Place) -> AnyView {
    let words = use_query_map().get_untracked();
    let (query, problems) = Query::parse(|name| words.get(name));
    let typed = Typed::of(|name| words.get(name));
    layout::dashboard(place, move |visit| read(visit, query, problems, typed))
}

async fn read(
    mut visit: Visit,
    query: Query,
    mut problems: Vec<UsageProblem>,
    typed: Typed,
) -> Result<Page, Stop> {
    let usage = usage::read(&mut visit.view, &query).await?;
    problems.extend(&usage.problems);
    let caption = caption(&usage);
    let breakdown = &usage.breakdown;
    let empty = (breakdown.total() == Amounts::default()).then(|| {
        view! { <p data-empty="">"Nothing ran in this range, so nothing was spent. "<a href="/sandboxes">"All sandboxes"</a></p> }
    });
    let body = view! {
        {layout::feed_notice(&usage.feed)}
        <section class="section" aria-label="Usage">
            {controls::form(&usage.query, &typed, &problems)}
            {controls::filters(&usage.query, usage.key.as_ref())}
            {figures(&usage)}
            {empty}
            {chart::usage(&caption, &usage.query, breakdown, &usage.price_changes)}
            {notes(&usage)}
            {downloads(&usage.query)}
        </section>
        {beneath_limit(&usage)}
        {usage.reasons.as_ref().map(|reasons| reasons::view(&usage, reasons))}
        {layout::as_of(&usage.feed)}
    };
    Ok(Page {
        title: (!problems.is_empty()).then(|| "Error: Usage".to_owned()),
        ..Page::new("Usage", body.into_any())
    })
}

/// Cost and time in any case, and what the metric counts when it is neither.
fn figures(usage: &Usage) -> AnyView {
    let total = usage.breakdown.total();
    let elapsed = usage.breakdown.elapsed_in_all_ms();
    let metric = usage.breakdown.metric;
    let third = !matches!(metric, Metric::Cost | Metric::SandboxHours);
    let third = third.then(|| {
        view! {
            <div class="figure">
                <p class="figure__value" data-figure="metric">{value(metric, &total, elapsed)}</p>
                <p class="figure__note">{metric_name(metric)}</p>
            </div>
        }
    });
    view! {
        <div class="figures">
            <div class="figure">
                <p class="figure__value" data-figure="cost">{value(Metric::Cost, &total, elapsed)}</p>
                <p class="figure__note">"cost in this range"</p>
            </div>
            <div class="figure">
                <p class="figure__value" data-figure="time">{value(Metric::SandboxHours, &total, elapsed)}</p>
                <p class="figure__note">"sandbox time billed"</p>
            </div>
            {third}
        </div>
    }
    .into_any()
}

fn caption(usage: &Usage) -> String {
    let step = match usage.breakdown.grid.step {
        Step::Hour => "hour",
        Step::Day => "day",
        Step::Week => "week",
    };
    let range = match usage.query.range {
        Range::Day => "last 24 hours",
        Range::Week => "last 7 days",
        Range::Month => "last 30 days",
        Range::ThisMonth => "this month",
        Range::LastMonth => "last month",
        Range::Own { .. } => "the days chosen",
    };
    format!(
        "{} by {step}, {range} ({})",
        metric_name(usage.query.metric),
        usage.query.zone.as_str()
    )
}

/// What must be known to read the chart right.
fn notes(usage: &Usage) -> AnyView {
    let grid = &usage.breakdown.grid;
    let zone = (!usage.query.zone.is_utc()).then(|| {
        let name = usage.query.zone.as_str().to_owned();
        view! { <li>{format!("Days and hours are those of {name}. Bills run on UTC, and the lines named after months mark where UTC months begin.")}</li> }
    });
    let is_off = grid.buckets.iter().any(|bucket| bucket.local.minute() != 0);
    let half = is_off.then(|| view! { <li>"Usage is metered by whole UTC hours, so a day here starts with the first of them that begins inside it."</li> });
    let average = (usage.query.metric == Metric::Concurrency).then(|| view! { <li>"On average: billed sandbox time over the time that has passed in each bucket. Peaks can be higher."</li> });
    let notes = (zone, half, average);
    view! { <ul class="notes">{notes}</ul> }.into_any()
}

fn downloads(query: &Query) -> AnyView {
    // Which bar is looked into is the page's own affair.
    let query = Query {
        bar: None,
        ..query.clone()
    };
    let (csv, json) = (query.address("/usage.csv"), query.address("/usage.json"));
    view! {
        <p class="downloads">"The same rows, exact: "<a href=csv download="">"CSV"</a>" "<a href=json download="">"JSON"</a></p>
    }
    .into_any()
}

/// The limit is of a UTC month and of everything, so it is drawn only where that is shown.
fn beneath_limit(usage: &Usage) -> Option<AnyView> {
    let query = &usage.query;
    let is_month = query.range == Range::ThisMonth && query.metric == Metric::Cost;
    if !is_month || !query.zone.is_utc() || !query.only.is_all() {
        return None;
    }
    let drawing = chart::cumulative(&usage.breakdown, usage.limit?);
    Some(
        view! { <section class="section" aria-label="Monthly limit">{drawing}</section> }
            .into_any(),
    )
}
