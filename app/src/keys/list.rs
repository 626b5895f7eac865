//! The list of keys: who made them, when they were last used, what they cost this month.

use backend::keys::{self, KeyRow};
use domain::act::Act;
use domain::page;
use domain::search::Search;
use domain::usage::query;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::frame::form::FormState;
use crate::frame::format::{self, METERED};
use crate::frame::layout::{self, Page, Place, Stop, Visit};
use crate::frame::search;

/// `/keys`
pub fn view(place: Place) -> AnyView {
    let query = use_query_map().get_untracked();
    let (search, after) = (search::of(&query), query.get("after"));
    layout::dashboard(place, move |visit| read(visit, search, after))
}

async fn read(
    mut visit: Visit,
    search: Option<Search>,
    after: Option<String>,
) -> Result<Page, Stop> {
    let search = search.as_ref();
    let list = keys::list(&mut visit.view, search, after.as_deref()).await?;
    let state = FormState::of(visit.flash.as_ref());
    let is_searched = search.is_some() || !list.rows.is_empty();
    let new =
        visit.view.actor().is_offered(Act::KeyCreate).then(
            || view! { <a class="button button--primary" href="/keys/new">"Create a key"</a> },
        );
    let body = view! {
        {state.summary()}
        <section class="section" aria-labelledby="all-keys">
            <div class="section__head"><h2 id="all-keys">"All keys"</h2>{new}</div>
            {is_searched.then(|| search::field("/keys", "Name, id or last four signs", search, &[]))}
            {rows(list, search)}
        </section>
    };
    Ok(Page::of_form("Keys", &state, body.into_any()))
}

fn rows(list: page::Page<KeyRow>, search: Option<&Search>) -> AnyView {
    if let Some(search) = search.filter(|_| list.rows.is_empty()) {
        let none = format!(
            "No key has “{}” in its name, or an id that begins with it. ",
            search.as_str()
        );
        return view! { <p>{none}<a href="/keys">"Show all"</a></p> }.into_any();
    }
    if list.rows.is_empty() {
        return view! {
            <div class="empty">
                <h2 class="empty__title">"No key yet"</h2>
                <p>"A key lets your programs start sandboxes on this account. It is shown once, when it is created."</p>
            </div>
        }
        .into_any();
    }
    let words = search.map(|search| ("q", search.as_str().to_owned()));
    let path = query::address("/keys", words.as_slice());
    let rows = list.rows.iter().map(row).collect_view();
    view! {
        <div class="scroll" role="region" tabindex="0" aria-label="Keys">
            <table class="table">
                <caption class="sr-only">"Keys"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Key"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Created"</th>
                        <th scope="col">"Last used"</th>
                        <th scope="col" class="table__number">"This month"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {layout::pager(&path, list.next)}
    }
    .into_any()
}

fn row(key: &KeyRow) -> AnyView {
    let href = format!("/keys/{}", key.key_id);
    view! {
        <tr data-key=key.key_id.to_string()>
            <th scope="row"><a href=href>{key.name.clone()}</a><br/><small>{format!("by {}", key.created_by)}</small></th>
            <td><code>{key.masked.clone()}</code></td>
            <td>{state_badge(key)}</td>
            <td>{format::moment(key.created_at)}</td>
            <td>{format::moment_or(key.last_used_at, "never")}</td>
            <td class="table__number">{format::amount(key.month, METERED)}</td>
        </tr>
    }
    .into_any()
}

/// What the key can do now, as the orchestrator knows it.
pub fn state_badge(key: &KeyRow) -> AnyView {
    let (class, word) = match (key.revoked_at, key.pushed_at) {
        (Some(_), _) => ("badge", "revoked"),
        (None, Some(_)) => ("badge badge--live", "works"),
        (None, None) => ("badge badge--soon", "being registered"),
    };
    view! { <span class=class>{word}</span> }.into_any()
}
