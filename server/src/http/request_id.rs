//! Gives every request its id. One from outside is not taken over: it could be long, repeated or somebody's address.

use app::action::request_id::RequestId;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// The header that tells it.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// 12 of base62 are 71 bits: enough to be the only one in years of logs, short enough to read out on the phone.
const CHARS: usize = 12;

/// Makes the id, hands it on and tells it.
pub async fn give(mut request: Request, next: Next) -> Response {
    let id = backend::random::base62(CHARS);
    let value = HeaderValue::from_str(&id).ok();
    request.extensions_mut().insert(RequestId(id));
    let mut response = next.run(request).await;
    if let Some(value) = value {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}
