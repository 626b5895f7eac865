//! The longest a request may take, from its head to the head of the answer.

use std::time::Duration;

use app::action::request_id::RequestId;
use app::frame::dead_end::DeadEnd;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::answer;
use super::edge::Edge;

/// Over the sum of what a page waits for at worst: 2 s for a connection, 5 s for a statement, twice.
const REQUEST_MAX: Duration = Duration::from_secs(15);

/// Answers for a request that takes longer.
pub async fn keep(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().cloned();
    match tokio::time::timeout(REQUEST_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::warn!("gave up after the longest a request may take");
            answer::page(&edge, DeadEnd::Unavailable, request_id.as_ref())
        }
    }
}
