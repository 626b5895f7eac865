//! What a server function takes and gives over HTTP: a form as browsers send it, answered by "see there" and nothing
//! else. What the framework says about anything else (type names, error texts, a redirect to the `Referer`) stays here.

use app::action::request_id::RequestId;
use app::frame::dead_end::DeadEnd;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::answer;
use super::edge::Edge;

/// Where all server functions are.
pub const PREFIX: &str = "/api/";
const FORM: &str = "application/x-www-form-urlencoded";

/// Refuses what is not a form, and answers that are not ours.
pub async fn check(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let is_action = request
        .extensions()
        .get::<MatchedPath>()
        .is_some_and(|path| path.as_str().starts_with(PREFIX));
    if !is_action || request.method() != Method::POST {
        return next.run(request).await;
    }
    if !is_form(&request) {
        return answer::refuse(&edge, DeadEnd::Unreadable, &request);
    }
    let request_id = request.extensions().get::<RequestId>().cloned();
    let response = next.run(request).await;
    match response.status() {
        StatusCode::SEE_OTHER => response,
        StatusCode::SERVICE_UNAVAILABLE => answer::page(&edge, DeadEnd::Busy, request_id.as_ref()),
        // Every server function that ran ends in one of both, so this one did not: its arguments could not be read.
        _ => answer::page(&edge, DeadEnd::Unreadable, request_id.as_ref()),
    }
}

fn is_form(request: &Request) -> bool {
    let content_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    content_type
        .and_then(|text| text.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM))
}
