//! Waste: sandboxes that were billed and hardly used their processors, what they cost, and a shorter timer for those that
//! still run.

use backend::sandboxes::waste::{self, Group, IdleRow, Kind, Waste};
use domain::act::Act;
use domain::ceilings::{SANDBOX_TIMEOUT_MINUTES, WASTE_ROWS_MAX};
use domain::page;
use domain::sandbox::SandboxState;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::list::state_badge;
use crate::frame::ask::ask;
use crate::frame::form::{FormState, PostForm};
use crate::frame::format::{self, Decimals};
use crate::frame::layout::{self, Page, Place, Stop, Visit};
use crate::frame::table::{self, Head};

/// `/waste`
pub fn view(place: Place) -> AnyView {
    let after = use_query_map().get_untracked().get("after");
    layout::dashboard(place, move |visit| read(visit, after))
}

async fn read(mut visit: Visit, after: Option<String>) -> Result<Page, Stop> {
    let state = FormState::of(visit.flash.as_ref());
    let waste = waste::read(&mut visit.view, after.as_deref()).await?;
    let may_command = visit.view.actor().is_offered(Act::SandboxSetTimeout);
    let body = view! {
        {state.summary()}
        {layout::feed_notice(&waste.feed)}
        <section class="section" aria-label="Waste">
            <p class="lead">"Sandboxes that used one percent of their processors or less, billed for ten minutes or more, in the last 30 days. Where processor time is not known, nothing is counted."</p>
            {figures(&waste)}
        </section>
        {found(waste, may_command)}
    };
    Ok(Page::of_form("Waste", &state, body.into_any()))
}

fn figures(waste: &Waste) -> AnyView {
    let sandboxes = if waste.sandboxes == 1 {
        "1 sandbox".to_owned()
    } else {
        format!("{} sandboxes", waste.sandboxes)
    };
    view! {
        <div class="figures">
            <div class="figure">
                <p class="figure__value" data-figure="waste">{format::headline(waste.cost)}</p>
                <p class="figure__note">"would have been saved, had they stopped when their work did"</p>
            </div>
            <div class="figure">
                <p class="figure__value">{sandboxes}</p>
                <p class="figure__note">{format::duration(waste.billed)}" billed"</p>
            </div>
        </div>
    }
    .into_any()
}

fn found(waste: Waste, may_command: bool) -> AnyView {
    if waste.sandboxes == 0 {
        return view! { <p>"Nothing idled. This page is read from the processor time of each sandbox."</p> }.into_any();
    }
    let cut = waste.is_cut.then(|| {
        view! { <p class="form__note">{format!("Only the last {WASTE_ROWS_MAX} that came into question were looked at.")}</p> }
    });
    let runs = waste
        .rows
        .rows
        .iter()
        .any(|row| row.state == SandboxState::Running);
    let warning = (runs && may_command).then(|| {
        view! { <p class="form__note">"A timer destroys its sandbox when it ends, with everything on its disk, unless the sandbox is used before. It can be set again until then."</p> }
    });
    view! {
        <section class="section" aria-labelledby="by-key">
            <h2 id="by-key">"By key"</h2>
            {groups("Key", &waste.by_key)}
        </section>
        <section class="section" aria-labelledby="by-image">
            <h2 id="by-image">"By image"</h2>
            {groups("Image", &waste.by_image)}
        </section>
        <section class="section" aria-labelledby="idle">
            <h2 id="idle">"Sandboxes"</h2>
            {warning}
            {cut}
            {list(waste.rows, may_command)}
        </section>
        {layout::as_of(&waste.feed)}
    }
    .into_any()
}

fn groups(name: &'static str, groups: &[Group]) -> AnyView {
    let heads = vec![
        Head::name(name),
        Head::figure("Sandboxes"),
        Head::figure("Billed"),
        Head::main("Cost"),
    ];
    let costs = Decimals::of(groups.iter().map(|group| group.cost));
    let rows = groups.iter().map(|group| {
        view! {
            <tr>
                {table::name(kind(&group.kind), None)}
                {table::number("Sandboxes", group.sandboxes)}
                {table::number("Billed", format::duration(group.billed))}
                {table::main(costs.amount(group.cost))}
            </tr>
        }
    });
    let label = format!("Waste by {}", name.to_lowercase());
    let rows = table::plain_group(rows.collect_view());
    table::table("waste", label, heads, rows, None)
}

fn kind(kind: &Kind) -> AnyView {
    match kind {
        Kind::Key(id, name) => table::clip_link(format!("/keys/{id}"), name.clone()),
        Kind::NoKey => "no key".into_any(),
        Kind::Image(name) => table::image(name),
        Kind::Others(1) => "1 other".into_any(),
        Kind::Others(count) => format!("{count} others").into_any(),
    }
}

fn list(list: page::Page<IdleRow>, may_command: bool) -> AnyView {
    let heads = vec![
        Head::name("Sandbox"),
        Head::plain("State"),
        Head::plain("Size"),
        Head::text("Key"),
        Head::figure("Processors used"),
        Head::figure("Billed"),
        Head::main("Cost"),
        Head::plain("Destroy after"),
    ];
    let costs = Decimals::of(list.rows.iter().map(|row| row.cost));
    let rows = list.rows.iter().map(|row| idle(row, costs, may_command));
    let rows = table::plain_group(rows.collect_view());
    (
        table::table(
            "idle",
            "Idle sandboxes, the dearest first",
            heads,
            rows,
            None,
        ),
        layout::pager("/waste", list.next),
    )
        .into_any()
}

fn idle(row: &IdleRow, costs: Decimals, may_command: bool) -> AnyView {
    let id = row.sandbox_id.to_string();
    let first = table::id_link(format!("/sandboxes/{id}"), id.clone());
    let key = match (row.key_id, row.key_name.clone()) {
        (Some(key_id), Some(name)) => table::clip_link(format!("/keys/{key_id}"), name),
        _ => "none".into_any(),
    };
    let timer = (may_command && row.state == SandboxState::Running).then(|| timer(&id));
    let used = format!(
        "{}.{:02} %",
        row.used_hundredths / 100,
        row.used_hundredths % 100
    );
    view! {
        <tr data-sandbox=id>
            {table::name(first, Some(table::image(&row.image)))}
            {table::plain("", state_badge(row.state))}
            {table::plain("", format::size(row.size))}
            {table::text("Key", key)}
            {table::number("Processors used", used)}
            {table::number("Billed", format::duration(row.billed))}
            {table::main(costs.amount(row.cost))}
            {table::plain("Destroy after", timer)}
        </tr>
    }
    .into_any()
}

/// Asked about first, then one click each. The words beside a button are for those who do not see the row.
fn timer(id: &str) -> AnyView {
    let short: String = id.chars().take(7).collect();
    let (what, name) = (short.clone(), short.clone());
    let buttons = SANDBOX_TIMEOUT_MINUTES.into_iter().map(|minutes| {
        view! {
            <button class="button button--danger" name="minutes" value=minutes.to_string()>
                {format!("{minutes} min")}
                <span class="sr-only">{format!(": destroy {short}… then")}</span>
            </button>
        }
    });
    let form = view! {
        <PostForm act=Act::SandboxSetTimeout class="timer">
            <input type="hidden" name="sandbox_id" value=id.to_owned()/>
            {buttons.collect_view()}
        </PostForm>
    };
    let label = view! { "Destroy…"<span class="sr-only">{format!(" {name}…")}</span> };
    let follows = view! { <code>{what}"…"</code>" and its disk are gone when the timer ends, unless it is used before. In" };
    ask(label.into_any(), follows.into_any(), form.into_any())
}
