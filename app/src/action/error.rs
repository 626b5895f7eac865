//! The closed set of what can end an action badly, the only errors that cross to the browser. No free text, no data:
//! the sentences are in `pages::words`.

use domain::refusal::{
    AlertRefusal, CalendarRefusal, KeyRefusal, LimitRefusal, SandboxRefusal, SignInRefusal,
    SignUpRefusal, VerificationRefusal, WebhookRefusal,
};
use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// Why an action did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionError {
    /// A sign-up was refused.
    SignUp(SignUpRefusal),
    /// A sign-in was refused.
    SignIn(SignInRefusal),
    /// A confirmation of an address was refused.
    Verification(VerificationRefusal),
    /// A change to a key was refused.
    Key(KeyRefusal),
    /// A command to a sandbox was refused.
    Sandbox(SandboxRefusal),
    /// A change to the monthly limit was refused.
    Limit(LimitRefusal),
    /// A change to alerts or their recipients was refused.
    Alert(AlertRefusal),
    /// A change to the webhook was refused.
    Webhook(WebhookRefusal),
    /// A change to the calendar feed was refused.
    Calendar(CalendarRefusal),
    /// The person may not, or not yet: the sentence says why.
    Denied(String),
    /// There is no session, or it has ended.
    SignedOut,
    /// Our side broke; the log has the cause under this request id.
    Unexpected {
        /// Id of the request, as on every page and in the log.
        request_id: String,
    },
}

impl FromServerFnError for ActionError {
    type Encoder = JsonEncoding;

    /// Drops the framework's text: extractor failures carry `Debug` output (reference/codebases.md 3.5).
    fn from_server_fn_error(_: ServerFnErrorErr) -> Self {
        #[cfg(feature = "ssr")]
        let request_id = super::request_id::current();
        #[cfg(not(feature = "ssr"))]
        let request_id = String::new();
        Self::Unexpected { request_id }
    }
}

macro_rules! refusals {
    ($($refusal:ident => $variant:ident),+ $(,)?) => {$(
        impl From<$refusal> for ActionError {
            fn from(refusal: $refusal) -> Self {
                Self::$variant(refusal)
            }
        }
    )+};
}

refusals! {
    SignUpRefusal => SignUp,
    SignInRefusal => SignIn,
    VerificationRefusal => Verification,
    KeyRefusal => Key,
    SandboxRefusal => Sandbox,
    LimitRefusal => Limit,
    AlertRefusal => Alert,
    WebhookRefusal => Webhook,
    CalendarRefusal => Calendar,
}
