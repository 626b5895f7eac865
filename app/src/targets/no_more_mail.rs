//! The page behind the link "never write to me again" in a mail that an account had sent to somebody: refuse such mail, or
//! allow it again. Buttons, because mail scanners follow links and must refuse nothing.

use backend::{Backend, targets};
use domain::act::Act;
use leptos::prelude::*;

use crate::action::sealed::SealedCookie;
use crate::frame::form::{PostForm, submit};
use crate::frame::mailed_link;

/// The token of the link just followed, as text. A quarter of an hour, in which a button is pressed.
pub const TOKEN: SealedCookie = SealedCookie::new("no_more_mail", "/", 900);

/// `/no-more-mail`
pub fn view(path: &'static str) -> AnyView {
    let answered =
        |backend: Backend, token: String| async move { targets::link(&backend, &token).await };
    mailed_link::view(path, "Mail from Isorun accounts", &TOKEN, answered, act)
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
