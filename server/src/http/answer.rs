//! Answers that do not come from a page: error pages and redirects of the edge.

use std::future::{Ready, ready};

use app::action::request_id::RequestId;
use app::frame::dead_end::{self, DeadEnd};
use axum::extract::Request;
use axum::http::header::{CONTENT_SECURITY_POLICY, LOCATION, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};

use super::edge::Edge;

/// Seconds after which a client may try again: when the limits or the database have had time to recover.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("5");

/// What an error page of the edge may load: our stylesheet and icon, and no script at all.
const ERROR_PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                                 frame-ancestors 'none'; base-uri 'none'";

pub fn page(edge: &Edge, end: DeadEnd, request_id: Option<&RequestId>) -> Response {
    let unknown = RequestId(String::new());
    let html = dead_end::document(end, &edge.assets, request_id.unwrap_or(&unknown));
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

/// A handler that always gives this error page.
pub fn dead_end(
    edge: &Edge,
    end: DeadEnd,
) -> impl Fn(Request) -> Ready<Response> + Clone + Send + Sync + 'static {
    let edge = edge.clone();
    move |request| ready(refuse(&edge, end, &request))
}

/// "See there", with a GET.
pub fn see_other(path: &'static str) -> Response {
    let location: [(HeaderName, HeaderValue); 1] = [(LOCATION, HeaderValue::from_static(path))];
    (StatusCode::SEE_OTHER, location).into_response()
}
