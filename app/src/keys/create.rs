//! The form that creates a key.

use domain::ceilings::KEY_NAME_CHARS_MAX;
use leptos::prelude::*;

use crate::frame::form::{Field, FormState, submit};
use crate::frame::layout::{self, Page, Place, Stop, Visit};

/// `/keys/new`
pub fn view(place: Place) -> AnyView {
    layout::dashboard(place, read)
}

async fn read(visit: Visit) -> Result<Page, Stop> {
    let state = FormState::of(visit.flash.as_ref());
    let hint = format!(
        "Where it will be used, such as ci or laptop. {KEY_NAME_CHARS_MAX} characters at most."
    );
    let name = Field {
        name: "name",
        label: "Name",
        hint,
        kind: "text",
        autocomplete: "off",
    };
    let unverified = (!visit.view.actor().is_verified()).then(|| {
        let text = view! { "Keys are made only for confirmed addresses. "<a href="/settings">"Send the mail again"</a> };
        layout::notice("notice notice--soon", "Confirm your address first", text.into_any())
    });
    let body = view! {
        {state.summary()}
        {unverified}
        <section class="section" aria-label="New key">
            <form class="form" method="post" action="/api/key/create" novalidate>
                {name.draw(&state)}
                <p class="form__note">"The key starts sandboxes on this account and spends its credit. The next page shows it, once."</p>
                <div class="form__actions">{submit("Create key")}<a href="/keys">"Cancel"</a></div>
            </form>
        </section>
    };
    Ok(Page::of_form("Create a key", &state, body.into_any()))
}
