//! After a sign-up, the same page whatever happened: a known address gets another mail, not another page. It names an
//! address only when that was typed on the form just sent.

use backend::Backend;
use domain::ceilings::VERIFICATION_HOURS;
use leptos::prelude::*;

use crate::action::flash::Flash;
use crate::frame::layout;

/// `/check-mail`
pub fn view(path: &'static str) -> AnyView {
    layout::public("Check your mail", path, body)
}

fn body(_backend: &Backend, flash: Option<Flash>) -> AnyView {
    let typed = flash
        .map(|flash| flash.kept.get("email").to_owned())
        .filter(|email| !email.is_empty());
    let to = typed.map_or_else(
        || "to the address you typed".into_any(),
        |email| view! { "to "<strong>{email}</strong> }.into_any(),
    );
    view! {
        <h1>"Check your mail"</h1>
        <p>"A mail is on its way "{to}". Open the link in it and press the button there; that opens your account."</p>
        <p>{format!("The link works for {VERIFICATION_HOURS} hours. If nothing arrives within a few minutes, look in the spam folder, or sign up again with the right address.")}</p>
        <p class="form__actions"><a href="/sign-in">"Sign in"</a><a href="/sign-up">"Sign up again"</a></p>
    }
    .into_any()
}
