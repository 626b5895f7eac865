//! What of the orchestrator a fault switch can concern. How a request then fails is the crate's faults.rs.

use serde::{Deserialize, Serialize};

/// The requests that a fault concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plane {
    /// `/internal/v1`, but for the feed.
    Control,
    /// `/v1`.
    Public,
    /// `GET /internal/v1/feed`.
    Feed,
}

pub type Switch = crate::faults::Switch<Plane>;

impl Plane {
    /// The plane of a path; `None` for the test switches and whatever else is on neither.
    pub(crate) fn of(path: &str) -> Option<Self> {
        if path == "/internal/v1/feed" {
            Some(Self::Feed)
        } else if path.starts_with("/internal/") {
            Some(Self::Control)
        } else if path.starts_with("/v1/") {
            Some(Self::Public)
        } else {
            None
        }
    }
}
