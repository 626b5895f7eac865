//! Where an account begins: an address, and nothing else. What the law and the Terms ask for is asked once the address has
//! answered.

use backend::Backend;
use domain::act::Act;
use domain::ceilings::SIGN_UP_CREDIT_CENTS;
use domain::money::{Cents, Ticks};
use leptos::prelude::*;

use crate::action::flash::Flash;
use crate::frame::form::{Field, FormState, PostForm, submit};
use crate::frame::{format, layout};

/// `/sign-up`
pub fn view(path: &'static str) -> AnyView {
    layout::public("Sign up", path, body)
}

fn body(_backend: &Backend, flash: Option<Flash>) -> AnyView {
    let state = FormState::of(flash.as_ref());
    let credit = format::whole(Ticks::from_cents(Cents(SIGN_UP_CREDIT_CENTS)));
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
            {format!("New accounts receive {credit} in free credit. Sandboxes are metered per second: ")}
            <a href="/#prices">"prices"</a>". No payment method is asked for."
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
