//! Services against real PostgreSQL, a real orchestrator peer and a real SMTP server. One file per subject; browsers and
//! HTTP are tested in `server` and `end2end`.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod feed;
mod grant_ends;
mod incidents;
mod jobs;
mod ledger;
mod meter;
mod own_prices;
mod settling;
mod sign_up;
mod skew;
mod world;
