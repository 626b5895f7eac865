//! What the keyboard and a press elsewhere do to the frame: `/` leads to the search of the page, Esc and a press outside
//! close an open menu. Links, menus and search work without it.

use leptos::prelude::*;

/// Listens on the whole page.
#[island]
pub fn Shortcuts() -> impl IntoView {
    Effect::new(move |_| listen());
    view! { <span hidden></span> }
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// The field that searches the page's list.
    Search,
    /// Close what is open.
    Close,
}

/// Nothing while somebody types, except that Esc always closes; and no key that the browser or the system has taken.
#[cfg_attr(
    not(any(feature = "hydrate", test)),
    expect(dead_code, reason = "only a browser has keys; tested natively")
)]
fn asked(key: &str, is_typing: bool, has_modifier: bool) -> Option<Asked> {
    match (key, is_typing, has_modifier) {
        ("Escape", _, false) => Some(Asked::Close),
        ("/", false, false) => Some(Asked::Search),
        _ => None,
    }
}

/// Menus that close by themselves.
#[cfg(feature = "hydrate")]
const OPEN_MENUS: &str = "details[data-menu][open]";

#[cfg(feature = "hydrate")]
fn listen() {
    use wasm_bindgen::JsCast as _;
    use wasm_bindgen::prelude::{Closure, JsValue};

    let pressed =
        Closure::<dyn Fn(web_sys::KeyboardEvent)>::new(move |event: web_sys::KeyboardEvent| {
            let has_modifier = event.ctrl_key() || event.meta_key() || event.alt_key();
            match asked(&event.key(), is_typing(&event), has_modifier) {
                Some(Asked::Search) => {
                    if let Some(field) = find("[data-search]") {
                        event.prevent_default();
                        let _: Result<(), JsValue> = field.focus();
                    }
                }
                Some(Asked::Close) => close(None),
                None => {}
            }
        });
    let pointed = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
        let at = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        close(at.as_ref());
    });
    let page = document();
    for (name, listener) in [
        ("keydown", pressed.as_ref()),
        ("pointerdown", pointed.as_ref()),
    ] {
        let _: Result<(), JsValue> =
            page.add_event_listener_with_callback(name, listener.unchecked_ref());
    }
    // The page lives as long as its listeners.
    pressed.forget();
    pointed.forget();
}

#[cfg(feature = "hydrate")]
fn is_typing(event: &web_sys::KeyboardEvent) -> bool {
    use wasm_bindgen::JsCast as _;

    let at = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    at.is_some_and(|at| {
        at.matches("input, textarea, select, [contenteditable]")
            .unwrap_or(false)
    })
}

#[cfg(feature = "hydrate")]
fn find(selector: &str) -> Option<web_sys::HtmlElement> {
    use wasm_bindgen::JsCast as _;

    let found = document().query_selector(selector).ok().flatten()?;
    found.dyn_into().ok()
}

/// Closes open menus but the one around `at`; the focus goes back to what opened the menu, if it was inside.
#[cfg(feature = "hydrate")]
fn close(at: Option<&web_sys::Element>) {
    use wasm_bindgen::JsCast as _;
    use wasm_bindgen::prelude::JsValue;

    // One at a time: there are two in all, and each pass closes one or ends.
    while let Some(menu) = find(OPEN_MENUS) {
        if at.is_some_and(|at| menu.contains(Some(at))) {
            return;
        }
        let focused = document().active_element();
        let _: Result<(), JsValue> = menu.remove_attribute("open");
        let opener = menu.query_selector("summary").ok().flatten();
        let opener = opener.and_then(|opener| opener.dyn_into::<web_sys::HtmlElement>().ok());
        if let Some(opener) =
            opener.filter(|_| focused.is_some_and(|focused| menu.contains(Some(&focused))))
        {
            let _: Result<(), JsValue> = opener.focus();
        }
    }
}

/// Never called: on the server nobody presses.
#[cfg(not(feature = "hydrate"))]
fn listen() {}

#[cfg(test)]
mod tests {
    use super::{Asked, asked};

    #[test]
    fn keys_are_left_to_whoever_types() {
        assert_eq!(asked("/", false, false), Some(Asked::Search));
        assert_eq!(asked("/", true, false), None);
        assert_eq!(asked("/", false, true), None);
        assert_eq!(asked("Escape", true, false), Some(Asked::Close));
        assert_eq!(asked("Escape", false, true), None);
        assert_eq!(asked("a", false, false), None);
    }
}
