//! From the orchestrator's feed to the ledger: `pull` stores what came, `settle` takes accounts in batches that are folded,
//! rated and posted, `live` adds what runs now. The rules are `domain::interval`, `price`, `credit` and `incident`.

#[cfg(feature = "testing")]
pub mod by_hand;
pub(crate) mod feed;
mod key_uses;
pub mod live;
pub(crate) mod meters;
pub mod months;
pub(crate) mod running;
pub mod settle;

/// The one feed there is: the region's orchestrator. A second region brings a second row in `feed_cursors`.
pub const FEED: &str = "orchestrator";
pub use feed::{pull, recheck};
