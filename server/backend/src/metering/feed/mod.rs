//! What the orchestrator's feed brought: every event once, in order, and which accounts have events to settle.

pub(crate) mod events;
mod keep;
mod line;
pub(crate) mod log;
pub(crate) mod pending;
pub mod pull;
pub mod recheck;

/// What the findings about the feed itself are filed under.
pub(crate) const CHECK: &str = "feed";
