//! What this is, what it costs, and the way in. The signed-in are led to the overview before this runs.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::frame::entrance;

/// `/`
pub fn view(_path: &'static str) -> AnyView {
    let body = view! {
        <Title text="Isorun: sandboxes billed by the second"/>
        <h1>"Isolated Linux machines, billed by the second"</h1>
        <p class="lead">
            "Create a sandbox from any container image with one call, run code in it, fork it, hibernate it, destroy it. "
            "This is the account behind it: keys, usage to the second, and credit to the millionth of a dollar."
        </p>
        <div class="form__actions">
            <a class="button button--primary" href="/sign-up">"Sign up"</a>
            <a class="button" href="/sign-in">"Sign in"</a>
        </div>
        <div class="figures">
            <div class="figure">
                <p class="figure__value">"$50"<span class="figure__unit">"free credit"</span></p>
                <p class="figure__note">"For each new account. It does not expire."</p>
            </div>
            <div class="figure">
                <p class="figure__value">"$0.041"<span class="figure__unit">"/h"</span></p>
                <p class="figure__note">"For a running sandbox of 1 vCPU and 1 GiB, before VAT."</p>
            </div>
            <div class="figure">
                <p class="figure__value">"1 s"<span class="figure__unit">"grain"</span></p>
                <p class="figure__note">"No minimum. Hibernated and destroyed sandboxes cost nothing."</p>
            </div>
        </div>
        <p class="form__note">"Documentation: "<a href="https://docs.isorun.ai">"docs.isorun.ai"</a></p>
    };
    entrance::wide_entrance(body.into_any())
}
