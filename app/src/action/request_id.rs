//! The one id of a request: in the log, in the response header and on error pages. Made by `server`, carried by the
//! request's extensions.

use std::fmt;

use axum::http::request::Parts;
use leptos::prelude::use_context;

/// The id as it is shown; letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of this request; empty outside of one.
#[must_use]
pub fn current() -> String {
    let parts = use_context::<Parts>();
    parts
        .and_then(|parts| parts.extensions.get::<RequestId>().cloned())
        .map_or_else(String::new, |id| id.0)
}
