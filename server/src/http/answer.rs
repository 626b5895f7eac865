//! Answers that do not come from a page: error pages and redirects of the edge.

use std::future::{Ready, ready};

use app::action::problem::Problem;
use app::action::request_id::RequestId;
use app::frame::dead_end::{self, DeadEnd};
use app::twin::download::Format;
use axum::Json;
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse as _, Response};

use super::edge::Edge;

/// Seconds after which a client may try again: when the limits or the database have had time to recover.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("5");

/// What an error page of the edge may load: our stylesheet and icon, and no script at all.
const ERROR_PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                                 frame-ancestors 'none'; base-uri 'none'";

pub fn page(edge: &Edge, end: DeadEnd, request_id: Option<&RequestId>) -> Response {
    said(edge, end, request_id, &[])
}

fn said(edge: &Edge, end: DeadEnd, request_id: Option<&RequestId>, texts: &[&str]) -> Response {
    let unknown = RequestId(String::new());
    let html = dead_end::document(end, &edge.assets, request_id.unwrap_or(&unknown), texts);
    let mut response = (end.status(), Html(html)).into_response();
    let policy = HeaderValue::from_static(ERROR_PAGE_POLICY);
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, policy);
    if matches!(
        end.status(),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
    ) {
        response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_S);
    }
    response
}

pub fn refuse(edge: &Edge, end: DeadEnd, request: &Request) -> Response {
    page(edge, end, request.extensions().get::<RequestId>())
}

/// Why there is no file: as a page for a person, in the words of its kind for a program.
pub fn unanswerable(
    edge: &Edge,
    format: Format,
    request: &Request,
    problems: &[Problem],
) -> Response {
    let end = DeadEnd::Unanswerable;
    let accepts = request.headers().get(ACCEPT);
    let is_person = accepts
        .and_then(|accepts| accepts.to_str().ok())
        .is_some_and(|accepts| accepts.contains("text/html"));
    let texts: Vec<&str> = problems.iter().map(|problem| &*problem.text).collect();
    if is_person {
        return said(edge, end, request.extensions().get::<RequestId>(), &texts);
    }
    match format {
        Format::Json => {
            let problems = serde_json::json!({ "problems": problems });
            (end.status(), Json(problems)).into_response()
        }
        Format::Csv => (end.status(), texts.join("\n") + "\n").into_response(),
    }
}

/// The answer at an address that nothing lives at. One with a slash too many at its end or twice in a row leads to the same
/// address without it, words and all: it was typed, or joined by a program.
pub fn nowhere(
    edge: &Edge,
    end: DeadEnd,
) -> impl Fn(Request) -> Ready<Response> + Clone + Send + Sync + 'static {
    let edge = edge.clone();
    move |request| {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let plain = is_read.then(|| without_slashes(request.uri())).flatten();
        ready(match plain {
            Some(address) => {
                let location: [(HeaderName, HeaderValue); 1] = [(LOCATION, address)];
                (StatusCode::PERMANENT_REDIRECT, location).into_response()
            }
            None => refuse(&edge, end, &request),
        })
    }
}

/// The address with single slashes between its parts and none at its end; none when it is so already. It begins with one
/// slash and holds no backslash, which browsers take for one: so it never leads to another site.
fn without_slashes(uri: &Uri) -> Option<HeaderValue> {
    let path = uri.path();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let mut plain = format!("/{}", parts.join("/"));
    if plain == path || plain.contains('\\') {
        return None;
    }
    if let Some(query) = uri.query() {
        plain = format!("{plain}?{query}");
    }
    HeaderValue::from_str(&plain).ok()
}

/// A handler that always gives this error page.
pub fn dead_end(
    edge: &Edge,
    end: DeadEnd,
) -> impl Fn(Request) -> Ready<Response> + Clone + Send + Sync + 'static {
    let edge = edge.clone();
    move |request| ready(refuse(&edge, end, &request))
}

/// "See there", with a GET; and cookies on the way. Only paths of ours are passed.
pub fn see_other_with(path: &str, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// "See there", with a GET.
pub fn see_other(path: &'static str) -> Response {
    let location: [(HeaderName, HeaderValue); 1] = [(LOCATION, HeaderValue::from_static(path))];
    (StatusCode::SEE_OTHER, location).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_too_many_go_and_nothing_leads_away() {
        let plain = |address: &str| {
            let address = without_slashes(&address.parse().unwrap());
            address.map(|address| address.to_str().unwrap().to_owned())
        };
        for (address, expected) in [
            ("/alerts/", "/alerts"),
            ("/alerts//?a=1&b=//", "/alerts?a=1&b=//"),
            ("//alerts", "/alerts"),
            ("//evil.example/", "/evil.example"),
            ("///", "/"),
            ("/keys//new/", "/keys/new"),
        ] {
            assert_eq!(plain(address).as_deref(), Some(expected), "{address}");
        }
        for address in ["/", "/nothing", "/\\evil.example/", "/%2F%2Fevil.example"] {
            assert_eq!(plain(address), None, "{address}");
        }
    }
}
