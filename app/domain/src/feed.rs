//! The orchestrator's feed as facts: lifecycle events in the order of their sequence numbers.
//! The wire format is `backend`'s; what the events mean for billing is `interval`'s.

use uuid::Uuid;

use crate::id::{AccountId, KeyId};
use crate::moment::{DAY_MS, Moment};
use crate::sandbox::{SandboxId, Size};

/// How far an event may reach back behind its recording; what lies further back, a person decides.
pub const LATE_MS_MAX: i64 = 35 * DAY_MS;
/// No event was recorded before this moment, 2021: the product is younger, and nothing before 2020 has a price.
pub const FIRST: Moment = Moment::at_unix_ms(1_609_459_200_000);
/// Nor will one be from this moment on, 2200: it would hold what comes after it still.
pub const LAST: Moment = Moment::at_unix_ms(7_258_118_400_000);
/// A time moved by more than this is worth a finding.
const MOVED_MS_QUIET: i64 = 2_000;
/// A clock ahead of the recording by more than this is worth a finding.
const AHEAD_MS_QUIET: i64 = 5_000;

/// What happened to a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Became usable: a create, a fork's child or a restore.
    Created,
    /// Paused to disk.
    Hibernated,
    /// Woke.
    Resumed,
    /// Ended for good.
    Destroyed,
    /// The orchestrator lost it.
    Unreachable,
    /// And found it again.
    Reachable,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Hibernated,
        Self::Resumed,
        Self::Destroyed,
        Self::Unreachable,
        Self::Reachable,
    ];

    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Hibernated => "hibernated",
            Self::Resumed => "resumed",
            Self::Destroyed => "destroyed",
            Self::Unreachable => "unreachable",
            Self::Reachable => "reachable",
        }
    }

    /// None for a word that is none of them.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Why a sandbox stopped running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// A key or a user of the account asked for it.
    Asked,
    /// Its auto-destroy timer ended.
    Timer,
    /// Credit ended.
    Credit,
    /// The customer's own limit was reached.
    Limit,
    /// The account was suspended.
    Suspended,
    /// The account was closed.
    Closed,
}

impl StopReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::Asked,
        Self::Timer,
        Self::Credit,
        Self::Limit,
        Self::Suspended,
        Self::Closed,
    ];

    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Timer => "timer",
            Self::Credit => "credit",
            Self::Limit => "limit",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
        }
    }

    /// None for a word that is none of them: a reason that is not known is none, and the stop counts all the same.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// One event of the feed, checked for shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Position in the feed, from 1, without gaps.
    pub seq: i64,
    /// The orchestrator's own id of the event.
    pub event_id: Uuid,
    /// The account that is billed for it.
    pub account_id: AccountId,
    /// As the orchestrator names it, such as `run78cb…`.
    pub sandbox_id: SandboxId,
    /// The key that caused it, where a key did.
    pub key_id: Option<KeyId>,
    /// What happened.
    pub kind: EventKind,
    /// When it happened, by the orchestrator's clock.
    pub occurred_at: Moment,
    /// When the orchestrator wrote it down.
    pub recorded_at: Moment,
    /// As the create asked for it, such as `node:22-slim`.
    pub image: String,
    /// The region's two letters.
    pub region: String,
    /// The allocated size.
    pub size: Size,
}

impl Event {
    /// The time that counts when the event before it of the same sandbox counted at `previous`: no later than its
    /// recording, no earlier than 35 days before that, and never before its predecessor. And what was odd about it.
    #[must_use]
    pub fn taken_at(&self, previous: Moment) -> (Moment, Option<SkewFault>) {
        let earliest = self.recorded_at.plus_ms(-LATE_MS_MAX);
        let taken = self
            .occurred_at
            .min(self.recorded_at)
            .max(earliest)
            .max(previous);
        let fault = if self.occurred_at < earliest {
            Some(SkewFault::LateBeyond35Days)
        } else if self.occurred_at.since_ms(self.recorded_at) > AHEAD_MS_QUIET {
            Some(SkewFault::Ahead)
        } else if taken.since_ms(self.occurred_at).abs() > MOVED_MS_QUIET {
            Some(SkewFault::Moved)
        } else {
            None
        };
        (taken, fault)
    }
}

/// What was odd about the time of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SkewFault {
    /// It had to be moved by over 2 s to stand in order.
    Moved,
    /// It lay over 5 s ahead of its own recording.
    Ahead,
    /// It reached back over 35 days; only those are taken.
    LateBeyond35Days,
}

impl SkewFault {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Ahead => "ahead",
            Self::LateBeyond35Days => "late_beyond_35_days",
        }
    }
}

/// An event whose time was odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// Its position in the feed.
    pub seq: i64,
    /// The orchestrator's own id of the event.
    pub event_id: Uuid,
    /// What was odd.
    pub fault: SkewFault,
    /// The time it claims.
    pub claimed: Moment,
    /// The time that counts.
    pub taken: Moment,
}
