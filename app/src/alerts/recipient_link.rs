//! The page behind the link in a mail to somebody who shall be told of alerts: agree, or end it. Buttons, because mail
//! scanners follow links and must agree to nothing.

use backend::Backend;
use backend::alerts::recipients;
use domain::act::Act;
use leptos::prelude::*;

use crate::action::sealed::SealedCookie;
use crate::frame::form::{PostForm, submit};
use crate::frame::mailed_link;

/// The token of the link just followed, as text. A quarter of an hour, in which a button is pressed.
pub const TOKEN: SealedCookie = SealedCookie::new("recipient", "/", 900);

/// `/alert-recipient`
pub fn view(path: &'static str) -> AnyView {
    let answered =
        |backend: Backend, token: String| async move { recipients::link(&backend, &token).await };
    mailed_link::view(path, "Alerts of an Isorun account", &TOKEN, answered, act)
}

fn act(agreed: Option<bool>) -> AnyView {
    match agreed {
        Some(false) => view! {
            <p>"Whoever pays for an Isorun account wants its alerts sent to you: when its credit or its monthly limit comes to an end. A few mails a month at most."</p>
            <PostForm act=Act::RecipientAgree class="form">
                <div class="form__actions">{submit("Agree")}</div>
            </PostForm>
        }
        .into_any(),
        Some(true) => view! {
            <p>"Alerts of the account come to your address."</p>
            <PostForm act=Act::RecipientStop class="form">
                <div class="form__actions"><button class="button">"End these mails"</button></div>
            </PostForm>
        }
        .into_any(),
        None => view! {
            <p>"Open the link in the mail to agree to alerts, or to end them. A link that was ended, or is older than two weeks without having been agreed to, opens nothing."</p>
        }
        .into_any(),
    }
}
