//! What is to be settled: of one account, and what holds for all accounts of a round.
//! Settling it is `batch`'s.

use std::collections::HashMap;
use std::sync::Arc;

use domain::id::AccountId;
use domain::moment::Moment;
use domain::price::Price;
use time::OffsetDateTime;

use crate::metering::meters::BehindRow;

/// What holds for all accounts of a round.
pub struct Round<'a> {
    pub feed: &'a str,
    pub epoch: &'a str,
    /// Everything that happened before it is among the events.
    pub watermark: OffsetDateTime,
    /// The watermark up to which all accounts were settled before.
    pub settled_at: Option<OffsetDateTime>,
    /// The whole hour that the watermark has passed.
    pub horizon: Moment,
    /// Now, by our clock: when things are booked, never what they cost.
    pub now: OffsetDateTime,
}

/// The price books of a batch.
pub type Books = HashMap<AccountId, Arc<[Price]>>;

/// What is to be settled of one account.
pub struct Plan {
    pub account_id: AccountId,
    /// The last event settled before.
    pub after: i64,
    /// The last event to settle now.
    pub last: i64,
    /// True unless more events of it are stored than are settled at once.
    pub is_whole: bool,
    /// The hour up to which what runs was booked before.
    pub since: Option<Moment>,
    /// The hour up to which what runs is booked now. Without all events that hour stays where it was: what the rest says
    /// of it is not known yet.
    pub horizon: Moment,
}

impl Plan {
    pub(crate) fn of(row: &BehindRow, horizon: Moment) -> Self {
        let since = row.settled_until.map(Moment::from);
        let is_whole = row.pending < domain::ceilings::SETTLED_EVENTS_PER_ACCOUNT;
        Self {
            account_id: row.account_id,
            after: row.settled_seq,
            last: row.last_seq.unwrap_or(row.settled_seq),
            is_whole,
            since,
            horizon: match since {
                Some(since) if is_whole => since.max(horizon),
                Some(since) => since,
                None => horizon,
            },
        }
    }

    /// The hour from which what runs is booked on, if hours have passed.
    pub(crate) fn extends_from(&self) -> Option<Moment> {
        self.since.filter(|since| *since < self.horizon)
    }
}
