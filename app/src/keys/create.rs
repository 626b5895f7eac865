//! The form that creates a key; for whose role may not create one, who may.

use domain::act::{Act, Denial};
use domain::ceilings::KEY_NAME_CHARS_MAX;
use leptos::prelude::*;

use crate::action::denial;
use crate::frame::form::{Field, FormState, PostForm, submit};
use crate::frame::layout::{self, Page, Place, Stop, Visit};

/// `/keys/new`
pub fn view(place: Place) -> AnyView {
    layout::dashboard(place, read)
}

async fn read(visit: Visit) -> Result<Page, Stop> {
    let state = FormState::of(visit.flash.as_ref());
    let actor = visit.view.actor();
    let body = if actor.is_offered(Act::KeyCreate) {
        form(&state)
    } else {
        refusal()
    };
    let body = view! { {state.summary()} {body} };
    Ok(Page::of_form("Create a key", &state, body.into_any()))
}

fn form(state: &FormState) -> AnyView {
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
    view! {
        <section class="section" aria-label="New key">
            <PostForm act=Act::KeyCreate class="form">
                {name.draw(state)}
                <p class="form__note">"The key starts sandboxes on this account and spends its credit. The next page shows it, once."</p>
                <div class="form__actions">{submit("Create key")}<a href="/keys">"Cancel"</a></div>
            </PostForm>
        </section>
    }
    .into_any()
}

/// A form that is always refused is none.
fn refusal() -> AnyView {
    let sentence = denial::sentence(Denial::Forbidden(Act::KeyCreate));
    view! {
        <div class="empty">
            <p>{sentence}</p>
            <a class="button" href="/keys">"Keys"</a>
        </div>
    }
    .into_any()
}
