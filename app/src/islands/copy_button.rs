//! Copies a text and says so. Stays hidden until scripts run, because without them it could do nothing.

use leptos::prelude::*;

/// How the last press ended: copied, refused by the browser, or none yet.
type Copied = Option<bool>;

/// A button that puts `text` on the clipboard; `what` completes "Copy …" for those who do not see what stands beside it.
#[island]
pub fn CopyButton(text: String, what: String) -> impl IntoView {
    let awake = RwSignal::new(false);
    let copied = RwSignal::new(Copied::None);
    Effect::new(move |_| awake.set(true));
    let said = what.clone();
    let announcement = move || match copied.get() {
        None => String::new(),
        Some(true) => format!("Copied {said}."),
        Some(false) => {
            "The browser did not allow copying. Select the text and copy it by hand.".to_owned()
        }
    };
    view! {
        <button
            type="button"
            class="button button--quiet copy"
            hidden=move || !awake.get()
            on:click=move |_| copy(&text, copied)
        >
            {move || if copied.get() == Some(true) { "Copied" } else { "Copy" }}
            <span class="sr-only">{format!(" {what}")}</span>
        </button>
        <span class="sr-only" role="status" aria-live="polite">{announcement}</span>
    }
}

#[cfg(feature = "hydrate")]
fn copy(text: &str, copied: RwSignal<Copied>) {
    use wasm_bindgen::JsCast as _;

    // Browsers give no clipboard to pages from a plain http address; reading the property first avoids a throw.
    let navigator = window().navigator();
    let clipboard = js_sys::Reflect::get(navigator.as_ref(), &"clipboard".into());
    let Some(clipboard) = clipboard
        .ok()
        .and_then(|value| value.dyn_into::<web_sys::Clipboard>().ok())
    else {
        copied.set(Some(false));
        return;
    };
    let promise = clipboard.write_text(text);
    leptos::task::spawn_local(async move {
        let done = wasm_bindgen_futures::JsFuture::from(promise).await.is_ok();
        copied.set(Some(done));
        if done {
            set_timeout(move || copied.set(None), std::time::Duration::from_secs(3));
        }
    });
}

/// Never called: on the server nobody presses.
#[cfg(not(feature = "hydrate"))]
fn copy(_text: &str, _copied: RwSignal<Copied>) {}
