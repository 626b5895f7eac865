//! The figures of the overview that move: what is left, how fast it goes, when it ends. Drawn whole by the server; the
//! island among them replaces what each `data-figure` says.

use domain::figures::Figures;
use leptos::prelude::*;

use crate::islands::{LiveOverview, coarse, currency, fine, running};

/// Balance, pace and end of credit. A translator leaves them alone: words that move would be its words for one moment only.
pub(super) fn view(figures: &Figures) -> AnyView {
    let figures = figures.clone();
    let said = currency(&figures.as_of, figures.stale);
    let is_none = figures.first_sandbox.is_none();
    view! {
        <div class="live" translate="no">
            <div class="notice notice--done" data-figure="first-sandbox" hidden=is_none>
                <p class="notice__title">"Your first sandbox"</p>
                <p data-words="">{figures.first_sandbox.unwrap_or_default()}</p>
            </div>
            <div class="figures figures--live">
                <div class="figure">
                    <p class="figure__label">"Credit left"</p>
                    <p class="figure__value">
                        <span data-ticks=figures.balance_ticks data-figure="balance"><span data-figure="coarse">{coarse(&figures.balance).to_owned()}</span><span class="figure__fine" data-figure="fine">{fine(&figures.balance).to_owned()}</span></span>
                    </p>
                    <p class="figure__note"><a href="/credit">"Where it goes"</a></p>
                </div>
                <div class="figure">
                    <p class="figure__label">"Spending now"</p>
                    <p class="figure__value"><span data-figure="rate">{figures.rate_per_hour}</span><span class="figure__unit">"/h"</span></p>
                    <p class="figure__note"><a href="/sandboxes?state=running" data-figure="running">{running(figures.running)}</a></p>
                </div>
                <div class="figure">
                    <p class="figure__label">"Runs out"</p>
                    <p class="figure__value"><span data-figure="runs-out">{figures.runs_out}</span></p>
                    <p class="figure__note figure__note--two">
                        <span class="figure__moment" data-figure="runs-out-at">{figures.runs_out_at}</span>
                        " "
                        <span data-figure="runs-out-note">{figures.runs_out_note}</span>
                        " · "
                        <a href="/alerts#limit">"set a limit"</a>
                    </p>
                </div>
            </div>
            <p class="live__status" data-stale=figures.stale.to_string()>{said}</p>
            <LiveOverview stage=figures.stage as_of=figures.as_of/>
        </div>
    }
    .into_any()
}
