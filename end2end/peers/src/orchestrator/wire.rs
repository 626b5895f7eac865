//! What both planes put on the wire: refusals, replies, checked bodies, ids and idempotency keys, exact cents.
//! No state and no rules; shapes of one noun live with that noun.

use std::str::FromStr;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header, request::Parts};
use serde::de::DeserializeOwned;
use serde_json::{Number, Value, json};
use uuid::Uuid;

use crate::faults::TooMany;

/// An answer that is not a success: `{"error": code, "message": sentence}`.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    pub(crate) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "The credential is missing, unknown, expired or revoked.",
        )
    }

    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }
}

impl Refusal {
    /// What the layers around the handlers refuse, in the contract's words.
    pub(crate) fn by_layer(status: StatusCode, message: &'static str) -> Response {
        let code = if status == StatusCode::PAYLOAD_TOO_LARGE {
            "too_large"
        } else {
            "internal"
        };
        Self::new(status, code, message).into_response()
    }
}

impl From<TooMany> for Refusal {
    fn from(error: TooMany) -> Self {
        Self::invalid(error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": self.code, "message": self.message});
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Bearer"),
            );
        }
        response
    }
}

/// A successful answer.
#[derive(Debug)]
pub(crate) enum Reply {
    Json(StatusCode, Value),
    /// JSON that is written already: a page of the feed is too large to be built as a value first.
    Written(Vec<u8>),
    NoContent,
    /// JSON lines (`application/x-ndjson`).
    Lines(String),
    Octets(Bytes),
}

impl Reply {
    pub(crate) const fn ok(body: Value) -> Self {
        Self::Json(StatusCode::OK, body)
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self {
            Self::Json(status, body) => (status, Json(body)).into_response(),
            Self::Written(bytes) => (
                [(header::CONTENT_TYPE, "application/json")],
                Body::from(bytes),
            )
                .into_response(),
            Self::NoContent => StatusCode::NO_CONTENT.into_response(),
            Self::Lines(text) => {
                ([(header::CONTENT_TYPE, "application/x-ndjson")], text).into_response()
            }
            Self::Octets(bytes) => (
                [(header::CONTENT_TYPE, "application/octet-stream")],
                Body::from(bytes),
            )
                .into_response(),
        }
    }
}

pub(crate) type Answer = Result<Reply, Refusal>;

/// A request body within the route's size limit; too large is refused in the contract's own words.
pub(crate) struct Payload(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        Bytes::from_request(request, state)
            .await
            .map(Self)
            .map_err(|rejection| {
                if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                    Refusal::new(
                        StatusCode::PAYLOAD_TOO_LARGE,
                        "too_large",
                        "The body is too large.",
                    )
                } else {
                    Refusal::invalid("The body could not be read.")
                }
            })
    }
}

impl Payload {
    /// The body as JSON of one shape.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(&self.0)
            .map_err(|error| Refusal::invalid(format!("The body is not as expected: {error}.")))
    }
}

/// The `Idempotency-Key` of a command: 1 to 255 visible ASCII characters.
pub(crate) struct IdempotencyKey(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        parts
            .headers
            .get("idempotency-key")
            .and_then(|value| value.to_str().ok())
            .filter(|key| {
                (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
            })
            .map(|key| Self(key.to_owned()))
            .ok_or_else(|| {
                Refusal::new(
                    StatusCode::BAD_REQUEST,
                    "idempotency_key_required",
                    "A command carries an Idempotency-Key.",
                )
            })
    }
}

pub(crate) fn uuid(text: &str) -> Result<Uuid, Refusal> {
    Uuid::parse_str(text).map_err(|_| Refusal::invalid("The id in the path is not a UUID."))
}

/// The `Authorization: Bearer` token.
pub(crate) fn bearer(headers: &http::HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

/// Price weight of running a size for `ms`: `price_cents` divides a sum of these exactly once.
pub(crate) fn weight(vcpus: i64, mem_mib: i64, ms: i64) -> i128 {
    // $0.026 per vCPU-hour and $0.015 per GiB-hour, in thousandths of a dollar, over a common GiB denominator.
    (26 * 1_024 * i128::from(vcpus) + 15 * i128::from(mem_mib)) * i128::from(ms)
}

/// Cents as the JSON double that the public API speaks.
pub(crate) fn price_cents(weight: i128) -> Number {
    decimal(weight, 1_024 * 36_000_000)
}

/// Seconds as a JSON double.
pub(crate) fn seconds(ms: i128) -> Number {
    decimal(ms, 1_000)
}

/// `numerator / denominator` to 18 decimals. The digits come from integer division and are then read as a JSON
/// number, so that no float is ever computed with; the public API's doubles are only a way of writing.
fn decimal(numerator: i128, denominator: i128) -> Number {
    let sign = if numerator < 0 { "-" } else { "" };
    let (numerator, denominator) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    let whole = numerator / denominator;
    let fraction = (numerator % denominator) * 1_000_000_000_000_000_000 / denominator;
    let text = format!("{sign}{whole}.{fraction:018}");
    Number::from_str(&text).unwrap_or_else(|_| Number::from(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety_seconds_of_the_default_size_cost_a_tenth_of_a_cent_and_a_bit() {
        assert_eq!(price_cents(weight(1, 1_024, 90_000)).to_string(), "0.1025");
        assert_eq!(price_cents(weight(1, 1_024, 3_600_000)).to_string(), "4.1");
    }
}
