//! One log line and one count per request: method, route pattern, status, time, request id, and whose session it was.
//! Never the path or a header: both can hold what a person typed.

use std::time::Duration;

use app::action::request_id::RequestId;
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;
use tracing::Instrument as _;
use tracing::field::Empty;

/// Asked every second by balancers; at `info` they would drown everything else.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];

/// Opens the span that every line of this request belongs to, and closes the books on it.
pub async fn write(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = known(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let request_id = request
        .extensions()
        .get::<RequestId>()
        .map_or_else(String::new, |id| id.0.clone());
    let in_flight = InFlight::begin();
    let span = tracing::info_span!("request", request_id, user_id = Empty);
    async move {
        let response = next.run(request).await;
        drop(in_flight);
        let status = response.status().as_u16();
        let took = began.elapsed();
        let duration_ms = milliseconds(took);
        if HEALTH.contains(&route.as_str()) {
            tracing::debug!(method, route, status, duration_ms, "answered");
        } else {
            tracing::info!(method, route, status, duration_ms, "answered");
        }
        let labels = [
            ("method", method.to_owned()),
            ("route", route),
            ("status", status.to_string()),
        ];
        metrics::counter!("http_requests_total", &labels).increment(1);
        metrics::histogram!("http_request_duration_seconds", &labels[..2]).record(took);
        response
    }
    .instrument(span)
    .await
}

/// Methods that occur; all others share one name, so that nobody can fill our metrics with names.
const fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

/// Three decimals without a float.
fn milliseconds(took: Duration) -> String {
    let us = took.as_micros();
    format!("{}.{:03}", us / 1_000, us % 1_000)
}

/// Counts down when the answer is there, and also when the client goes away before.
struct InFlight;

impl InFlight {
    fn begin() -> Self {
        metrics::gauge!("http_requests_in_flight").increment(1);
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        metrics::gauge!("http_requests_in_flight").decrement(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_have_three_decimals() {
        assert_eq!(milliseconds(Duration::from_micros(1_002_003)), "1002.003");
        assert_eq!(milliseconds(Duration::from_nanos(900)), "0.000");
    }
}
