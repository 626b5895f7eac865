//! The one page that shows a new key. It empties the sealed cookie the key came in, so a reload shows nothing.

use leptos::prelude::*;

use crate::action::sealed::{self, NewKey, Slot};
use crate::frame::layout::{self, Page, Place, Stop, Visit};
use crate::frame::snippet;
use crate::islands::CopyButton;

/// `/keys/created`
pub fn view(place: Place) -> AnyView {
    layout::dashboard(place, read)
}

async fn read(visit: Visit) -> Result<Page, Stop> {
    Ok(match sealed::take::<NewKey>(&visit.backend, Slot::NewKey) {
        Some(key) => Page::new(format!("Key {} created", key.name), shown(&visit, &key)),
        None => Page::new("Key created", gone()),
    })
}

fn shown(visit: &Visit, key: &NewKey) -> AnyView {
    let line = format!("ISORUN_API_KEY={}", key.text);
    let copied = key.text.clone();
    view! {
        <section class="section" aria-labelledby="the-key">
            <h2 id="the-key">"Store it now: it is shown this once"</h2>
            <p>"Only a fingerprint of it is kept here. Lost means revoke it and create another."</p>
            <div class="secret">
                <code class="secret__text" id="new-key">{key.text.clone()}</code>
                <span><CopyButton text=copied what="the key".to_owned()/></span>
            </div>
            {snippet::code(".env", "the line for .env", line)}
            <div class="form__actions"><a class="button button--primary" href="/overview">"I have stored it"</a></div>
        </section>
        <section class="section" aria-labelledby="first-use">
            <h2 id="first-use">"Start a sandbox with it"</h2>
            {snippet::first_sandbox(&visit.backend, &key.text)}
        </section>
    }
    .into_any()
}

fn gone() -> AnyView {
    view! {
        <div class="empty">
            <h2 class="empty__title">"The key was shown and is gone from here"</h2>
            <p>"It stands nowhere on our side. If it was not stored, revoke it in the list and create another."</p>
            <a class="button" href="/keys">"Keys"</a>
        </div>
    }
    .into_any()
}
