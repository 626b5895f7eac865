//! The cookie that names a browser to its own forms (`app::action::form_token::Browser`): set with the first form that is
//! drawn for it, and asked for by nothing else. Who is signed in stands in the session's cookie.

use app::action::form_token::Browser;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::middleware::Next;
use axum::response::Response;
use tower_sessions::cookie::{Cookie, SameSite, time::Duration};

use super::edge::Edge;

/// Thirty days, counted from the form that was drawn first: a tab is rarely older, and then it is told about cookies.
const DAYS: i64 = 30;

/// Tells every request which browser it comes from, and a new browser its cookie.
pub async fn give(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let is_secure = edge.origin.starts_with("https://");
    let name = if is_secure {
        "__Host-browser"
    } else {
        "browser"
    };
    let sent = sent(&request, name);
    let browser = Browser::of(sent.as_deref());
    request.extensions_mut().insert(browser.clone());
    let mut response = next.run(request).await;
    if !browser.is_known() && browser.was_drawn_for() {
        let cookie = Cookie::build((name, browser.value()))
            .path("/")
            .http_only(true)
            .secure(is_secure)
            .same_site(SameSite::Lax)
            .max_age(Duration::days(DAYS));
        if let Ok(cookie) = HeaderValue::from_str(&cookie.build().to_string()) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}

fn sent(request: &Request, name: &str) -> Option<String> {
    let headers = request.headers().get_all(COOKIE).into_iter();
    let texts = headers.filter_map(|header| header.to_str().ok());
    let mut cookies = texts.flat_map(Cookie::split_parse).flatten();
    let found = cookies.find(|cookie| cookie.name() == name)?;
    Some(found.value().to_owned())
}
