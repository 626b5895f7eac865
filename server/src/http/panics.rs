//! A panic costs one request, not the process: the answer is the error page. Where it happened is in the log already
//! (`telemetry`).

use std::panic::AssertUnwindSafe;

use app::action::request_id::RequestId;
use app::frame::dead_end::DeadEnd;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;

use super::answer;
use super::edge::Edge;

/// Turns a panic into the error page.
pub async fn catch(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().cloned();
    // What a panicking handler was doing is dropped with it; nothing it may have left half done is looked at again.
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => answer::page(&edge, DeadEnd::Broken, request_id.as_ref()),
    }
}
