//! Single intervals of a window, each with its cost written out as arithmetic: where every sum ends.

use backend::failure::Failure;
use backend::usage::intervals::{self, Intervals, Line, Part};
use domain::money::Ticks;
use domain::price::BilledMs;
use domain::sandbox::Size;
use domain::shown;
use domain::usage::UsageProblem;
use domain::usage::breakdown::Facet;
use domain::usage::query::Window;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use time::{Date, OffsetDateTime};

use crate::action::problem::Words as _;
use crate::chart::value::facet_name;
use crate::frame::format::{self, METERED};
use crate::frame::layout::{self, Page, Place, Stop, Visit};
use crate::frame::table::{self, Head};

/// `/usage/intervals`
pub fn view(place: Place) -> AnyView {
    let words = use_query_map().get_untracked();
    let (window, problems) = Window::parse(|name| words.get(name));
    let after = words.get("after");
    layout::dashboard(place, move |visit| read(visit, window, problems, after))
}

async fn read(
    mut visit: Visit,
    window: Result<Window, UsageProblem>,
    problems: Vec<UsageProblem>,
    after: Option<String>,
) -> Result<Page, Stop> {
    let found = match &window {
        Ok(window) => intervals::list(&mut visit.view, window, after.as_deref()).await,
        Err(problem) => Err(Failure::Refused(*problem)),
    };
    let (problems, list) = match (found, window) {
        (Ok(intervals), Ok(window)) => (problems, Some(list(&window, intervals))),
        (Err(Failure::Refused(problem)), _) => ([problems, vec![problem]].concat(), None),
        (Err(Failure::Broken(broken)), _) => return Err(broken.into()),
        // Reading is no act, so nobody is denied it.
        (Err(Failure::Denied(_)), _) => return Err(Stop::NotFound),
        (Ok(_), Err(problem)) => (vec![problem], None),
    };
    let said = problems.iter().map(|problem| {
        view! { <p class="query__error" role="alert">{problem.problem().text}" "<a href="/usage">"Usage"</a></p> }
    });
    let body = view! { {said.collect_view()} {list} };
    Ok(Page::new("Intervals", body.into_any()))
}

fn list(window: &Window, intervals: Intervals) -> AnyView {
    let (from, until) = (
        format::moment(OffsetDateTime::from(window.from)),
        format::moment(OffsetDateTime::from(window.until)),
    );
    let billed = BilledMs(i64::try_from(intervals.total.ms).unwrap_or(i64::MAX));
    let none = intervals
        .page
        .rows
        .is_empty()
        .then(|| view! { <p>"Nothing was billed in this window."</p> });
    let path = window.address("/usage/intervals");
    view! {
        {layout::feed_notice(&intervals.feed)}
        <section class="section" aria-label="Billed intervals">
            <p>"From "{from}" to "{until}". "{only(window)}<a href="/usage">"All usage"</a></p>
            <div class="figures">
                <div class="figure">
                    <p class="figure__value" data-figure="cost">{format::amount(intervals.total.ticks, METERED)}</p>
                    <p class="figure__note">"cost in this window"</p>
                </div>
                <div class="figure">
                    <p class="figure__value" data-figure="time">{format::duration(billed)}</p>
                    <p class="figure__note">"sandbox time billed in it"</p>
                </div>
            </div>
            {none}
            {rows(window, &intervals.page.rows)}
            {layout::pager(&path, intervals.page.next)}
            <p class="form__note">"Whole seconds on the UTC clock are billed, so an interval that touches none is not listed. An interval that reaches beyond the window counts only with its part inside."</p>
        </section>
        {layout::as_of(&intervals.feed)}
    }
    .into_any()
}

/// What only is listed, in words.
fn only(window: &Window) -> String {
    let only = &window.only;
    let mut said: Vec<String> = Vec::new();
    if only.key.is_some() {
        said.push("one key".to_owned());
    }
    said.extend(only.size.map(format::size));
    said.extend(only.image.clone());
    said.extend(only.region.clone());
    said.extend(only.sandbox.as_ref().map(ToString::to_string));
    if said.is_empty() {
        String::new()
    } else {
        format!("Only {}. ", said.join(", "))
    }
}

