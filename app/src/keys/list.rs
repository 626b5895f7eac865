//! The list of keys: who made them, when they were last used, what they cost this month.

use backend::keys::{self, KeyRow};
use domain::act::Act;
use domain::page;
use domain::search::Search;
use domain::usage::query;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use time::OffsetDateTime;

use crate::frame::form::FormState;
use crate::frame::format::{self, Decimals};
use crate::frame::layout::{self, Page, Place, Stop, Visit};
use crate::frame::search;
use crate::frame::table::{self, Head};

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
            {rows(list, search, visit.backend.clock().now())}
        </section>
    };
    Ok(Page::of_form("Keys", &state, body.into_any()))
}

fn rows(list: page::Page<KeyRow>, search: Option<&Search>, now: OffsetDateTime) -> AnyView {
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
    let heads = vec![
        Head::name("Name"),
        Head::plain("Key"),
        Head::plain("State"),
        Head::plain("Created (UTC)"),
        Head::plain("Last used (UTC)"),
        Head::main("This month"),
    ];
    let months = Decimals::of(list.rows.iter().map(|key| key.month));
    let rows = list.rows.iter().map(|key| row(key, months, now));
    let rows = table::plain_group(rows.collect_view());
    (
        table::table("keys", "Keys", heads, rows, None),
        layout::pager(&path, list.next),
    )
        .into_any()
}

fn row(key: &KeyRow, months: Decimals, now: OffsetDateTime) -> AnyView {
    let first = table::clip_link(format!("/keys/{}", key.key_id), key.name.clone());
    let by = table::clip(format!("by {}", key.created_by));
    let used = key
        .last_used_at
        .map_or_else(|| "never".into_any(), |at| format::when(at, now));
    view! {
        <tr data-key=key.key_id.to_string()>
            {table::name(first, Some(by))}
            {table::plain("", view! { <code translate="no">{key.masked.clone()}</code> })}
            {table::plain("", state_badge(key))}
            {table::plain("Created", format::when(key.created_at, now))}
            {table::plain("Last used", used)}
            {table::main(months.amount(key.month))}
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
