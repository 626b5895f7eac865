//! One sandbox: what it is, where it came from, and every second it was billed for, written out.

use backend::sandboxes::SandboxRow;
use backend::sandboxes::cost::{self, Incident, IntervalRow, Life, Part};
use domain::feed::StopReason;
use domain::money::Ticks;
use domain::page;
use domain::sandbox::{SandboxId, SandboxState, Size};
use domain::shown;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::list::state_badge;
use crate::frame::copy;
use crate::frame::format::{self, METERED};
use crate::frame::layout::{self, Page, Place, Stop, Visit};
use crate::frame::table::{self, Head};

/// `/sandboxes/{id}`
pub fn view(place: Place) -> AnyView {
    let id = use_params_map()
        .get_untracked()
        .get("id")
        .and_then(|text| SandboxId::parse(&text));
    let after = use_query_map().get_untracked().get("after");
    layout::dashboard(place, move |visit| read(visit, id, after))
}

async fn read(
    mut visit: Visit,
    id: Option<SandboxId>,
    after: Option<String>,
) -> Result<Page, Stop> {
    let id = id.ok_or(Stop::NotFound)?;
    let life = cost::read(&mut visit.view, &id, after.as_deref())
        .await?
        .ok_or(Stop::NotFound)?;
    let Life {
        sandbox,
        intervals,
        is_whole,
        incidents,
        feed,
    } = life;
    let title = format!("Sandbox {}", sandbox.sandbox_id);
    let body = view! {
        {layout::feed_notice(&feed)}
        {facts(&sandbox)}
        {written_out(&sandbox, intervals, is_whole)}
        {lost(&incidents)}
        {layout::as_of(&feed)}
    };
    Ok(Page::new(title, body.into_any()))
}

fn facts(sandbox: &SandboxRow) -> AnyView {
    let parent = sandbox.parent_id.as_ref().map(|parent| {
        let href = format!("/sandboxes/{parent}");
        view! { <dt>"Forked from"</dt><dd><a href=href><code>{parent.to_string()}</code></a>" "{copy::button(parent.to_string(), "the id of the parent")}</dd> }
    });
    let key = match (sandbox.key_id, sandbox.key_name.clone()) {
        (Some(key_id), Some(name)) => {
            view! { <a href=format!("/keys/{key_id}")>{name}</a> }.into_any()
        }
        _ => "none".into_any(),
    };
    let destroyed = sandbox
        .destroyed_at
        .map(|at| view! { <dt>"Destroyed"</dt><dd>{format::receipt(at)}</dd> });
    let stopped = stopped(sandbox);
    let pace = match sandbox.state {
        SandboxState::Running => "Costs per hour",
        SandboxState::Hibernated | SandboxState::Destroyed => "Cost per hour while it ran",
    };
    let note = match sandbox.state {
        SandboxState::Running => "It is billed for each second it runs.",
        SandboxState::Hibernated => "It is paused to disk and costs nothing until it is resumed.",
        SandboxState::Destroyed => "It is gone and costs nothing.",
    };
    view! {
        <section class="section" aria-label="About this sandbox">
            <dl class="facts" data-sandbox=sandbox.sandbox_id.to_string()>
                <dt>"Id"</dt>
                <dd>{copy::id(sandbox.sandbox_id.to_string(), "the id of the sandbox")}</dd>
                <dt>"State"</dt>
                <dd>{state_badge(sandbox.state)}" "<span class="form__note">{note}</span></dd>
                <dt>"Image"</dt>
                <dd><code>{sandbox.image.clone()}</code></dd>
                <dt>"Size"</dt>
                <dd>{format::size(sandbox.size)}</dd>
                <dt>"Region"</dt>
                <dd>{sandbox.region.clone()}</dd>
                <dt>"Key"</dt>
                <dd>{key}</dd>
                {parent}
                <dt>"Created"</dt>
                <dd>{format::receipt(sandbox.created_at)}</dd>
                {stopped}
                {destroyed}
                <dt>"Billed time"</dt>
                <dd>{format::duration(sandbox.billed)}</dd>
                <dt>"Cost so far"</dt>
                <dd data-figure="cost">{format::amount(sandbox.cost, METERED)}</dd>
                <dt>{pace}</dt>
                <dd><span data-ticks=sandbox.per_hour.to_string()>{format::per_hour(sandbox.per_hour)}</span></dd>
            </dl>
        </section>
    }
    .into_any()
}

/// When it stopped and why; nothing while it runs.
fn stopped(sandbox: &SandboxRow) -> Option<AnyView> {
    let at = sandbox.stopped_at?;
    let why = match sandbox.stop_reason {
        None => return Some(view! { <dt>"Stopped"</dt><dd>{format::moment(at)}</dd> }.into_any()),
        Some(StopReason::Asked) => ", by one of your keys or on this dashboard.",
        Some(StopReason::Timer) => ", by its timer: it was not used for as long as its timeout.",
        Some(StopReason::Credit) => {
            ", because credit ended. Its disk is kept; it can be resumed when there is credit again."
        }
        Some(StopReason::Limit) => {
            ", because your monthly limit was reached. Its disk is kept; it can be resumed when the limit is raised or a new month begins."
        }
        Some(StopReason::Suspended) => ", because the account was suspended.",
        Some(StopReason::Closed) => ", because the account was closed.",
    };
    Some(
        view! { <dt>"Stopped"</dt><dd data-figure="stopped">{format::moment(at)}{why}</dd> }
            .into_any(),
    )
}

