//! The last exchanges below one path, so that tests can hold what a client really sent and got against a contract.
//! Checking them is contract.rs.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State as Extract},
    middleware::Next,
    response::Response,
};
use http::StatusCode;

use crate::{contract::Exchange, serve::Refuse};

/// Exchanges kept.
const MAX_EXCHANGES: usize = 256;
/// Larger answers are kept as `None`: 256 full feed pages would be a gigabyte.
const MAX_KEPT_BODY: usize = 512 * 1_024;
/// No request below the path is larger.
const MAX_REQUEST: usize = 64 * 1_024;

/// What went over the wire below `prefix`, oldest first.
pub(crate) struct Exchanges {
    prefix: &'static str,
    refuse: Refuse,
    kept: Mutex<VecDeque<Exchange>>,
}

impl Exchanges {
    pub(crate) fn below(prefix: &'static str, refuse: Refuse) -> Self {
        Self {
            prefix,
            refuse,
            kept: Mutex::default(),
        }
    }

    pub(crate) fn all(&self) -> Vec<Exchange> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    fn push(&self, exchange: Exchange) {
        let mut exchanges = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if exchanges.len() >= MAX_EXCHANGES {
            exchanges.pop_front();
        }
        exchanges.push_back(exchange);
    }
}

pub(crate) async fn layer(
    Extract(exchanges): Extract<Arc<Exchanges>>,
    request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().starts_with(exchanges.prefix) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_REQUEST).await else {
        return (exchanges.refuse)(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large.");
    };
    let mut exchange = Exchange {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts
            .headers
            .keys()
            .map(|name| name.as_str().to_owned())
            .collect(),
        request: (!body.is_empty()).then(|| String::from_utf8_lossy(&body).into_owned()),
        status: 0,
        content_type: None,
        response: None,
    };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return (exchanges.refuse)(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The answer could not be read.",
        );
    };
    exchange.status = parts.status.as_u16();
    let content_type = parts
        .headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    exchange.content_type = content_type.map(ToOwned::to_owned);
    exchange.response =
        (body.len() <= MAX_KEPT_BODY).then(|| String::from_utf8_lossy(&body).into_owned());
    exchanges.push(exchange);
    Response::from_parts(parts, Body::from(body))
}
