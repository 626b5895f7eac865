//! The page behind the link "never write to me again" in a mail that an account had sent to somebody: refuse such mail, or
//! allow it again. Buttons, because mail scanners follow links and must refuse nothing.

use backend::failure::Failure;
use backend::targets;
use domain::act::Act;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::action::sealed::{self, SealedCookie};
use crate::action::{context, flash};
use crate::frame::dead_end::{self, DeadEnd};
use crate::frame::form::{FormState, PostForm, submit};
use crate::frame::{entrance, layout};

/// The token of the link just followed, as text. A quarter of an hour, in which a button is pressed.
pub const TOKEN: SealedCookie = SealedCookie::new("no_more_mail", "/", 900);

/// `/no-more-mail`
pub fn view(path: &'static str) -> AnyView {
    Suspend::new(async move {
        let Ok(backend) = context::backend() else {
            return dead_end::view(DeadEnd::Broken);
        };
        let flash = flash::take(&backend, path);
        let state = FormState::of(flash.as_ref());
        let token: String = sealed::peek(&backend, &TOKEN).unwrap_or_default();
        let refused = match targets::link(&backend, &token).await {
            Ok(refused) => Some(refused),
            Err(Failure::Refused(_) | Failure::Denied(_)) => None,
            Err(Failure::Broken(cause)) => {
                context::broken(&cause);
                return dead_end::view(DeadEnd::Unavailable);
            }
        };
        let said = flash
            .as_ref()
            .and_then(|flash| layout::done(&flash.outcome));
        let title = state.title("Mail from Isorun accounts");
        let body = view! {
            <h1>"Mail from Isorun accounts"</h1>
            {said}
            {state.summary()}
            {act(refused)}
        };
        view! { <Title text=format!("{title} · Isorun")/> {entrance::entrance(body.into_any())} }
            .into_any()
    })
    .into_any()
}

fn act(refused: Option<bool>) -> AnyView {
    match refused {
        Some(false) => view! {
            <p>"If you refuse, nothing is sent to your address that somebody else can ask for, by any account, now or later: no question whether you want alerts, and no alerts that you agreed to. Mail about an account of your own is not affected."</p>
            <PostForm act=Act::MailRefuse class="form">
                <div class="form__actions">{submit("Never write to me again")}</div>
            </PostForm>
        }
        .into_any(),
        Some(true) => view! {
            <p>"You refused: nothing is sent to your address that somebody else can ask for. That holds for every account and for ever, unless you allow it again here. This link goes on working."</p>
            <PostForm act=Act::MailAllow class="form">
                <div class="form__actions"><button class="button">"Allow accounts to ask me again"</button></div>
            </PostForm>
        }
        .into_any(),
        None => view! {
            <p>"Open the link at the end of the mail to refuse mail of this kind for ever."</p>
        }
        .into_any(),
    }
}
