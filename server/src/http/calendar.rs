//! The calendar feed behind a secret link, for calendar programs: no session, no page. What stands in it is
//! `backend::alerts::calendar`'s. The link is in no log: the access log names the pattern of a route, never its path.

use app::action::request_id::RequestId;
use app::frame::dead_end::DeadEnd;
use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use backend::Backend;
use backend::alerts::calendar;

use super::answer;
use super::edge::Edge;

/// The address of a feed.
pub const PATH: &str = "/calendar/{token}";
const CALENDAR: HeaderValue = HeaderValue::from_static("text/calendar; charset=utf-8");

/// The feed; "not found" for every link that opens nothing.
pub async fn feed(
    State((edge, backend)): State<(Edge, Backend)>,
    request_id: Option<Extension<RequestId>>,
    token: Result<Path<String>, PathRejection>,
) -> Response {
    let request_id = request_id.map(|Extension(id)| id);
    let dead_end = |end| answer::page(&edge, end, request_id.as_ref());
    let Ok(Path(token)) = token else {
        return dead_end(DeadEnd::NotFound);
    };
    match calendar::feed(&backend, &token).await {
        Ok(Some(text)) => ([(CONTENT_TYPE, CALENDAR)], text).into_response(),
        Ok(None) => dead_end(DeadEnd::NotFound),
        Err(broken) => {
            tracing::error!(cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), "the calendar feed could not be read");
            dead_end(if broken.is_unavailable() {
                DeadEnd::Unavailable
            } else {
                DeadEnd::Broken
            })
        }
    }
}