/// Every interval as seconds times price. The sum stands below when all of them are on this page.
fn written_out(sandbox: &SandboxRow, list: page::Page<IntervalRow>, is_whole: bool) -> AnyView {
    if list.rows.is_empty() {
        return ().into_any();
    }
    let sum: Ticks = list.rows.iter().map(IntervalRow::cost).sum();
    let sum_name = if is_whole {
        "Cost so far"
    } else {
        "Intervals of this page"
    };
    let exact: Vec<Vec<i128>> = list.rows.iter().map(|row| vec![row.cost().get()]).collect();
    let unit = shown::unit(METERED);
    let together = shown::add_up(&exact, unit);
    let text = |units: i128| {
        Ticks::new(units.saturating_mul(unit))
            .unwrap_or_default()
            .dollars(METERED)
    };
    let costs = together.rows.into_iter().map(&text);
    let rows: Vec<(&IntervalRow, String)> = list.rows.iter().zip(costs).collect();
    let day = |(row, _): &(&IntervalRow, String)| format::day_of(row.started_at);
    let groups = table::by_day(&rows, day, |(row, cost)| {
        interval(row, sandbox.size, cost.clone())
    });
    let heads = vec![
        Head::plain("From (UTC)"),
        Head::plain("Until"),
        Head::text("Seconds times price"),
        Head::main("Cost"),
    ];
    let total = format::figure(sum, text(together.total));
    let foot = view! {
        <tr>
            <th scope="row" colspan="3">{sum_name}</th>
            <td class="table__number table__main" data-total="ticks">{total}</td>
        </tr>
    };
    let path = format!("/sandboxes/{}", sandbox.sandbox_id);
    view! {
        <section class="section" aria-labelledby="intervals">
            <h2 id="intervals">"What it was billed for"</h2>
            <p class="form__note">"Each stretch of running: whole seconds times the price that ruled."</p>
            {table::table("intervals", "Running intervals, newest first", heads, groups, Some(foot.into_any()))}
            {layout::pager(&path, list.next)}
        </section>
    }
    .into_any()
}

fn interval(row: &IntervalRow, size: Size, cost: String) -> AnyView {
    let parts = row.parts.iter().map(
        |part| view! { <div data-ms=part.billed.0.to_string()>{arithmetic(part, size)}</div> },
    );
    let day = format::day_of(row.started_at);
    let until = row
        .ended_at
        .map_or_else(|| "runs".into_any(), |at| format::second_of(at, day));
    view! {
        <tr>
            <th scope="row" class="table__first">{format::second(row.started_at)}</th>
            {table::plain("Until", until)}
            {table::prose("", parts.collect_view())}
            {table::main(format::figure(row.cost(), cost))}
        </tr>
    }
    .into_any()
}

/// `3,600 s × ($0.026 × 1 vCPU + $0.015 × 1 GiB) / 3,600 s = $0.041000`.
fn arithmetic(part: &Part, size: Size) -> String {
    let memory = if size.mem_mib % 1_024 == 0 {
        format!("{}", size.mem_mib / 1_024)
    } else {
        format!("{}/1,024", size.mem_mib)
    };
    format!(
        "{} s × ({} × {} vCPU + {} × {memory} GiB) / 3,600 s = {}",
        grouped(part.billed.0 / 1_000),
        format::price(part.vcpu_hour),
        size.vcpus,
        format::price(part.gib_hour),
        part.cost.dollars(METERED)
    )
}

/// `12,345`.
fn grouped(number: i64) -> String {
    let digits = number.max(0).to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Stretches in which the orchestrator had lost it, and what they gave back.
fn lost(incidents: &[Incident]) -> AnyView {
    if incidents.is_empty() {
        return ().into_any();
    }
    let items = incidents.iter().map(|incident| {
        let back = match incident.grant_id {
            Some(id) => view! { " Given back: "<a href=format!("/credit#grant-{id}")>{format::amount(incident.cost, METERED)}</a>"." }.into_any(),
            None => " Nothing was paid for it, so nothing was given back.".into_any(),
        };
        view! {
            <li>
                {format::receipt(incident.started_at)}" to "{format::receipt(incident.ended_at)}": unreachable, billed "
                {format::duration(incident.billed)}"."{back}
            </li>
        }
    });
    view! {
        <section class="section" aria-labelledby="incidents">
            <h2 id="incidents">"Incidents"</h2>
            <ul>{items.collect_view()}</ul>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::money::MicroDollars;
    use domain::price::BilledMs;

    use super::*;

    #[test]
    fn an_hour_is_written_out() {
        let part = |ms| Part {
            billed: BilledMs(ms),
            vcpu_hour: MicroDollars(26_000),
            gib_hour: MicroDollars(15_000),
            cost: Ticks::new(41_000 * 1_024 * i128::from(ms)).unwrap(),
        };
        let size = |mem_mib| Size { vcpus: 1, mem_mib };
        assert_eq!(
            arithmetic(&part(3_600_000), size(1_024)),
            "3,600 s × ($0.026 × 1 vCPU + $0.015 × 1 GiB) / 3,600 s = $0.041000"
        );
        assert!(arithmetic(&part(1_000), size(700)).contains("× 700/1,024 GiB"));
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
