//! The outside systems the dashboard talks to, as real servers on loopback: the orchestrator and a mail catcher.
//! Integration tests start them in-process; `make run` and browser tests start the two binaries.
//! Nothing of the dashboard itself belongs here, and the dashboard never depends on this crate outside tests.

pub mod contract;
pub mod mail;
pub mod orchestrator;
mod outside;
mod serve;
