//! The checks: each lays two records of the same thing beside each other and writes what differs into `findings`.
//! They change nothing else, and run again they find the same. One file per check; when each is due is `schedule`'s. A check
//! speaks only of what is settled, so that it is silent while nothing is wrong.

pub mod days;
pub mod evidence;
pub mod feed_fold;
pub mod hours;
pub mod job;
pub mod ledger;
pub mod live_list;
pub mod rated;
pub mod stopped;
mod store;
pub mod walk;

use crate::ledger::chain;
use domain::id::AccountId;
use uuid::Uuid;

use crate::Backend;

use crate::checks::walk::guard;
use crate::failure::Broken;
use crate::queue::turn::{Place, next};

/// The names under which findings are kept; the gauge of open findings walks them.
pub const NAMES: [&str; 8] = ["r1", "r2", "r3", "r4", "r7", "skew", "month", "feed"];

/// A round of a check. The names are stored in schedules and jobs: add, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// R1: the feed replayed beside what is stored of it, for sandboxes with new events.
    FoldTouched,
    /// R1 for every sandbox.
    FoldAll,
    /// R2: the orchestrator's live list beside the feed.
    LiveList,
    /// R3: slices of sandboxes with new events beside what the feed and the prices make of them.
    RatedTouched,
    /// R3: hours rated, summed and booked, of the last 35 days.
    Hours,
    /// R3 for every sandbox and hour.
    HoursAll,
    /// R4: balances and grants beside their transfers.
    Ledger,
    /// R4: the chain of ledger days.
    Chain,
    /// R7: who is stopped runs nothing, who runs has credit.
    Stopped,
}

impl Round {
    /// Every round.
    pub const ALL: [Self; 9] = [
        Self::FoldTouched,
        Self::FoldAll,
        Self::LiveList,
        Self::RatedTouched,
        Self::Hours,
        Self::HoursAll,
        Self::Ledger,
        Self::Chain,
        Self::Stopped,
    ];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FoldTouched => "r1-touched",
            Self::FoldAll => "r1-all",
            Self::LiveList => "r2",
            Self::RatedTouched => "r3-touched",
            Self::Hours => "r3-hours",
            Self::HoursAll => "r3-all",
            Self::Ledger => "r4-ledger",
            Self::Chain => "r4-chain",
            Self::Stopped => "r7",
        }
    }

    /// The round of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|round| round.as_str() == name)
    }
}

/// Does one bounded turn of a round, going on from `place`.
///
/// # Errors
/// When the database fails. An account whose rows make no sense is logged and passed over.
pub async fn turn(backend: &Backend, round: Round, place: &str) -> Result<Place, Broken> {
    match round {
        Round::FoldTouched => evidence::touched(backend, Look::Fold, place).await,
        Round::RatedTouched => evidence::touched(backend, Look::Slices, place).await,
        Round::LiveList => live_list::turn(backend, place).await,
        Round::Chain => chain::verify(backend, place).await,
        Round::Stopped => stopped::turn(backend, place).await,
        Round::FoldAll | Round::Hours | Round::HoursAll | Round::Ledger => {
            walk(backend, round, place).await
        }
    }
}

/// Accounts of one turn of a round that walks them all.
const ACCOUNTS_PER_TURN: i64 = 500;

#[derive(Clone, Copy)]
enum Look {
    Fold,
    Slices,
}

impl Look {
    const fn check(self) -> &'static str {
        match self {
            Self::Fold => feed_fold::NAME,
            Self::Slices => rated::NAME,
        }
    }

    async fn at(
        self,
        backend: &Backend,
        id: AccountId,
        sandboxes: &[String],
    ) -> Result<(), Broken> {
        match self {
            Self::Fold => feed_fold::look(backend, id, sandboxes).await,
            Self::Slices => hours::slices_of(backend, id, sandboxes).await,
        }
    }
}

/// Does a round that walks all accounts, a bounded number of them, in the order of their ids. One that breaks is logged and
/// counted; the others go on.
async fn walk(backend: &Backend, round: Round, place: &str) -> Result<Place, Broken> {
    let after = Uuid::parse_str(place).unwrap_or_default();
    let mut db = backend.pool().acquire().await?;
    let accounts = store::ledger::accounts_after(&mut db, after, ACCOUNTS_PER_TURN).await?;
    drop(db);
    for account_id in &accounts {
        let looked = match round {
            Round::FoldAll => evidence::every_sandbox(backend, *account_id, Look::Fold).await,
            Round::Hours => hours::recent(backend, *account_id).await,
            Round::HoursAll => hours::all(backend, *account_id).await,
            _ => ledger::look(backend, *account_id).await,
        };
        guard(*account_id, looked);
    }
    Ok(next(&accounts, ACCOUNTS_PER_TURN))
}
