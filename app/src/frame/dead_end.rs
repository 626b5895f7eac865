//! What is shown when a page cannot be: not found, forbidden, broken. Each names the request, so that a person can quote
//! it. As a view inside the application, and as a complete document for middleware that runs around it.

use axum::http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::Title;

use super::entrance::{self, MARK};
use crate::action::request_id::{self, RequestId};
use crate::frame::assets::Assets;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadEnd {
    /// Nothing lives at this address, or not in this account.
    NotFound,
    /// The person may not be here.
    Forbidden,
    /// Our side broke.
    Broken,
    /// Our side cannot answer now: it starts, stops, or its database is away.
    Unavailable,
    /// Too many passwords wait to be checked.
    Busy,
    /// Too many requests of this kind from one place.
    TooMany,
    /// Too many forms from one person or account.
    TooFast,
    /// What was sent took too long to arrive.
    TooSlow,
    /// Not one name of the place that is asked.
    NoHost,
    /// More was sent than any form of ours holds.
    TooLarge,
    /// What was sent is not what a form of ours sends.
    Unreadable,
    /// A file was asked for something that it cannot hold.
    Unanswerable,
    /// The browser does not send back the cookie that came with the form.
    NoCookies,
    /// The address exists, but not for this method.
    WrongMethod,
}

impl DeadEnd {
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMany | Self::TooFast => StatusCode::TOO_MANY_REQUESTS,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NoHost => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreadable | Self::Unanswerable | Self::NoCookies => StatusCode::BAD_REQUEST,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::NotFound => "There is no such page",
            Self::Forbidden => "This is not allowed",
            Self::Broken => "Something broke on our side",
            Self::Unavailable => "The dashboard cannot answer right now",
            Self::Busy => "Too many at this moment",
            Self::TooMany => "Too many tries",
            Self::TooFast => "That was too fast",
            Self::TooSlow => "That took too long",
            Self::NoHost => "The request could not be read",
            Self::TooLarge => "That was too much at once",
            Self::Unreadable => "The form could not be read",
            Self::Unanswerable => "There is no such file",
            Self::NoCookies => "Your browser refuses our cookie",
            Self::WrongMethod => "This address does not take that",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::NotFound => {
                "Nothing lives at this address, or it is not part of your account. Check the address, or start from the overview."
            }
            Self::Forbidden => {
                "The request was refused: it came from another site, or your role does not cover it. Go back and start again from the overview."
            }
            Self::Broken => {
                "The page could not be made and the error is in our log. Try again; if it happens again, write to hello@isorun.ai and quote the request id."
            }
            Self::Unavailable => "Your sandboxes are not affected. Try again in a few seconds.",
            Self::Busy => {
                "More people want to sign in at this moment than we can check at once, and nothing was checked. Wait a few seconds, go back and send the form again."
            }
            Self::TooFast => {
                "More forms came from you or your account than people send, and this one was not looked at. Wait a minute, then go back and send it again."
            }
            Self::TooSlow => {
                "The form did not arrive in time, and nothing was changed. Check your connection, go back and send it again."
            }
            Self::NoHost => {
                "The request does not say, or says twice, which host it is for. No browser sends that; a program or a proxy in between does."
            }
            Self::TooMany => {
                "There were too many tries from your network. Wait a minute, then go back and send the form again."
            }
            Self::TooLarge => {
                "What was sent is larger than any form here. Go back, shorten it and send it again."
            }
            Self::Unreadable => {
                "What arrived is not what this form sends. Go back, reload the page and try again."
            }
            Self::Unanswerable => {
                "The address asks for something that this file cannot hold, so nothing was put into it:"
            }
            Self::NoCookies => {
                "Signing in needs one cookie, which tells that it is still you. Your browser did not send it back. Allow cookies for this site, then open the form again and send it."
            }
            Self::WrongMethod => {
                "The address exists, but it is reached by a form or a link, not in this way. Start from the overview."
            }
        }
    }
}

/// The dead end as the content of this answer, with its status.
pub fn view(end: DeadEnd) -> AnyView {
    let (title, text) = inside(end);
    let body = view! {
        <Title text=format!("{title} · Isorun")/>
        <h1>{title}</h1>
        {text}
    };
    entrance::entrance(body.into_any())
}

/// The same for who is signed in and keeps the frame: its heading and what stands below.
pub fn inside(end: DeadEnd) -> (&'static str, AnyView) {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(end.status());
    }
    let request_id = request_id::current();
    let text = view! {
        <p>{end.text()}</p>
        {(!request_id.is_empty()).then(|| view! { <p class="form__note">"Request "<code>{request_id}</code></p> })}
        <p class="form__actions"><a class="button" href="/overview">"Overview"</a></p>
    };
    (end.title(), text.into_any())
}

/// The complete document, for middleware that runs around the application, and what is to be said besides. Needs nothing that
/// could break again.
#[must_use]
pub fn document(end: DeadEnd, assets: &Assets, request_id: &RequestId, besides: &[&str]) -> String {
    let besides: String = besides
        .iter()
        .map(|text| format!("<p>{}</p>", escaped(text)))
        .collect();
    let (title, text) = (end.title(), end.text());
    let (css, request_id) = (escaped(&assets.css), escaped(&request_id.0));
    format!(
        r##"<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title} · Isorun</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">
<link rel="icon" href="/favicon.svg" type="image/svg+xml"><link rel="stylesheet" href="{css}"></head>
<body><a class="skip" href="#main">Skip to the page</a><div class="entrance">
<header><a class="brand" href="/"><svg viewBox="0 0 16 16" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" aria-hidden="true"><path d="{MARK}"></path></svg>isorun</a></header>
<main class="entrance__box" id="main"><h1>{title}</h1><p>{text}</p>{besides}
<p class="form__note">Request <code>{request_id}</code></p>
<p class="form__actions"><a class="button" href="/overview">Overview</a></p></main></div></body></html>
"##
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_name_the_request_and_cannot_be_broken_out_of() {
        let assets = Assets {
            css: "/pkg/main.1.css".to_owned(),
            js: String::new(),
            wasm: String::new(),
        };
        let request_id = RequestId("ab\"><script>".to_owned());
        for end in [DeadEnd::NotFound, DeadEnd::Forbidden, DeadEnd::Broken] {
            let page = document(end, &assets, &request_id, &["<script>"]);
            assert!(
                page.contains("/pkg/main.1.css")
                    && page.contains("<h1>")
                    && page.contains("ab&quot;"),
                "{page}"
            );
            assert!(!page.contains("<script"), "{page}");
        }
    }
}
