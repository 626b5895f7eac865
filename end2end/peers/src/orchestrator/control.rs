//! The in-process handle of tests: clock, faults, feed damage, and looking inside. `/peer/*` offers the same by HTTP.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    ending::Reason,
    plane::Switch,
    records::{Event, Kind},
    runs::new_id,
    shared::Shared,
    state::Entry,
    transaction::Transaction,
    wire::Refusal,
};
use crate::{clock::Clock, contract::Exchange, stamp::Stamp};

/// A handle to a running orchestrator; cheap to clone.
#[derive(Clone)]
pub struct Control {
    pub(super) shared: Arc<Shared>,
}

/// An event for the feed that no sandbox made; what is missing gets a sensible value. Nothing is checked, so that
/// foreign accounts, negative durations and unknown kinds can be tried.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Appended {
    /// Random if absent.
    pub account: Option<Uuid>,
    /// Random if absent.
    pub sandbox_id: Option<String>,
    pub key_id: Option<Uuid>,
    /// `created` if absent.
    pub kind: Option<Kind>,
    /// Now if absent.
    pub occurred_at: Option<Stamp>,
    pub image: Option<String>,
    pub region: Option<String>,
    /// 1 if absent.
    pub vcpus: Option<i64>,
    /// 1,024 if absent.
    pub mem_mib: Option<i64>,
    pub parent_id: Option<String>,
    pub cpu_ms: Option<i64>,
    pub reason: Option<Reason>,
    pub destroy_at: Option<Stamp>,
}

/// What a switch could not do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ControlError(String);

impl From<Refusal> for ControlError {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.message)
    }
}

impl Control {
    /// The orchestrator's present moment.
    pub fn now(&self) -> Result<Stamp, ControlError> {
        Ok(self.shared.transact(|transaction| Ok(transaction.now))?)
    }

    /// Sets how many virtual milliseconds pass in a real one: 0 stands still, at most 100,000.
    pub fn set_speed(&self, speed: u32) -> Result<Stamp, ControlError> {
        Ok(self
            .shared
            .transact(|transaction| transaction.set_speed(speed))?)
    }

    /// Moves time forward by 0 to 400 days; deadlines in between take effect at their own moment.
    pub fn advance_ms(&self, ms: i64) -> Result<Stamp, ControlError> {
        Ok(self
            .shared
            .transact(|transaction| transaction.advance(ms))?)
    }

    /// Lets time begin at a moment of the past, so that a history can be lived through from there. Only while nothing has
    /// happened yet: later, a clock does not go back.
    ///
    /// # Errors
    /// When something has happened, or the moment is to come.
    pub fn begin_at(&self, at: Stamp) -> Result<(), ControlError> {
        Ok(self
            .shared
            .transact(|transaction| transaction.begin_at(at))?)
    }

    pub fn fault(&self, switch: Switch) -> Result<(), ControlError> {
        Ok(self.shared.faults.add(switch).map_err(Refusal::from)?)
    }

    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// The whole feed.
    pub fn events(&self) -> Result<Vec<Event>, ControlError> {
        Ok(self
            .shared
            .transact(|transaction| Ok(transaction.state.events.clone()))?)
    }

    /// Milliseconds that a sandbox has run so far: what must be billed. `None` if it does not exist.
    pub fn billed_ms(&self, sandbox_id: &str) -> Result<Option<i64>, ControlError> {
        Ok(self.shared.transact(|transaction| {
            let sandbox = transaction.state.sandboxes.get(sandbox_id);
            Ok(sandbox.map(|sandbox| sandbox.running_ms(transaction.now)))
        })?)
    }

    /// When what runs of an account must stop, and why; none while no end is in sight.
    pub fn end(&self, account: Uuid) -> Result<Option<(Stamp, Reason)>, ControlError> {
        Ok(self
            .shared
            .transact(|transaction| Ok(transaction.end_again(account)))?)
    }

    /// The sandboxes of an account that run, each with the moment at which its timer destroys it.
    pub fn timers(&self, account: Uuid) -> Result<Vec<(String, Option<Stamp>)>, ControlError> {
        Ok(self.shared.transact(|transaction| {
            let running = transaction
                .live_of(account)
                .filter(|sandbox| sandbox.running_since.is_some());
            Ok(running
                .map(|sandbox| (sandbox.id.clone(), sandbox.destroy_at))
                .collect())
        })?)
    }

