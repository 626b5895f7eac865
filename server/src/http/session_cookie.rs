//! The cookie of the session: its name and attributes, and two repairs of what tower-sessions 0.15 sends.

use app::action::request_id::RequestId;
use app::frame::dead_end::DeadEnd;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use backend::Backend;
use domain::ceilings::SESSION_ABSOLUTE_DAYS;
use tower_sessions::cookie::{Cookie, SameSite};
use tower_sessions::{Expiry, SessionManagerLayer};

use super::answer;
use super::edge::Edge;
use super::session_store::Store;

/// Browsers take a cookie of this name only over https, for this host and every path.
pub const NAME: &str = "__Host-sid";
/// The name over plain http, which exists on loopback alone (`config` refuses it elsewhere).
pub const PLAIN_NAME: &str = "sid";

/// The session layer. The cookie lives as long as a session can; the table ends idle ones after 24 hours. `Lax`, so that
/// the way back from a payment page finds the person signed in.
pub fn layer(backend: &Backend) -> SessionManagerLayer<Store> {
    let is_secure = backend.settings().public_origin.scheme() == "https";
    SessionManagerLayer::new(Store::new(backend.clone()))
        .with_name(if is_secure { NAME } else { PLAIN_NAME })
        .with_secure(is_secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(time::Duration::days(
            SESSION_ABSOLUTE_DAYS,
        )))
}

/// Completes removal cookies, which lack `Secure` in 0.15 so that browsers ignore them for `__Host-` names, and gives the
/// layer's bare "500" (the session could not be saved) a page.
pub async fn repair(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR
        && !response.headers().contains_key(CONTENT_TYPE)
    {
        return answer::page(&edge, DeadEnd::Unavailable, request_id.as_ref());
    }
    let cookies: Vec<HeaderValue> = response
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .cloned()
        .collect();
    if cookies.iter().any(lacks_secure) {
        response.headers_mut().remove(SET_COOKIE);
        for cookie in cookies {
            let cookie = if lacks_secure(&cookie) {
                completed(&cookie)
            } else {
                cookie
            };
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}

/// The id of a session that a request brings, whether there is such a session or not.
pub fn sent(request: &Request) -> Option<String> {
    let headers = request.headers().get_all(COOKIE).into_iter();
    let texts = headers.filter_map(|header| header.to_str().ok());
    let mut cookies = texts.flat_map(Cookie::split_parse).flatten();
    let found = cookies.find(|cookie| [NAME, PLAIN_NAME].contains(&cookie.name()))?;
    Some(found.value().to_owned())
}

fn lacks_secure(cookie: &HeaderValue) -> bool {
    cookie
        .to_str()
        .is_ok_and(|text| text.starts_with("__Host-") && !text.contains("; Secure"))
}

fn completed(cookie: &HeaderValue) -> HeaderValue {
    let text = cookie.to_str().unwrap_or_default();
    HeaderValue::try_from(format!("{text}; HttpOnly; SameSite=Lax; Secure"))
        .unwrap_or_else(|_| cookie.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removal_cookies_become_ones_that_browsers_take() {
        let removal = HeaderValue::from_static("__Host-sid=; Path=/; Max-Age=0");
        assert!(lacks_secure(&removal));
        assert_eq!(
            completed(&removal),
            "__Host-sid=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
        );
        for fine in [
            "__Host-sid=x; HttpOnly; SameSite=Lax; Secure; Path=/",
            "sid=; Path=/; Max-Age=0",
        ] {
            assert!(!lacks_secure(&HeaderValue::from_static(fine)), "{fine}");
        }
    }
}
