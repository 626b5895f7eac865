//! Is the process alive, and should it get requests? For balancers and start scripts, so both are one word.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use backend::Backend;

use super::edge::Edge;

/// Shorter than the pool's own wait: a check that hangs is an answer.
const CHECK_MAX: Duration = Duration::from_secs(1);
const TEXT: (HeaderName, HeaderValue) = (
    CONTENT_TYPE,
    HeaderValue::from_static("text/plain; charset=utf-8"),
);

/// The process runs.
pub async fn alive() -> Response {
    ([TEXT], "alive\n").into_response()
}

/// Ready while the database answers and no stop has begun.
pub async fn ready(State((edge, backend)): State<(Edge, Backend)>) -> Response {
    let answers = async || backend.ping().await;
    let is_there = matches!(tokio::time::timeout(CHECK_MAX, answers()).await, Ok(Ok(())));
    if is_there && !edge.stopping.is_cancelled() {
        ([TEXT], "ready\n").into_response()
    } else {
        not_ready().await
    }
}

/// Not ready: it starts, stops, or the database is away.
pub async fn not_ready() -> Response {
    let headers = [TEXT, (RETRY_AFTER, HeaderValue::from_static("1"))];
    (StatusCode::SERVICE_UNAVAILABLE, headers, "not ready\n").into_response()
}