    /// The last 256 control-plane exchanges, oldest first; those met by a fault are not among them.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.exchanges.all()
    }

    /// Changes the content of an event that is already in the feed.
    pub fn rewrite(&self, seq: u64) -> Result<(), ControlError> {
        Ok(self
            .shared
            .transact(|transaction| transaction.rewrite(seq))?)
    }

    /// Lets the feed say `line`, byte by byte and whatever it is, in the place of an event.
    pub fn damage(&self, seq: u64, line: impl Into<Vec<u8>>) {
        self.shared.damage(seq, line.into());
    }

    /// Leaves out the next sequence number.
    pub fn skip(&self) -> Result<(), ControlError> {
        Ok(self.shared.transact(|transaction| {
            transaction.record(Entry::Skipped);
            Ok(())
        })?)
    }

    /// Appends events that no sandbox made; answers them as written.
    pub fn append(&self, events: Vec<Appended>) -> Result<Vec<Event>, ControlError> {
        Ok(self
            .shared
            .transact(|transaction| Ok(transaction.append(events)))?)
    }
}

impl Transaction<'_> {
    pub(super) fn set_speed(&mut self, speed: u32) -> Result<Stamp, Refusal> {
        if speed > Clock::MAX_SPEED {
            return Err(Refusal::invalid("speed must be 0 to 100000."));
        }
        self.record(Entry::Clock(Clock::at_speed(self.now, speed)));
        Ok(self.now)
    }

    pub(super) fn advance(&mut self, ms: i64) -> Result<Stamp, Refusal> {
        if !(0..=Clock::MAX_ADVANCE_MS).contains(&ms) {
            return Err(Refusal::invalid("advance_ms must be 0 to 34560000000."));
        }
        self.now = self.now.plus_ms(ms);
        let clock = Clock::at_speed(self.now, self.state.clock.speed);
        self.record(Entry::Clock(clock));
        self.catch_up();
        Ok(self.now)
    }

    fn begin_at(&mut self, at: Stamp) -> Result<(), Refusal> {
        if !self.state.events.is_empty() || !self.state.tenants.is_empty() || at > self.now {
            return Err(Refusal::invalid(
                "time begins before now, and before anything has happened.",
            ));
        }
        self.now = at;
        let clock = Clock::at_speed(at, self.state.clock.speed);
        self.record(Entry::Began(clock));
        Ok(())
    }

    pub(super) fn rewrite(&mut self, seq: u64) -> Result<(), Refusal> {
        let event = self.state.events.iter().find(|event| event.seq == seq);
        let vcpus = event
            .ok_or_else(|| Refusal::not_found("event_unknown", "No such event."))?
            .vcpus
            + 1;
        self.record(Entry::Rewritten { seq, vcpus });
        Ok(())
    }

    pub(super) fn append(&mut self, events: Vec<Appended>) -> Vec<Event> {
        events
            .into_iter()
            .map(|wanted| {
                let event = Event {
                    seq: self.state.next_seq,
                    event_id: Uuid::now_v7(),
                    account: wanted.account.unwrap_or_else(Uuid::now_v7),
                    sandbox_id: wanted.sandbox_id.unwrap_or_else(|| new_id("run")),
                    key_id: wanted.key_id,
                    kind: wanted.kind.unwrap_or(Kind::Created),
                    occurred_at: wanted.occurred_at.unwrap_or(self.now),
                    recorded_at: self.now,
                    image: wanted.image.unwrap_or_else(|| "node:22-slim".to_owned()),
                    region: wanted.region.unwrap_or_else(|| self.region.to_owned()),
                    vcpus: wanted.vcpus.unwrap_or(1),
                    mem_mib: wanted.mem_mib.unwrap_or(1_024),
                    parent_id: wanted.parent_id,
                    cpu_ms: wanted.cpu_ms,
                    reason: wanted.reason,
                    destroy_at: wanted.destroy_at,
                };
                self.record(Entry::Appended(Box::new(event.clone())));
                event
            })
            .collect()
    }
}
