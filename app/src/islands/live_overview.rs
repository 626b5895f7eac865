//! Keeps the figures of the overview current while the page is looked at. The page arrives with them complete; this asks
//! for a small JSON every two seconds and replaces the words. What they say is decided by `backend`, where they stand by
//! `overview::figures`. An answer that does not come in time is no answer: the page says how old it is and goes on asking.

use domain::figures::Stage;
use leptos::prelude::*;

/// Stands inside the figures it keeps current; `as_of` is the moment they were true for when the page was drawn.
#[island]
pub fn LiveOverview(stage: Stage, as_of: String) -> impl IntoView {
    let here = NodeRef::<leptos::html::Span>::new();
    wake(here, stage, as_of);
    view! { <span hidden node_ref=here></span> }
}

/// Everything up to whole cents.
pub fn coarse(amount: &str) -> &str {
    amount.split_at(cents_end(amount)).0
}

/// What lies below a cent.
pub fn fine(amount: &str) -> &str {
    amount.split_at(cents_end(amount)).1
}

fn cents_end(amount: &str) -> usize {
    let end = amount.find('.').map_or(amount.len(), |point| point + 3);
    if amount.is_char_boundary(end) {
        end
    } else {
        amount.len()
    }
}

/// `3 sandboxes running`.
pub fn running(sandboxes: i64) -> String {
    match sandboxes {
        0 => "no sandbox running".to_owned(),
        1 => "1 sandbox running".to_owned(),
        more => format!("{more} sandboxes running"),
    }
}

/// How current the figures are, in a sentence.
pub fn currency(as_of: &str, stale: bool) -> String {
    if stale {
        format!(
            "As of {as_of}. Usage since then has not arrived here yet and follows. Nothing of it is lost."
        )
    } else {
        format!("As of {as_of}.")
    }
}

/// How often is asked.
#[cfg(feature = "hydrate")]
const EVERY: std::time::Duration = std::time::Duration::from_secs(2);
/// How long an answer may take, its last byte included: long for a phone in a tunnel, short for somebody who watches money.
#[cfg(feature = "hydrate")]
const PATIENCE_MS: u32 = 4_000;

/// Asks now and then, only while somebody looks, and never twice at once. A page that is looked at again asks at once.
#[cfg(feature = "hydrate")]
fn wake(here: NodeRef<leptos::html::Span>, stage: Stage, as_of: String) {
    use super::dom::{listen, within};
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    let true_at = Rc::new(RefCell::new(as_of));
    within(here, ".live", move |live| {
        let (asking, true_at) = (Rc::new(Cell::new(false)), Rc::clone(&true_at));
        let ask = move || {
            if document().hidden() || asking.replace(true) {
                return;
            }
            let (asking, true_at, live) = (Rc::clone(&asking), Rc::clone(&true_at), live.clone());
            leptos::task::spawn_local(async move {
                match fetch().await {
                    Some(figures) if figures.stage > stage => drop(window().location().reload()),
                    Some(figures) => {
                        show(&live, &figures);
                        true_at.replace(figures.as_of);
                    }
                    None => silence(&live, &true_at.borrow()),
                }
                asking.set(false);
            });
        };
        let seen = ask.clone();
        listen(&document(), "visibilitychange", move |_: web_sys::Event| {
            seen();
        });
        let back = ask.clone();
        listen(&window(), "online", move |_: web_sys::Event| back());
        // The page lives as long as its timer, so no handle is kept.
        drop(set_interval_with_handle(ask, EVERY));
    });
}

/// Puts the figures in their places.
#[cfg(feature = "hydrate")]
fn show(live: &web_sys::Element, figures: &domain::figures::Figures) {
    use super::dom::{find, say, set};

    let running = running(figures.running);
    for (name, text) in [
        ("coarse", coarse(&figures.balance)),
        ("fine", fine(&figures.balance)),
        ("rate", &figures.rate_per_hour),
        ("running", &running),
        ("runs-out", &figures.runs_out),
        ("runs-out-at", &figures.runs_out_at),
        ("runs-out-note", &figures.runs_out_note),
    ] {
        if let Some(element) = find(live, &format!("[data-figure={name}]")) {
            say(&element, text);
        }
    }
    if let Some(balance) = find(live, "[data-figure=balance]") {
        set(&balance, "data-ticks", Some(&figures.balance_ticks));
    }
    if let Some(first) = find(live, "[data-figure=first-sandbox]") {
        let hidden = figures.first_sandbox.is_none().then_some("");
        set(&first, "hidden", hidden);
        if let Some(words) = find(&first, "[data-words]") {
            say(&words, figures.first_sandbox.as_deref().unwrap_or_default());
        }
    }
    status(
        live,
        &currency(&figures.as_of, figures.stale),
        figures.stale,
    );
}

/// Says since when nothing came.
#[cfg(feature = "hydrate")]
fn silence(live: &web_sys::Element, as_of: &str) {
    // The day is on the page already, or it is today.
    let (_, time) = as_of.split_once(", ").unwrap_or(("", as_of));
    let said = format!(
        "Not updated since {time}. The dashboard does not answer; it is asked again every 2 seconds."
    );
    status(live, &said, true);
}

#[cfg(feature = "hydrate")]
fn status(live: &web_sys::Element, said: &str, stale: bool) {
    use super::dom::{find, say, set};

    if let Some(line) = find(live, ".live__status") {
        say(&line, said);
        set(
            &line,
            "data-stale",
            Some(if stale { "true" } else { "false" }),
        );
    }
}

/// The figures of this moment; none when there is no sound answer in time. An ended session reloads the page, which then
/// leads to the sign-in form.
#[cfg(feature = "hydrate")]
async fn fetch() -> Option<domain::figures::Figures> {
    use wasm_bindgen::JsCast as _;
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{AbortSignal, RequestInit, Response};

    let limited = RequestInit::new();
    limited.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE_MS)));
    let answer = window().fetch_with_str_and_init("/live/overview", &limited);
    let answer = JsFuture::from(answer).await.ok()?;
    let answer = answer.dyn_into::<Response>().ok()?;
    if answer.status() == 401 {
        drop(window().location().reload());
    }
    let text = answer.ok().then(|| answer.text().ok()).flatten()?;
    let text = JsFuture::from(text).await.ok()?;
    leptos::serde_json::from_str(&text.as_string()?).ok()
}

/// Nothing to wake on the server.
#[cfg(not(feature = "hydrate"))]
fn wake(_here: NodeRef<leptos::html::Span>, _stage: Stage, _as_of: String) {}

#[cfg(test)]
mod tests {
    use super::{coarse, fine};

    #[test]
    fn amounts_split_below_the_cent() {
        for (amount, left, right) in [
            ("$49.998932", "$49.99", "8932"),
            ("$50.00", "$50.00", ""),
            ("$7", "$7", ""),
            ("", "", ""),
            ("$1.2", "$1.2", ""),
            ("$0.0é", "$0.0é", ""),
        ] {
            assert_eq!((coarse(amount), fine(amount)), (left, right));
        }
    }
}
