//! E-mail and password. The same words whether or not the address is known.

use backend::Backend;
use domain::act::Act;
use leptos::prelude::*;

use crate::action::flash::Flash;
use crate::frame::form::{Field, FormState, PostForm, submit};
use crate::frame::layout;

/// `/sign-in`
pub fn view(path: &'static str) -> AnyView {
    layout::public("Sign in", path, body)
}

fn body(_backend: &Backend, flash: Option<Flash>) -> AnyView {
    let state = FormState::of(flash.as_ref());
    let done = flash
        .as_ref()
        .and_then(|flash| layout::done(&flash.outcome));
    let email = Field {
        name: "email",
        label: "E-mail address",
        hint: String::new(),
        kind: "email",
        autocomplete: "username",
    };
    let password = Field {
        name: "password",
        label: "Password",
        hint: String::new(),
        kind: "password",
        autocomplete: "current-password",
    };
    view! {
        <h1>"Sign in"</h1>
        {done}
        {state.summary()}
        <PostForm act=Act::SignIn class="form">
            {email.draw(&state)}
            {password.draw(&state)}
            <div class="form__actions">
                {submit("Sign in")}
                <span class="form__note">"New here? "<a href="/sign-up">"Sign up"</a></span>
            </div>
        </PostForm>
        <aside class="beside" aria-labelledby="behind">
            <h2 id="behind">"What is in your account"</h2>
            <dl class="beside__facts">
                <dt>"Overview"</dt>
                <dd>"Credit left, what runs, what it costs per hour, and when the credit ends."</dd>
                <dt>"Usage"</dt>
                <dd>"Every second by key, image, size or sandbox, each cent with its arithmetic."</dd>
                <dt>"Control"</dt>
                <dd>"Keys, a monthly limit, and alerts by mail, webhook or calendar before it is reached."</dd>
            </dl>
            <p class="form__note">"Sandboxes and keys go on as they are while you are signed out. "<a href="https://docs.isorun.ai">"Documentation"</a>" · "<a href="/#prices">"Prices"</a></p>
        </aside>
    }
    .into_any()
}
