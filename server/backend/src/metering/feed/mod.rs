//! What the orchestrator's feed brought: every event once, in order, and which accounts have events to settle.

pub(crate) mod events;
pub(crate) mod log;
pub(crate) mod pending;
pub mod pull;
