//! The page behind the link in a mail to somebody who shall be told of alerts: agree, or end it. Buttons, because mail
//! scanners follow links and must agree to nothing.

use backend::alerts::recipients;
use backend::failure::Failure;
use domain::act::Act;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::action::sealed::{self, SealedCookie};
use crate::action::{context, flash};
use crate::frame::dead_end::{self, DeadEnd};
use crate::frame::form::{FormState, PostForm, submit};
use crate::frame::{entrance, layout};

/// The token of the link just followed, as text. A quarter of an hour, in which a button is pressed.
pub const TOKEN: SealedCookie = SealedCookie::new("recipient", "/", 900);

/// `/alert-recipient`
pub fn view(path: &'static str) -> AnyView {
    Suspend::new(async move {
        let Ok(backend) = context::backend() else {
            return dead_end::view(DeadEnd::Broken);
        };
        let flash = flash::take(&backend, path);
        let state = FormState::of(flash.as_ref());
        let token: Option<String> = sealed::peek(&backend, &TOKEN);
        let agreed = match token {
            None => None,
            Some(token) => match recipients::link(&backend, &token).await {
                Ok(agreed) => Some(agreed),
                Err(Failure::Refused(_) | Failure::Denied(_)) => None,
                Err(Failure::Broken(cause)) => {
                    context::broken(&cause);
                    return dead_end::view(DeadEnd::Unavailable);
                }
            },
        };
        let said = flash
            .as_ref()
            .and_then(|flash| layout::done(&flash.outcome));
        let title = state.title("Alerts of an Isorun account");
        let body = view! {
            <h1>"Alerts of an Isorun account"</h1>
            {said}
            {state.summary()}
            {act(agreed)}
        };
        view! { <Title text=format!("{title} · Isorun")/> {entrance::entrance(body.into_any())} }
            .into_any()
    })
    .into_any()
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
