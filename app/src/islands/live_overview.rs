//! The figures of the overview, kept current while the page is looked at. The page arrives with them complete; this asks
//! for a small JSON every two seconds and replaces the words. What they say is decided by `backend`.

use domain::figures::Figures;
use leptos::prelude::*;

/// Balance, pace and end of credit.
#[island]
pub fn LiveOverview(figures: Figures) -> impl IntoView {
    let stage = figures.stage;
    let now = RwSignal::new(figures);
    let silent = RwSignal::new(false);
    Effect::new(move |_| watch(stage, now, silent));
    let status = move || {
        now.with(|figures| match (silent.get(), figures.stale) {
            (true, _) => format!("Not updated since {}. The dashboard does not answer; it is asked again every 2 seconds.", figures.as_of),
            (false, true) => format!("As of {}. The orchestrator does not answer; usage since then follows when it does.", figures.as_of),
            (false, false) => format!("As of {}.", figures.as_of),
        })
    };
    let first = move || now.with(|figures| figures.first_sandbox.clone());
    view! {
        <div class="live">
            {move || {
                first()
                    .map(|words| {
                        view! {
                            <div class="notice notice--done">
                                <p class="notice__title">"Your first sandbox"</p>
                                <p>{words}</p>
                            </div>
                        }
                    })
            }}
            <div class="figures">
                <div class="figure">
                    <p class="figure__value">
                        <span data-ticks=move || now.with(|figures| figures.balance_ticks.clone()) data-figure="balance">
                            {move || now.with(|figures| coarse(&figures.balance).to_owned())}
                            <span class="figure__fine">{move || now.with(|figures| fine(&figures.balance).to_owned())}</span>
                        </span>
                        <span class="figure__unit">"credit left"</span>
                    </p>
                    <p class="figure__note"><a href="/credit">"Where it goes"</a></p>
                </div>
                <div class="figure">
                    <p class="figure__value">
                        <span data-figure="rate">{move || now.with(|figures| figures.rate_per_hour.clone())}</span>
                        <span class="figure__unit">"/h now"</span>
                    </p>
                    <p class="figure__note">
                        <a href="/sandboxes?state=running" data-figure="running">{move || now.with(|figures| sandboxes(figures.running))}</a>
                    </p>
                </div>
                <div class="figure">
                    <p class="figure__value">
                        <span data-figure="runs-out">{move || now.with(|figures| end(figures).0)}</span>
                        <span class="figure__unit">{move || now.with(|figures| end(figures).1)}</span>
                    </p>
                    <p class="figure__note">
                        <span data-figure="runs-out-note">{move || now.with(|figures| figures.runs_out_note.clone())}</span>
                        " · "
                        <a href="/alerts#limit">"set a limit"</a>
                    </p>
                </div>
            </div>
            <p class="live__status" data-stale=move || (silent.get() || now.with(|figures| figures.stale)).to_string()>
                {status}
            </p>
        </div>
    }
}

fn sandboxes(running: i64) -> String {
    match running {
        0 => "no sandbox running".to_owned(),
        1 => "1 sandbox running".to_owned(),
        more => format!("{more} sandboxes running"),
    }
}

/// Day and time of the end, apart, because only the day is large.
fn end(figures: &Figures) -> (String, String) {
    let end = figures.runs_out.as_str();
    let (day, time) = end.split_once(", ").unwrap_or((end, ""));
    (day.to_owned(), time.to_owned())
}

/// Everything up to whole cents.
fn coarse(amount: &str) -> &str {
    amount.split_at(cents_end(amount)).0
}

/// What lies below a cent.
fn fine(amount: &str) -> &str {
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

/// Asks now and then, only while somebody looks, and never twice at once.
#[cfg(feature = "hydrate")]
fn watch(stage: domain::figures::Stage, now: RwSignal<Figures>, silent: RwSignal<bool>) {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    let asking = Rc::new(Cell::new(false));
    let ask = move || {
        if document().hidden() || asking.replace(true) {
            return;
        }
        let asking = Rc::clone(&asking);
        leptos::task::spawn_local(async move {
            match fetch().await {
                Some(figures) => {
                    if figures.stage > stage {
                        drop(window().location().reload());
                    }
                    silent.set(false);
                    now.set(figures);
                }
                None => silent.set(true),
            }
            asking.set(false);
        });
    };
    // The page lives as long as its timer, so no handle is kept.
    drop(set_interval_with_handle(ask, Duration::from_secs(2)));
}

/// The figures of this moment; none when there is no sound answer. An ended session reloads the page, which then leads
/// to the sign-in form.
#[cfg(feature = "hydrate")]
async fn fetch() -> Option<Figures> {
    use wasm_bindgen::JsCast as _;
    use wasm_bindgen_futures::JsFuture;

    let answer = JsFuture::from(window().fetch_with_str("/live/overview"))
        .await
        .ok()?;
    let answer = answer.dyn_into::<web_sys::Response>().ok()?;
    if answer.status() == 401 {
        drop(window().location().reload());
    }
    let text = JsFuture::from(answer.ok().then(|| answer.text().ok()).flatten()?)
        .await
        .ok()?;
    leptos::serde_json::from_str(&text.as_string()?).ok()
}

/// Never called: on the server nobody watches.
#[cfg(not(feature = "hydrate"))]
fn watch(_stage: domain::figures::Stage, _now: RwSignal<Figures>, _silent: RwSignal<bool>) {}

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
