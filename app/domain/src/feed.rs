//! The orchestrator's feed as facts: lifecycle events in the order of their sequence numbers.
//! The wire format is `backend`'s; what the events mean for billing is `interval`'s.

use uuid::Uuid;

use crate::id::{AccountId, KeyId};
use crate::moment::Moment;
use crate::sandbox::{SandboxId, Size};

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

    /// The kind of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One event of the feed, checked for shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Position in the feed, from 1, without gaps.
    pub seq: i64,
    /// The orchestrator's own id of the event.
    pub event_id: Uuid,
    /// Whose sandbox.
    pub account_id: AccountId,
    /// Which sandbox.
    pub sandbox_id: SandboxId,
    /// The key that caused it, where a key did.
    pub key_id: Option<KeyId>,
    /// What happened.
    pub kind: EventKind,
    /// When it happened, by the orchestrator's clock.
    pub occurred_at: Moment,
    /// When the orchestrator wrote it down.
    pub recorded_at: Moment,
    /// The image's name.
    pub image: String,
    /// The region's two letters.
    pub region: String,
    /// The allocated size.
    pub size: Size,
}