fn rows(window: &Window, lines: &[Line]) -> AnyView {
    let heads = vec![
        Head::name("Sandbox"),
        Head::text("Key"),
        Head::plain("Size"),
        Head::plain("Started (UTC)"),
        Head::plain("Ended"),
        Head::figure("Billed here"),
        Head::figure("Per hour"),
        Head::main("Cost"),
    ];
    let exact: Vec<Vec<i128>> = lines.iter().map(|line| vec![line.cost().get()]).collect();
    let unit = shown::unit(METERED);
    let together = shown::add_up(&exact, unit);
    let day = format::day_of(window.from.into());
    let rows = lines.iter().zip(together.rows).map(|(line, units)| {
        let shown = Ticks::new(units.saturating_mul(unit)).unwrap_or_default();
        row(line, day, shown.dollars(METERED))
    });
    let rows = table::plain_group(rows.collect_view());
    table::table(
        "usage-intervals",
        "Intervals, newest first",
        heads,
        rows,
        None,
    )
}

/// Two rows: what ran, and below it how its cost comes about.
fn row(line: &Line, day: Date, cost: String) -> AnyView {
    let id = line.sandbox_id.to_string();
    let first = table::id_link(format!("/sandboxes/{id}"), id.clone());
    let key = match &line.key {
        Facet::Key(Some(id), Some(_)) => {
            table::clip_link(format!("/keys/{id}"), facet_name(&line.key))
        }
        other => table::clip(facet_name(other)),
    };
    let per_hour: Vec<String> = line
        .parts
        .iter()
        .map(|part| format::per_hour(part.per_hour))
        .collect();
    let arithmetic: Vec<String> = line
        .parts
        .iter()
        .map(|part| arithmetic(part, line.size))
        .collect();
    let ended = line
        .ended_at
        .map_or_else(|| "running".into_any(), |at| format::second_of(at, day));
    view! {
        <tr class="table__above" data-sandbox=id>
            {table::name(first, Some(table::image(&line.image)))}
            {table::text("Key", key)}
            {table::plain("", format::size(line.size))}
            {table::plain("Started", format::second_of(line.started_at, day))}
            {table::plain("Ended", ended)}
            <td class="table__number" data-label="Billed here" data-cell="time">{seconds(line.billed())}</td>
            {table::number("Per hour", per_hour.join(", "))}
            <td class="table__number table__main" data-cell="cost">{format::figure(line.cost(), cost)}</td>
        </tr>
        <tr class="table__below">
            <td class="table__prose" colspan="8"><code>{arithmetic.join(" + ")}</code></td>
        </tr>
    }
    .into_any()
}

/// Billed time in whole seconds, because they are what is multiplied.
fn seconds(billed: BilledMs) -> AnyView {
    let text = format!("{} s", billed.0 / 1_000);
    view! { <span data-ms=billed.0.to_string()>{text}</span> }.into_any()
}

/// `90 s × (1 vCPU × $0.026 + 1 GiB × $0.015) / 3600 s = $0.001025000000`.
fn arithmetic(part: &Part, size: Size) -> String {
    let dollars = |micro: i64| {
        let ticks = Ticks::new(i128::from(micro) * (domain::money::TICKS_PER_DOLLAR / 1_000_000));
        format::per_hour(ticks.unwrap_or_default())
    };
    let memory = if size.mem_mib % 1_024 == 0 {
        format!("{} GiB", size.mem_mib / 1_024)
    } else {
        format!("{}/1024 GiB", size.mem_mib)
    };
    let time = if part.billed.0 % 1_000 == 0 {
        format!("{} s", part.billed.0 / 1_000)
    } else {
        format!("{}/1000 s", part.billed.0)
    };
    format!(
        "{time} × ({} vCPU × {} + {memory} × {}) / 3600 s = {}",
        size.vcpus,
        dollars(part.vcpu_hour.0),
        dollars(part.gib_hour.0),
        part.ticks.dollars(12)
    )
}

#[cfg(test)]
mod tests {
    use domain::money::MicroDollars;

    use super::*;

    #[test]
    fn costs_are_written_out() {
        let size = Size {
            vcpus: 2,
            mem_mib: 700,
        };
        let part = Part {
            billed: BilledMs(90_000),
            vcpu_hour: MicroDollars(26_000),
            gib_hour: MicroDollars(15_000),
            per_hour: Ticks::ZERO,
            ticks: Ticks::new(90_000 * (26_000 * 1_024 * 2 + 15_000 * 700)).unwrap(),
        };
        assert_eq!(
            arithmetic(&part, size),
            "90 s × (2 vCPU × $0.026 + 700/1024 GiB × $0.015) / 3600 s = $0.001556347656"
        );
    }
}
