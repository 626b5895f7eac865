//! contract

/// One exchange on the control plane as it went over the wire.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub method: String,
    /// Without the query.
    pub path: String,
    /// After the question mark; empty without one.
    pub query: String,
    /// Names of the request headers, lower case. Values may be secret.
    pub headers: Vec<String>,
    /// The request body, `None` if empty.
    pub request: Option<String>,
    pub status: u16,
    pub content_type: Option<String>,
    /// The response body; `None` if it was too large to keep.
    pub response: Option<String>,
}
