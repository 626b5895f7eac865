//! Where an account begins: an address, and nothing else. What the law and the Terms ask for is asked once the address has
//! answered.

use backend::Backend;
use domain::act::Act;
use leptos::prelude::*;

use crate::action::flash::Flash;
use crate::frame::form::{Field, FormState, PostForm, submit};
use crate::frame::layout;

/// `/sign-up`
pub fn view(path: &'static str) -> AnyView {
    layout::public("Sign up", path, body)
}

fn body(_backend: &Backend, flash: Option<Flash>) -> AnyView {
    let state = FormState::of(flash.as_ref());
    let email = Field {
        name: "email",
        label: "E-mail address",
        hint: "A link goes there. It leads to a password, your country and the Terms, and opens your account.".to_owned(),
        kind: "email",
        autocomplete: "email",
    };
    view! {
        <h1>"Sign up"</h1>
        {state.summary()}
        <p>
            "New accounts receive $50 in free credit. A sandbox costs $0.041 per hour (1 vCPU and 1 GiB), metered per second, "
            "before VAT. No payment method is asked for."
        </p>
        <PostForm act=Act::SignUp class="form">
            {email.draw(&state)}
            <div class="form__actions">
                {submit("Sign up")}
                <span class="form__note">"Have an account? "<a href="/sign-in">"Sign in"</a></span>
            </div>
        </PostForm>
    }
    .into_any()
}
