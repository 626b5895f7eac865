//! Reads a server-drawn chart aloud, bar by bar, under the pointer or the arrow keys, and goes where a bar leads on Enter.
//! The drawing and the table beside it are complete without it.

use leptos::prelude::*;

/// The line under a chart. `labels` holds one sentence per bucket, in the order of the drawing; `summary` stands there
/// while no bucket is chosen. The longest sentence keeps its room from the start, so that pointing at a bar moves nothing.
#[component]
pub fn ChartReadout(labels: Vec<String>, summary: String) -> impl IntoView {
    let longest = labels.iter().chain([&summary]);
    let longest = longest.max_by_key(|label| label.chars().count());
    let longest = longest.cloned().unwrap_or_default();
    view! {
        <div class="chart__reading" translate="no">
            <p class="chart__readout" role="status" aria-live="polite">{summary.clone()}</p>
            <p class="chart__reserve" aria-hidden="true">{longest}</p>
            <Reading labels summary/>
        </div>
    }
}

/// Wakes the line around it and the drawing above.
#[island]
fn Reading(labels: Vec<String>, summary: String) -> impl IntoView {
    let here = NodeRef::<leptos::html::Span>::new();
    wake(here, labels, summary);
    view! { <span hidden node_ref=here></span> }
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
fn wake(here: NodeRef<leptos::html::Span>, labels: Vec<String>, summary: String) {
    use super::dom::{find, say, within};
    use std::cell::Cell;
    use std::rc::Rc;

    let count = labels.len();
    let words = Rc::new((labels, summary));
    within(here, ".chart", move |chart| {
        let (Some(drawing), Some(line)) = (find(&chart, "svg"), find(&chart, ".chart__readout"))
        else {
            return;
        };
        let chosen = Rc::new(Cell::new(None));
        let (words, kept, marked) = (Rc::clone(&words), Rc::clone(&chosen), drawing.clone());
        let choose = Rc::new(move |index: Option<usize>| {
            if kept.replace(index) != index {
                mark(&marked, index);
                let label = index.and_then(|index| words.0.get(index));
                say(&line, label.unwrap_or(&words.1));
            }
        });
        point(&drawing, &choose);
        walk(&drawing, &choose, &chosen, count);
    });
}

/// Follows the pointer.
#[cfg(feature = "hydrate")]
fn point(drawing: &web_sys::Element, choose: &std::rc::Rc<impl Fn(Option<usize>) + 'static>) {
    use super::dom::listen;
    use std::rc::Rc;
    use wasm_bindgen::JsCast as _;
    use web_sys::Event;

    let over = Rc::clone(choose);
    listen(drawing, "pointerover", move |event: Event| {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let index = target
            .and_then(|over| over.get_attribute("data-index"))
            .and_then(|index| index.parse().ok());
        if index.is_some() {
            over(index);
        }
    });
    for name in ["pointerleave", "blur"] {
        let left = Rc::clone(choose);
        listen(drawing, name, move |_: Event| left(None));
    }
}

/// Follows the keys.
#[cfg(feature = "hydrate")]
fn walk(
    drawing: &web_sys::Element,
    choose: &std::rc::Rc<impl Fn(Option<usize>) + 'static>,
    chosen: &std::rc::Rc<std::cell::Cell<Option<usize>>>,
    count: usize,
) {
    use super::dom::{listen, set};
    use std::rc::Rc;

    let (choose, chosen, followed) = (Rc::clone(choose), Rc::clone(chosen), drawing.clone());
    listen(drawing, "keydown", move |event: web_sys::KeyboardEvent| {
        let key = event.key();
        if key == "Escape" {
            choose(None);
        } else if key == "Enter" {
            follow(&followed, chosen.get());
        } else if let Some(index) = step(&key, chosen.get(), count) {
            event.prevent_default();
            choose(Some(index));
        }
    });
    set(drawing, "tabindex", Some("0"));
}

/// Moves the mark of the chosen bucket.
#[cfg(feature = "hydrate")]
fn mark(drawing: &web_sys::Element, index: Option<usize>) {
    use super::dom::{find, set};

    if let Some(old) = find(drawing, "[aria-current]") {
        set(&old, "aria-current", None);
    }
    if let Some(target) = of_bucket(drawing, ".chart__hit", index) {
        set(&target, "aria-current", Some("true"));
    }
}

/// Goes where the chosen bucket leads.
#[cfg(feature = "hydrate")]
fn follow(drawing: &web_sys::Element, index: Option<usize>) {
    let href = of_bucket(drawing, "a", index).and_then(|link| link.get_attribute("href"));
    if let (Some(href), Some(window)) = (href, web_sys::window()) {
        // Should the browser refuse, the link in the table is still there.
        let _ = window.location().assign(&href);
    }
}

/// What belongs to a bucket.
#[cfg(feature = "hydrate")]
fn of_bucket(
    drawing: &web_sys::Element,
    kind: &str,
    index: Option<usize>,
) -> Option<web_sys::Element> {
    super::dom::find(drawing, &format!("{kind}[data-index=\"{}\"]", index?))
}

/// Nothing to wake on the server.
#[cfg(not(feature = "hydrate"))]
fn wake(_here: NodeRef<leptos::html::Span>, _labels: Vec<String>, _summary: String) {}

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
