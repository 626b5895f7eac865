//! The backend against real PostgreSQL, a real orchestrator peer and a real SMTP server. One file per subject; browsers and
//! HTTP are tested in `server` and `end2end`.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod allowance;
mod calendar;
mod checks;
mod checks_faults;
mod credit;
mod feed;
mod feed_any;
mod feed_lines;
mod grant_ends;
mod house;
mod incidents;
mod invariants;
mod jobs;
mod ladder;
mod lanes;
mod late;
mod ledger;
mod letters;
mod mails;
mod meter;
mod model;
mod months;
mod one_position;
mod outlook;
mod outlook_alerts;
mod own_prices;
mod plans;
mod pool;
mod receiver;
mod refusals;
mod rights;
mod same_moment;
mod schema;
mod search;
mod settling;
mod sign_up;
mod skew;
mod targets;
mod two_keys;
mod upgraded;
mod waste;
mod world;
