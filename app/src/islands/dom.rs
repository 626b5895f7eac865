//! How an island reaches the page it stands in: what is around it, what it says there, what it listens to. Every text goes
//! into an element as a whole, so it does not matter what a translator has put inside since.

use leptos::prelude::NodeRef;
use leptos::prelude::{Effect, Get as _};
use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::prelude::{Closure, JsValue};
use wasm_bindgen::{JsCast as _, intern};
use web_sys::{Element, EventTarget};

/// Does something once with the nearest element around an island that answers to `selector`.
pub(super) fn within(
    here: NodeRef<leptos::html::Span>,
    selector: &'static str,
    act: impl Fn(Element) + 'static,
) {
    Effect::new(move |_| {
        if let Some(around) = here
            .get()
            .and_then(|here| here.closest(selector).ok().flatten())
        {
            act(around);
        }
    });
}

/// The first element below another that answers to `selector`.
pub(super) fn find(around: &Element, selector: &str) -> Option<Element> {
    around.query_selector(selector).ok().flatten()
}

/// Lets an element say a text, whatever it held before; nothing is touched when it says so already.
pub(super) fn say(element: &Element, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

/// Sets an attribute, or takes it away.
pub(super) fn set(element: &Element, name: &str, value: Option<&str>) {
    // Only a name that is no name is refused, and these are ours.
    let _: Result<(), JsValue> = match value {
        Some(value) => element.set_attribute(intern(name), value),
        None => element.remove_attribute(intern(name)),
    };
}

/// Calls `act` at each event of that name, as long as the page lives.
pub(super) fn listen<E: FromWasmAbi + 'static>(
    target: &EventTarget,
    name: &str,
    act: impl Fn(E) + 'static,
) {
    let listener = Closure::<dyn Fn(E)>::new(act);
    let _: Result<(), JsValue> =
        target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    // What is listened to lives as long as the page, and so does its listener.
    listener.forget();
}
