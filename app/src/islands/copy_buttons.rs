//! Answers every button of the page that copies, and says aloud how it went. One for all of them: a list has fifty.

use leptos::prelude::*;

/// Listens for presses of `[data-copy]` anywhere on the page.
#[island]
pub fn CopyButtons() -> impl IntoView {
    let said = NodeRef::<leptos::html::Span>::new();
    Effect::new(move |_| {
        if let Some(said) = said.get() {
            listen(&said);
        }
    });
    view! { <span class="sr-only" role="status" aria-live="polite" translate="no" node_ref=said></span> }
}

#[cfg(feature = "hydrate")]
fn listen(said: &web_sys::Element) {
    use wasm_bindgen::JsCast as _;
    use wasm_bindgen::prelude::{Closure, JsValue};

    let said = said.clone();
    let pressed = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let button = target.and_then(|target| target.closest("[data-copy]").ok().flatten());
        if let Some(button) = button {
            copy(button, said.clone());
        }
    });
    let _: Result<(), JsValue> =
        document().add_event_listener_with_callback("click", pressed.as_ref().unchecked_ref());
    // The page lives as long as its listener.
    pressed.forget();
}

#[cfg(feature = "hydrate")]
fn copy(button: web_sys::Element, said: web_sys::Element) {
    use wasm_bindgen::JsCast as _;

    let text = button.get_attribute("data-copy").unwrap_or_default();
    // Browsers give no clipboard to pages from a plain http address; reading the property first avoids a throw.
    let navigator = window().navigator();
    let clipboard = js_sys::Reflect::get(navigator.as_ref(), &"clipboard".into());
    let clipboard = clipboard
        .ok()
        .and_then(|value| value.dyn_into::<web_sys::Clipboard>().ok());
    let promise = clipboard.map(|clipboard| clipboard.write_text(&text));
    leptos::task::spawn_local(async move {
        let is_done = match promise {
            Some(promise) => wasm_bindgen_futures::JsFuture::from(promise).await.is_ok(),
            None => false,
        };
        if !is_done {
            said.set_text_content(Some(
                "The browser did not allow copying. Select the text and copy it by hand.",
            ));
            return;
        }
        let what = button.get_attribute("data-what").unwrap_or_default();
        said.set_text_content(Some(&format!("Copied {what}.")));
        let Ok(Some(word)) = button.query_selector("[data-word]") else {
            return;
        };
        word.set_text_content(Some("Copied"));
        let back = move || {
            word.set_text_content(Some("Copy"));
            said.set_text_content(None);
        };
        set_timeout(back, std::time::Duration::from_secs(3));
    });
}

/// Never called: on the server nobody presses.
#[cfg(not(feature = "hydrate"))]
fn listen<T>(_said: &T) {}
