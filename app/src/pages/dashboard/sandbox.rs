//! One sandbox: what it is, where it came from, what it has cost.

use backend::service::sandboxes::{self, SandboxRow};
use domain::sandbox::{SandboxId, SandboxState};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::sandboxes::state_badge;
use crate::pages::format::{self, METERED};
use crate::pages::layout::{self, Page, Section, Stop, Visit};

/// `/sandboxes/{id}`
pub fn view() -> AnyView {
    let id = use_params_map()
        .get_untracked()
        .get("id")
        .and_then(|text| SandboxId::parse(&text));
    layout::dashboard(Section::Sandboxes, "/sandboxes/", move |visit| {
        read(visit, id)
    })
}

async fn read(visit: Visit, id: Option<SandboxId>) -> Result<Page, Stop> {
    let id = id.ok_or(Stop::NotFound)?;
    let sandbox = sandboxes::get(&visit.backend, &visit.actor, &id)
        .await?
        .ok_or(Stop::NotFound)?;
    Ok(Page::new(
        format!("Sandbox {}", sandbox.sandbox_id),
        body(&sandbox),
    ))
}

fn body(sandbox: &SandboxRow) -> AnyView {
    let parent = sandbox.parent_id.as_ref().map(|parent| {
        let href = format!("/sandboxes/{parent}");
        view! { <dt>"Forked from"</dt><dd><a href=href><code>{parent.to_string()}</code></a></dd> }
    });
    let key = match (sandbox.key_id, sandbox.key_name.clone()) {
        (Some(key_id), Some(name)) => {
            view! { <a href=format!("/keys/{key_id}")>{name}</a> }.into_any()
        }
        _ => "none".into_any(),
    };
    let destroyed = sandbox
        .destroyed_at
        .map(|at| view! { <dt>"Destroyed"</dt><dd>{format::moment(at)}</dd> });
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
                <dd>{format::moment(sandbox.created_at)}</dd>
                {destroyed}
                <dt>"Billed time"</dt>
                <dd>{format::duration(sandbox.billed)}</dd>
                <dt>"Cost so far"</dt>
                <dd>{format::amount(sandbox.cost, METERED)}</dd>
                <dt>{pace}</dt>
                <dd><span data-ticks=sandbox.per_hour.to_string()>{format::per_hour(sandbox.per_hour)}</span></dd>
            </dl>
        </section>
    }
    .into_any()
}
