//! The page behind the link that was mailed: whose account it opens, and what the law and the Terms ask for. Looking at it
//! changes nothing, because mail scanners follow links; the button does.

use backend::Backend;
use backend::authority::actor::Actor;
use backend::sign_up::opening::{self, Link};
use domain::act::Act;
use domain::ceilings::PASSWORD_CHARS_MIN;
use domain::country::Country;
use domain::email::EmailAddress;
use leptos::prelude::*;
use leptos_meta::Title;

use super::words;
use crate::action::sealed::{self, SealedCookie};
use crate::action::{context, flash, request};
use crate::frame::dead_end::{self, DeadEnd};
use crate::frame::entrance::entrance;
use crate::frame::form::{Field, FormState, PostForm, checkbox, select, submit};
use crate::frame::layout;

/// The token of the link just followed, as text. An hour, in which the Terms can be read.
pub const TOKEN: SealedCookie = SealedCookie::new("opening", "/", 3_600);

/// `/open-account`
pub fn view(path: &'static str) -> AnyView {
    Suspend::new(async move {
        let Ok(backend) = context::backend() else {
            return dead_end::view(DeadEnd::Broken);
        };
        let flash = flash::take(&backend, path);
        let state = FormState::of(flash.as_ref());
        let said = flash
            .as_ref()
            .and_then(|flash| layout::done(&flash.outcome));
        let link = match sealed::peek::<String>(&backend, &TOKEN) {
            None => Ok(None),
            Some(token) => opening::link(&backend, &token).await.map(Some),
        };
        let link = match link {
            Ok(link) => link,
            Err(cause) => {
                context::broken(&cause);
                return dead_end::view(DeadEnd::Unavailable);
            }
        };
        let Ok(visitor) = request::visitor().await else {
            return dead_end::view(DeadEnd::Unavailable);
        };
        let title = state.title("Open your account");
        let body = match link {
            Some(Link::Ready(email)) => ready(&backend, &state, &email, visitor.as_ref()),
            Some(Link::AlreadyOpen(email)) => already_open(&email, visitor.as_ref()),
            Some(Link::Dead) => dead(words::LINK_DEAD),
            None => visitor.map_or_else(|| dead(words::NO_LINK), |actor| inside(&actor)),
        };
        let body = view! { <h1>"Open your account"</h1> {said} {body} };
        view! { <Title text=format!("{title} · Isorun")/> {entrance(body.into_any())} }.into_any()
    })
    .into_any()
}

fn dead(sentence: &'static str) -> AnyView {
    view! {
        <p>{sentence}</p>
        <p class="form__actions"><a class="button" href="/sign-up">"Sign up"</a><a href="/sign-in">"Sign in"</a></p>
    }
    .into_any()
}

/// For a second press, whose first has opened the account and taken the link.
fn inside(actor: &Actor) -> AnyView {
    view! {
        <p>"You are signed in as "<strong>{actor.email().as_str().to_owned()}</strong>". There is nothing to open here."</p>
        <p class="form__actions"><a class="button button--primary" href="/overview">"Overview"</a></p>
    }
    .into_any()
}

/// For another link of the same address.
fn already_open(email: &EmailAddress, visitor: Option<&Actor>) -> AnyView {
    let whose = view! { "The account of "<strong>{email.as_str().to_owned()}</strong>" is open" };
    if visitor.is_some_and(|actor| actor.email().canonical() == email.canonical()) {
        view! {
            <p>{whose}", and you are signed in to it."</p>
            <p class="form__actions"><a class="button button--primary" href="/overview">"Overview"</a></p>
        }
        .into_any()
    } else {
        view! {
            <p>{whose}" already. Sign in with the password that was chosen for it."</p>
            <p class="form__actions"><a class="button button--primary" href="/sign-in">"Sign in"</a></p>
        }
        .into_any()
    }
}

fn ready(
    backend: &Backend,
    state: &FormState,
    email: &EmailAddress,
    visitor: Option<&Actor>,
) -> AnyView {
    let email = email.as_str().to_owned();
    let leaving = visitor.map(|actor| {
        let text = view! {
            "This browser is signed in as "<strong>{actor.email().as_str().to_owned()}</strong>
            ", which is another account. Opening this one signs you out of that one here; nothing else of it changes."
        };
        let notice = layout::notice("notice notice--soon", "Somebody is signed in", text.into_any());
        view! { {notice} <input type="hidden" name="leaving" value=actor.user_id().to_string()/> }
    });
    let act = if leaving.is_some() {
        "Sign out and open account"
    } else {
        "Open account"
    };
    view! {
        {state.summary()}
        <PostForm act=Act::AccountOpen class="form">
            {leaving}
            <div class="field">
                <label class="field__label" for="address">"E-mail address"</label>
                // Not sent: the link says whose account it is. For the person, and for what keeps their passwords.
                <input class="field__control" id="address" type="email" value=email autocomplete="username" readonly/>
            </div>
            {questions(state)}
            {consents(backend, state)}
            <div class="form__actions">{submit(act)}</div>
        </PostForm>
    }
    .into_any()
}

fn questions(state: &FormState) -> AnyView {
    let hint =
        format!("{PASSWORD_CHARS_MIN} characters or more; a few words you will remember are fine.");
    let password = Field {
        name: "password",
        label: "Password",
        hint,
        kind: "password",
        autocomplete: "new-password",
    };
    (
        password.draw(state),
        select("country", "Country", Country::all(), state),
    )
        .into_any()
}

fn consents(backend: &Backend, state: &FormState) -> AnyView {
    let versions = &backend.settings().documents;
    let accept = |name: &'static str, href: &'static str, title: &'static str, version: &str| {
        let version = format!(", version {version}");
        checkbox(name, view! { "I accept the "<a href=href target="_blank" rel="noopener">{title}</a>{version} }.into_any(), state)
    };
    view! {
        <fieldset class="form__group">
            <legend class="form__legend">"What you agree to"</legend>
            {accept("terms", "https://isorun.ai/terms", "Terms of Service", &versions.terms)}
            {accept("aup", "https://isorun.ai/aup", "Acceptable Use Policy", &versions.aup)}
            {accept("dpa", "https://isorun.ai/dpa", "Data Processing Agreement", &versions.dpa)}
            {checkbox("export_statement", export_statement(), state)}
        </fieldset>
    }
    .into_any()
}

/// In the words of Terms 14.
fn export_statement() -> AnyView {
    "I am not located in, ordinarily resident in, or organised under the laws of any country or region subject to comprehensive \
     sanctions, and I am not on any restricted-party list maintained by the EU, the United Nations, the United Kingdom, or the \
     United States."
        .into_any()
}
