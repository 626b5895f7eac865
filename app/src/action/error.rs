//! The closed set of what can end an action badly, the only errors that cross to the browser. Why something was refused is
//! said by its subject's words; nothing else is free text.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

use super::problem::Problem;

/// Why an action did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionError {
    /// It was refused for at least one reason.
    Refused(Vec<Problem>),
    /// The person may not, or not yet: the sentence says why.
    Denied(String),
    /// There is no session, or it has ended.
    SignedOut,
    /// Too many at this moment: nothing was tried.
    Busy,
    /// Our side broke; the log has the cause under this request id.
    Unexpected {
        /// Id of the request, as on every page and in the log.
        request_id: String,
    },
}

impl FromServerFnError for ActionError {
    type Encoder = JsonEncoding;

    /// Drops the framework's text: when a body cannot be read it holds the extractor's `Debug` output, and with it what
    /// was typed.
    fn from_server_fn_error(_: ServerFnErrorErr) -> Self {
        #[cfg(feature = "ssr")]
        let request_id = super::request_id::current();
        #[cfg(not(feature = "ssr"))]
        let request_id = String::new();
        Self::Unexpected { request_id }
    }
}
