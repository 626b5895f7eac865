//! A tab that comes back after a while is loaded anew, so that nobody acts on figures of this morning; never while something
//! is typed into it. Pages that show a thing once do without this island.

use leptos::prelude::*;

/// Watches for the return of the tab.
#[island]
pub fn FreshTab() -> impl IntoView {
    Effect::new(move |_| watch());
    view! { <span hidden></span> }
}

/// Milliseconds after which a page is old: figures move by the second, and reading one takes a while.
const OLD_MS: i64 = 60_000;

/// Whether a page that comes back is loaded anew. A clock that was set back says nothing about its age.
#[cfg_attr(
    not(any(feature = "hydrate", test)),
    expect(dead_code, reason = "only a browser has tabs; tested natively")
)]
fn is_stale(age_ms: i64, is_typed: bool) -> bool {
    !is_typed && !(0..=OLD_MS).contains(&age_ms)
}

#[cfg(feature = "hydrate")]
fn watch() {
    use std::cell::Cell;
    use std::rc::Rc;

    use wasm_bindgen::JsCast as _;
    use wasm_bindgen::prelude::{Closure, JsValue};

    let drawn = now_ms();
    let is_typed = Rc::new(Cell::new(false));
    let typed = {
        let is_typed = Rc::clone(&is_typed);
        Closure::<dyn Fn()>::new(move || is_typed.set(true))
    };
    let returned = Closure::<dyn Fn()>::new(move || {
        if !document().hidden() && is_stale(now_ms() - drawn, is_typed.get()) {
            drop(window().location().reload());
        }
    });
    let page = document();
    for (name, listener) in [("input", &typed), ("visibilitychange", &returned)] {
        let listener = listener.as_ref().unchecked_ref();
        let _: Result<(), JsValue> = page.add_event_listener_with_callback(name, listener);
    }
    // From the browser's store of left pages it comes back without being loaded.
    let _: Result<(), JsValue> =
        window().add_event_listener_with_callback("pageshow", returned.as_ref().unchecked_ref());
    // The page lives as long as its listeners.
    typed.forget();
    returned.forget();
}

#[cfg(feature = "hydrate")]
fn now_ms() -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the browser's milliseconds are whole, and few enough for 53 bits"
    )]
    let now = js_sys::Date::now() as i64;
    now
}

/// Never called: on the server no tab comes back.
#[cfg(not(feature = "hydrate"))]
fn watch() {}

#[cfg(test)]
mod tests {
    use super::is_stale;

    #[test]
    fn a_minute_makes_a_page_old_and_typing_keeps_it() {
        assert!(!is_stale(59_000, false) && is_stale(61_000, false));
        assert!(!is_stale(3_600_000, true), "what is typed stays");
        assert!(is_stale(-1, false), "the clock was set back");
    }
}
