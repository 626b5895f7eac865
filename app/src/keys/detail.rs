//! One key, and the form that revokes it.

use backend::keys::{self, KeyRow};
use domain::act::Act;
use domain::id::KeyId;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::list::state_badge;
use crate::frame::copy;
use crate::frame::form::PostForm;
use crate::frame::format;
use crate::frame::layout::{self, Page, Place, Stop, Visit};
use crate::islands::ConfirmDialog;

/// `/keys/{id}`
pub fn view(place: Place) -> AnyView {
    let id = use_params_map()
        .get_untracked()
        .get("id")
        .and_then(|text| text.parse::<KeyId>().ok());
    layout::dashboard(place, move |visit| read(visit, id))
}

async fn read(mut visit: Visit, id: Option<KeyId>) -> Result<Page, Stop> {
    let id = id.ok_or(Stop::NotFound)?;
    let key = keys::get(&mut visit.view, id)
        .await?
        .ok_or(Stop::NotFound)?;
    let may_revoke = key.revoked_at.is_none() && visit.view.actor().is_offered(Act::KeyRevoke);
    let body = (facts(&key), may_revoke.then(|| revoke(&key))).into_any();
    Ok(Page::new(format!("Key {}", key.name), body))
}

fn facts(key: &KeyRow) -> AnyView {
    let revoked = key
        .revoked_at
        .map(|at| view! { <dt>"Revoked"</dt><dd>{format::moment(at)}</dd> });
    view! {
        <section class="section" aria-label="About this key">
            <dl class="facts" data-key=key.key_id.to_string()>
                <dt>"Key"</dt>
                <dd><code translate="no">{key.masked.clone()}</code></dd>
                <dt>"Id"</dt>
                <dd>{copy::id(key.key_id.to_string(), "the id of the key")}</dd>
                <dt>"State"</dt>
                <dd>{state_badge(key)}</dd>
                <dt>"Created"</dt>
                <dd>{format::moment(key.created_at)}{format!(", by {}", key.created_by)}</dd>
                <dt>"Accepted by the orchestrator"</dt>
                <dd>{format::moment_or(key.pushed_at, "not yet")}</dd>
                <dt>"Last used"</dt>
                <dd>{format::moment_or(key.last_used_at, "never")}</dd>
                {revoked}
                <dt>"Cost this month"</dt>
                <dd>{format::money(key.month)}</dd>
            </dl>
        </section>
    }
    .into_any()
}

fn revoke(key: &KeyRow) -> AnyView {
    let text = format!(
        "Programs that use {} are refused within a second. Sandboxes they started keep running. This cannot be undone; create a new key instead.",
        key.name
    );
    let asked = text.clone();
    view! {
        <section class="card" aria-labelledby="revoke">
            <h2 class="card__title" id="revoke">"Revoke this key"</h2>
            <p>{text}</p>
            <PostForm act=Act::KeyRevoke class="card__actions">
                <input type="hidden" name="key_id" value=key.key_id.to_string()/>
                <button class="button button--danger">"Revoke key"</button>
                <ConfirmDialog
                    id="confirm-revoke".to_owned()
                    title=format!("Revoke {}?", key.name)
                    text=asked
                    confirm="Revoke key".to_owned()
                />
            </PostForm>
        </section>
    }
    .into_any()
}
