//! After a sign-up, the same page whatever happened: a known address gets another mail, not another page. It names the address
//! that was typed in this browser, and only there.

use backend::Backend;
use domain::act::Act;
use domain::ceilings::{SIGN_UP_HOURS, SIGN_UP_MAILS_PER_HOUR};
use leptos::prelude::*;

use crate::action::flash::Flash;
use crate::action::sealed::{self, SealedCookie};
use crate::frame::form::{PostForm, submit};
use crate::frame::layout;

/// The address just typed. It outlives a reload, such as that of a phone which comes back from its mails, and no other page is
/// sent it.
pub const ADDRESS: SealedCookie = SealedCookie::new("signing_up", "/check-mail", 3_600);

/// `/check-mail`
pub fn view(path: &'static str) -> AnyView {
    layout::public("Check your mail", path, body)
}

fn body(backend: &Backend, flash: Option<Flash>) -> AnyView {
    let done = flash
        .as_ref()
        .and_then(|flash| layout::done(&flash.outcome));
    let typed = sealed::peek::<String>(backend, &ADDRESS).filter(|email| !email.is_empty());
    let to = typed.clone().map_or_else(
        || "to the address you typed".into_any(),
        |email| view! { "to "<strong>{email}</strong> }.into_any(),
    );
    let again = typed.map(|email| {
        view! {
            <PostForm act=Act::SignUp class="form">
                <input type="hidden" name="email" value=email/>
                <input type="hidden" name="again" value="yes"/>
                <div class="form__actions">{submit("Send again")}</div>
            </PostForm>
        }
    });
    view! {
        <h1>"Check your mail"</h1>
        {done}
        <p>"A mail is on its way "{to}". Its link leads to the page that opens your account."</p>
        <p>{format!("The link works for {SIGN_UP_HOURS} hours. If nothing arrives within a few minutes, look in the spam folder. One address gets at most {SIGN_UP_MAILS_PER_HOUR} of these mails an hour; each of them will do.")}</p>
        {again}
        <p class="form__actions"><a href="/sign-up">"Use another address"</a><a href="/sign-in">"Sign in"</a></p>
    }
    .into_any()
}
