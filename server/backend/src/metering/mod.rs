//! From the orchestrator's feed to the ledger: `pull` stores what came, `settle` folds, rates and posts it, `live` adds
//! what runs now. The rules are `domain::interval` and `domain::credit`.

pub mod live;
pub mod pull;
pub mod settle;

/// The one feed there is: the region's orchestrator. A second region brings a second row in `feed_cursors`.
pub const FEED: &str = "orchestrator";
