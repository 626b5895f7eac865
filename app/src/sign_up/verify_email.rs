//! The button that confirms an address. A button, because mail scanners follow links and must confirm nothing.

use backend::Backend;
use leptos::prelude::*;

use crate::action::flash::Flash;
use crate::action::sealed::{self, SealedCookie};
use crate::frame::form::{FormState, submit};
use crate::frame::layout;

/// The token of the link just followed, as text. A quarter of an hour, in which the button is pressed.
pub const TOKEN: SealedCookie = SealedCookie::new("verification", "/", 900);

/// `/verify-email`
pub fn view(path: &'static str) -> AnyView {
    layout::public("Confirm your address", path, body)
}

fn body(backend: &Backend, flash: Option<Flash>) -> AnyView {
    let state = FormState::of(flash.as_ref());
    let has_link = sealed::peek::<String>(backend, &TOKEN).is_some();
    let act = if has_link {
        view! {
            <p>"One press confirms your e-mail address, opens your account and signs you in."</p>
            <form class="form" method="post" action="/api/account/verify-email">
                <div class="form__actions">{submit("Confirm address")}</div>
            </form>
        }
        .into_any()
    } else {
        view! {
            <p>"Open the link in the mail again: it leads to the button that belongs here. Without it there is nothing to confirm."</p>
            <p class="form__actions"><a href="/sign-in">"Sign in"</a></p>
        }
        .into_any()
    };
    view! { <h1>"Confirm your address"</h1> {state.summary()} {act} }.into_any()
}
