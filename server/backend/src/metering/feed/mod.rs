//! What the orchestrator's feed brought: every event once, in order, and which accounts have events to settle.

pub mod events;
pub mod log;
pub mod pending;
pub mod pull;
