//! The list of sandboxes, newest first, by state.

use backend::sandboxes::{self, SandboxRow};
use domain::ceilings::SANDBOXES_SEARCHED_MAX;
use domain::feed::StopReason;
use domain::page;
use domain::sandbox::SandboxState;
use domain::search::Search;
use domain::usage::query;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use time::OffsetDateTime;

use crate::frame::copy;
use crate::frame::format::{self, Decimals};
use crate::frame::layout::{self, Page, Place, Stop, Visit};
use crate::frame::search;
use crate::frame::table::{self, Head};

/// `/sandboxes`
pub fn view(place: Place) -> AnyView {
    let query = use_query_map().get_untracked();
    let state = query
        .get("state")
        .and_then(|word| SandboxState::parse(&word));
    let (search, after) = (search::of(&query), query.get("after"));
    layout::dashboard(place, move |visit| read(visit, state, search, after))
}

async fn read(
    mut visit: Visit,
    state: Option<SandboxState>,
    search: Option<Search>,
    after: Option<String>,
) -> Result<Page, Stop> {
    let search = search.as_ref();
    let list = sandboxes::list(&mut visit.view, state, search, after.as_deref()).await?;
    let kept = state.map(|state| ("state", state.as_str()));
    let field = search::field("/sandboxes", "Id, image or key", search, kept.as_slice());
    let now = visit.backend.clock().now();
    let body = view! {
        <section class="section">
            <div class="controls">{controls(state, search)} {field}</div>
            {rows(list, state, search, now)}
        </section>
    };
    Ok(Page::new("Sandboxes", body.into_any()))
}

/// Where the same list is, with this state and this search.
fn address(state: Option<SandboxState>, search: Option<&Search>) -> String {
    let state = state.map(|state| ("state", state.as_str().to_owned()));
    let search = search.map(|search| ("q", search.as_str().to_owned()));
    let words: Vec<_> = state.into_iter().chain(search).collect();
    query::address("/sandboxes", &words)
}

fn controls(current: Option<SandboxState>, search: Option<&Search>) -> AnyView {
    let choices = [
        (None, "All"),
        (Some(SandboxState::Running), "Running"),
        (Some(SandboxState::Hibernated), "Hibernated"),
        (Some(SandboxState::Destroyed), "Destroyed"),
    ];
    let links = choices.into_iter().map(|(state, name)| {
        let here = (state == current).then_some("page");
        view! { <a href=address(state, search) aria-current=here>{name}</a> }
    });
    view! { <nav aria-label="State"><div class="controls__set">{links.collect_view()}</div></nav> }
        .into_any()
}

fn rows(
    list: page::Page<SandboxRow>,
    state: Option<SandboxState>,
    search: Option<&Search>,
    now: OffsetDateTime,
) -> AnyView {
    if list.rows.is_empty() {
        return empty(state, search);
    }
    (
        table("Sandboxes", &list.rows, now),
        layout::pager(&address(state, search), list.next),
    )
        .into_any()
}

fn empty(state: Option<SandboxState>, search: Option<&Search>) -> AnyView {
    if let Some(search) = search {
        let among = format!(
            "None of the {SANDBOXES_SEARCHED_MAX} newest sandboxes has an id that begins with “{0}”, or “{0}” in its image or in the name of its key. ",
            search.as_str()
        );
        return view! { <p>{among}<a href=address(state, None)>"Show all"</a></p> }.into_any();
    }
    match state {
        Some(state) => view! { <p>{format!("No sandbox is {}.", state.as_str())}</p> }.into_any(),
        None => view! {
            <div class="empty">
                <h2 class="empty__title">"No sandbox yet"</h2>
                <p>"A sandbox shows up here within seconds of its start, with its state, its size and what it has cost."</p>
                <a class="button button--primary" href="/overview">"Start the first one"</a>
            </div>
        }
        .into_any(),
    }
}

/// A table of sandboxes by the day they were created; the overview shows its short list with it too.
pub fn table(caption: &'static str, sandboxes: &[SandboxRow], now: OffsetDateTime) -> AnyView {
    let heads = vec![
        Head::name("Sandbox"),
        Head::plain("State"),
        Head::plain("Size"),
        Head::text("Key"),
        Head::plain("Created (UTC)"),
        Head::figure("Billed"),
        Head::main("Cost"),
    ];
    let costs = Decimals::of(sandboxes.iter().map(|row| row.cost));
    let day = |row: &SandboxRow| format::day_of(row.created_at);
    let groups = table::by_day(sandboxes, day, |sandbox| row(sandbox, costs, now));
    table::table("sandboxes", caption, heads, groups, None)
}

fn row(sandbox: &SandboxRow, costs: Decimals, now: OffsetDateTime) -> AnyView {
    let id = sandbox.sandbox_id.to_string();
    let first = view! { <span class="copy-line">{table::id_link(format!("/sandboxes/{id}"), id.clone())}{copy::button(id.clone(), "the id")}</span> };
    let key = sandbox.key_name.as_deref().unwrap_or("none");
    view! {
        <tr data-sandbox=id>
            {table::name(first, Some(table::image(&sandbox.image)))}
            {table::plain("", view! { {state_badge(sandbox.state)}{why(sandbox)} })}
            {table::plain("", format::size(sandbox.size))}
            {table::text("Key", table::clip(key))}
            {table::plain("Created", format::clock_ago(sandbox.created_at, now))}
            {table::number("Billed", format::duration(sandbox.billed))}
            {table::main(costs.amount(sandbox.cost))}
        </tr>
    }
    .into_any()
}

/// Why it does not run, beside its state: by whom, or because of what.
fn why(sandbox: &SandboxRow) -> Option<AnyView> {
    let why = match sandbox.stop_reason? {
        StopReason::Asked => "by you",
        StopReason::Timer => "by its timer",
        StopReason::Credit => "credit ended",
        StopReason::Limit => "limit reached",
        StopReason::Suspended => "account suspended",
        StopReason::Closed => "account closed",
    };
    Some(view! { " "<span class="form__note" data-why=why>{why}</span> }.into_any())
}

/// The state as a word with a dot.
pub fn state_badge(state: SandboxState) -> AnyView {
    let (class, word) = match state {
        SandboxState::Running => ("badge badge--live", "running"),
        SandboxState::Hibernated => ("badge", "hibernated"),
        SandboxState::Destroyed => ("badge", "destroyed"),
    };
    view! { <span class=class>{word}</span> }.into_any()
}
