//! The largest body a request may have. Forms are small, so a body is read whole before any handler runs: what is too
//! large is told as such, also when its length was not announced.

use app::frame::dead_end::DeadEnd;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::answer;
use super::edge::Edge;

/// The largest form (a key's name, an address, a password) is under 2 KiB; 64 KiB is reference/security.md 5.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Reads the body, or refuses it.
pub async fn bound(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > BODY_BYTES_MAX) {
        return answer::refuse(&edge, DeadEnd::TooLarge, &request);
    }
    let (head, body) = request.into_parts();
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => {
            next.run(Request::from_parts(head, Body::from(body.to_bytes())))
                .await
        }
        Err(error) => {
            let end = if error.is::<LengthLimitError>() {
                DeadEnd::TooLarge
            } else {
                DeadEnd::Unreadable
            };
            answer::refuse(&edge, end, &Request::from_parts(head, Body::empty()))
        }
    }
}
