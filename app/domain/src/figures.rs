//! The figures of the overview that move while it is open. Crosses to the browser, so it holds only what the page shows,
//! already worded for people. Everything that stands still is rendered once by the page itself.

use serde::{Deserialize, Serialize};

/// Live figures, complete at every moment; the island replaces the old ones by the new ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// How far the first run has come; the page offers to reload itself into the next stage.
    pub stage: Stage,
    /// Credit left, such as `$49.998932`.
    pub balance: String,
    /// Credit left in ticks, exact, for tests and tools.
    pub balance_ticks: String,
    /// Spending rate now, such as `$0.041`.
    pub rate_per_hour: String,
    /// Sandboxes that run by the settled feed.
    pub running: i64,
    /// How long credit or the customer's own limit lasts at this pace: `in 25 days`, `in 21 h 40 m`, `now` or `never`.
    pub runs_out: String,
    /// When that is: `Mon 23 Nov 2026, 14:20 UTC`; empty for `now` and `never`.
    pub runs_out_at: String,
    /// What ends then and why, such as `empty, at this pace`.
    pub runs_out_note: String,
    /// The moment the figures are true for, in words with the zone.
    pub as_of: String,
    /// True when usage has not arrived lately, for whatever reason, so the figures may be old.
    pub stale: bool,
    /// The first sandbox in words once there is one: `run78cb… started 3 s ago, $0.0000342 so far`.
    pub first_sandbox: Option<String>,
}

/// How far a new account has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// No key yet.
    NeedsKey,
    /// A key, but nothing ever ran.
    NeedsSandbox,
    /// The first sandbox has run.
    Underway,
}
