//! E-mail, password, country and what the law and the Terms ask for, on one page.

use backend::Backend;
use domain::ceilings::PASSWORD_CHARS_MIN;
use domain::country::Country;
use leptos::prelude::*;

use crate::action::flash::Flash;
use crate::frame::form::{Field, FormState, checkbox, select, submit};
use crate::frame::layout;

/// `/sign-up`
pub fn view(path: &'static str) -> AnyView {
    layout::public("Sign up", path, body)
}

fn body(backend: &Backend, flash: Option<Flash>) -> AnyView {
    let state = FormState::of(flash.as_ref());
    view! {
        <h1>"Sign up"</h1>
        {state.summary()}
        <p>
            "New accounts receive $50 in free credit. A sandbox costs $0.041 per hour (1 vCPU and 1 GiB), metered per second, "
            "before VAT. No payment method is asked for."
        </p>
        <form class="form" method="post" action="/api/account/sign-up" novalidate>
            {questions(&state)}
            {consents(backend, &state)}
            <div class="form__actions">
                {submit("Sign up")}
                <span class="form__note">"Have an account? "<a href="/sign-in">"Sign in"</a></span>
            </div>
        </form>
    }
    .into_any()
}

fn questions(state: &FormState) -> AnyView {
    let email = Field {
        name: "email",
        label: "E-mail address",
        hint: "A confirmation link goes there.".to_owned(),
        kind: "email",
        autocomplete: "username",
    };
    let hint =
        format!("{PASSWORD_CHARS_MIN} characters or more; a few words you will remember are fine.");
    let password = Field {
        name: "password",
        label: "Password",
        hint,
        kind: "password",
        autocomplete: "new-password",
    };
    (
        email.draw(state),
        password.draw(state),
        select("country", "Country", Country::all(), state),
    )
        .into_any()
}

fn consents(backend: &Backend, state: &FormState) -> AnyView {
    let versions = &backend.settings().documents;
    let accept = |name: &'static str, href: &'static str, title: &'static str, version: &str| {
        let version = format!(", version {version}");
        checkbox(name, view! { "I accept the "<a href=href target="_blank" rel="noopener">{title}</a>{version} }.into_any(), state)
    };
    view! {
        <fieldset class="form__group">
            <legend class="form__legend">"What you agree to"</legend>
            {accept("terms", "https://isorun.ai/terms", "Terms of Service", &versions.terms)}
            {accept("aup", "https://isorun.ai/aup", "Acceptable Use Policy", &versions.aup)}
            {accept("dpa", "https://isorun.ai/dpa", "Data Processing Agreement", &versions.dpa)}
            {checkbox("export_statement", export_statement(), state)}
        </fieldset>
    }
    .into_any()
}

/// In the words of Terms 14.
fn export_statement() -> AnyView {
    "I am not located in, ordinarily resident in, or organised under the laws of any country or region subject to comprehensive \
     sanctions, and I am not on any restricted-party list maintained by the EU, the United Nations, the United Kingdom, or the \
     United States."
        .into_any()
}
