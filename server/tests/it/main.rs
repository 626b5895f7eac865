//! The dashboard over HTTP, on a real database and real peers: journeys, bad input, and the coverage tests that fail on
//! a new route, table, server function or browser dependency until somebody has classed it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod actions;
mod alerts;
mod breakages;
mod browser;
mod frame;
mod headers;
mod hostile;
mod limits;
mod lists;
mod matrix;
mod methods;
mod once;
mod outage;
mod owner;
mod program;
mod refusals;
mod roles;
mod routes;
mod same_origin;
mod sessions;
mod sign_up;
mod sign_up_refused;
mod statement;
mod stopped;
mod twins;
mod usage;
mod usage_drawn;
mod usage_lines;
mod usage_lives;
mod usage_page;
mod wasm_is_pure;
mod world;
