//! Reads a server-drawn chart aloud, bar by bar, under the pointer or the arrow keys, and goes where a bar leads on Enter.
//! The drawing and the table beside it are complete without it.

use leptos::prelude::*;

/// The line under a chart. `labels` holds one sentence per bucket, in the order of the drawing; `summary` stands there
/// while no bucket is chosen.
#[island]
pub fn ChartReadout(labels: Vec<String>, summary: String) -> impl IntoView {
    let line = NodeRef::<leptos::html::P>::new();
    let chosen = RwSignal::new(None::<usize>);
    let count = labels.len();
    Effect::new(move |_| {
        if let Some(line) = line.get() {
            listen(&line, count, chosen);
        }
    });
    let text = move || {
        chosen
            .get()
            .and_then(|index| labels.get(index).cloned())
            .unwrap_or_else(|| summary.clone())
    };
    view! { <p class="chart__readout" role="status" aria-live="polite" node_ref=line>{text}</p> }
}

/// The bucket that a key leads to; none when the key is not ours.
#[cfg_attr(
    not(any(feature = "hydrate", test)),
    expect(dead_code, reason = "only a browser has keys; tested natively")
)]
fn step(key: &str, chosen: Option<usize>, count: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    match key {
        "ArrowLeft" => Some(chosen.map_or(last, |index| index.saturating_sub(1))),
        "ArrowRight" => Some(chosen.map_or(0, |index| (index + 1).min(last))),
        "Home" => Some(0),
        "End" => Some(last),
        _ => None,
    }
}

#[cfg(feature = "hydrate")]
fn listen(line: &web_sys::HtmlElement, count: usize, chosen: RwSignal<Option<usize>>) {
    use wasm_bindgen::JsCast as _;
    use wasm_bindgen::prelude::{Closure, JsValue};

    let drawing = line
        .closest(".chart")
        .ok()
        .flatten()
        .and_then(|chart| chart.query_selector("svg").ok().flatten());
    let Some(drawing) = drawing else { return };
    let (marked, followed) = (drawing.clone(), drawing.clone());
    let choose = move |index: Option<usize>| {
        if index != chosen.get_untracked() {
            mark(&marked, index);
            chosen.set(index);
        }
    };
    let on_move = choose.clone();
    let moved = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
        let over = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let index = over
            .and_then(|over| over.get_attribute("data-index"))
            .and_then(|index| index.parse().ok());
        if index.is_some() {
            on_move(index);
        }
    });
    let on_leave = choose.clone();
    let left = Closure::<dyn Fn(web_sys::Event)>::new(move |_: web_sys::Event| on_leave(None));
    let pressed =
        Closure::<dyn Fn(web_sys::KeyboardEvent)>::new(move |event: web_sys::KeyboardEvent| {
            let key = event.key();
            if key == "Escape" {
                choose(None);
            } else if key == "Enter" {
                follow(&followed, chosen.get_untracked());
            } else if let Some(index) = step(&key, chosen.get_untracked(), count) {
                event.prevent_default();
                choose(Some(index));
            }
        });
    let _: Result<(), JsValue> = drawing.set_attribute("tabindex", "0");
    for (name, listener) in [
        ("pointerover", moved.as_ref()),
        ("pointerleave", left.as_ref()),
        ("blur", left.as_ref()),
        ("keydown", pressed.as_ref()),
    ] {
        let _: Result<(), JsValue> =
            drawing.add_event_listener_with_callback(name, listener.unchecked_ref());
    }
    // The drawing lives as long as the page, and so do its listeners.
    moved.forget();
    left.forget();
    pressed.forget();
}

/// Moves the mark of the chosen bucket.
#[cfg(feature = "hydrate")]
fn mark(drawing: &web_sys::Element, index: Option<usize>) {
    use wasm_bindgen::prelude::JsValue;

    if let Ok(Some(old)) = drawing.query_selector("[aria-current]") {
        let _: Result<(), JsValue> = old.remove_attribute("aria-current");
    }
    if let Some(target) = find(drawing, ".chart__hit", index) {
        let _: Result<(), JsValue> = target.set_attribute("aria-current", "true");
    }
}

/// Goes where the chosen bucket leads.
#[cfg(feature = "hydrate")]
fn follow(drawing: &web_sys::Element, index: Option<usize>) {
    let href = find(drawing, "a", index).and_then(|link| link.get_attribute("href"));
    if let (Some(href), Some(window)) = (href, web_sys::window()) {
        // Should the browser refuse, the link in the table is still there.
        let _ = window.location().assign(&href);
    }
}

/// What belongs to a bucket.
#[cfg(feature = "hydrate")]
fn find(drawing: &web_sys::Element, kind: &str, index: Option<usize>) -> Option<web_sys::Element> {
    let selector = format!("{kind}[data-index=\"{}\"]", index?);
    drawing.query_selector(&selector).ok().flatten()
}

/// Never called: on the server nobody points.
#[cfg(not(feature = "hydrate"))]
fn listen<T>(_line: &T, _count: usize, _chosen: RwSignal<Option<usize>>) {}

#[cfg(test)]
mod tests {
    use super::step;

    #[test]
    fn keys_walk_and_stop_at_the_ends() {
        assert_eq!(step("ArrowRight", None, 3), Some(0));
        assert_eq!(step("ArrowLeft", None, 3), Some(2));
        assert_eq!(step("ArrowRight", Some(2), 3), Some(2));
        assert_eq!(step("ArrowLeft", Some(0), 3), Some(0));
        assert_eq!(step("End", Some(0), 3), Some(2));
        assert_eq!(step("Home", Some(2), 3), Some(0));
        assert_eq!(step("Tab", Some(2), 3), None);
        assert_eq!(step("End", None, 0), None);
    }
}
