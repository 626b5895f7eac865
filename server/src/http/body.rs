//! The largest body a request may have, and how long it may take to arrive. Forms are small, so a body is read whole before any
//! handler runs: what is too large is told as such, also when its length was not announced.

use std::time::Duration;

use app::frame::dead_end::DeadEnd;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::answer;
use super::edge::Edge;

/// The largest form (a key's name, an address, a password) is under 2 KiB. 64 KiB leaves room for any that comes, and a
/// thousand of them at once are 64 MB.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// For the whole body. Less than a request may take, so that whoever sends slowly is told that, and not that we are slow.
const BODY_MAX: Duration = Duration::from_secs(10);

/// Reads the body, or refuses it.
pub async fn bound(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > BODY_BYTES_MAX) {
        return last(&edge, DeadEnd::TooLarge, &request);
    }
    let (head, body) = request.into_parts();
    let read = Limited::new(body, BODY_BYTES_MAX).collect();
    let end = match tokio::time::timeout(BODY_MAX, read).await {
        Ok(Ok(body)) => {
            let request = Request::from_parts(head, Body::from(body.to_bytes()));
            return next.run(request).await;
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => DeadEnd::TooLarge,
        Ok(Err(_)) => DeadEnd::Unreadable,
        Err(_) => DeadEnd::TooSlow,
    };
    last(&edge, end, &Request::from_parts(head, Body::empty()))
}

/// The last answer on this connection: the rest of the body is still on its way, and nothing of it is worth waiting for.
fn last(edge: &Edge, end: DeadEnd, request: &Request) -> Response {
    let mut response = answer::refuse(edge, end, request);
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}
