//! The outside systems the dashboard talks to, as real servers on loopback: the orchestrator and a mail catcher.
//! Integration tests start them in-process; `make run` and browser tests start the two binaries.
//! Nothing of the dashboard itself belongs here, and the dashboard never depends on this crate outside tests.
//! The files beside this one know no peer; a peer is a folder. Who may import whom is kept by tests/house.rs.

mod clock;
pub mod contract;
mod exchanges;
mod faults;
mod journal;
pub mod mail;
pub mod orchestrator;
mod outside;
mod serve;
mod stamp;
