//! The one id of a request: in the log, in the response header and on error pages. Made by `server`, carried by the
//! request's extensions.

use std::fmt;

/// The id as it is shown; letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
