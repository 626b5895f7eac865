//! What the orchestrator keeps of tenants, keys, sandboxes, snapshots and the feed: their fields, what follows from the
//! fields alone, and how each is shown. No virtual machine is behind a sandbox: CPU, memory and disk figures are derived
//! from running time. Which of them there are is state.rs; whether something may happen, the rules say.

use std::collections::VecDeque;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use super::allowance::{Allowance, Run};
use super::ending::{Cause, Reason};
use super::wire::{Refusal, price_cents, weight};
use crate::stamp::Stamp;

/// A real sandbox starts in about this many milliseconds; ours in none.
pub(crate) const CREATE_MS: u32 = 9;
/// Stands for the peak memory that a real sandbox would report.
pub(crate) const MEM_PEAK_BYTES: u32 = 48_926_720;
/// Stands for the disk use that a real sandbox would report.
const DISK_USED_BYTES: u32 = 159_744;
/// Stands for the size of a real snapshot.
pub(crate) const SIZE_BYTES: u32 = 268_435_456;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Standing {
    Active,
    Suspended,
    Closed,
}

/// What the dashboard pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    pub(crate) generation: u64,
    pub(crate) state: Standing,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run_until: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<Cause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) allowance: Option<Allowance>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_running: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Tenant {
    pub(crate) account: Uuid,
    pub(crate) wanted: Wanted,
    /// When running sandboxes hibernate, where no allowance says so: `run_until`, or the moment it was pushed if that was later.
    pub(crate) stop_at: Option<Stamp>,
    /// What the feed says of what is hibernated then; in a journal of before it was `run_until`'s credit.
    #[serde(default = "Reason::of_before")]
    pub(crate) stop_why: Reason,
    pub(crate) erase_at: Option<Stamp>,
    /// What was pushed, from its push on if its `as_of` was ahead of our clock: of what is still to come nothing is counted.
    #[serde(default)]
    pub(crate) allowance: Option<Allowance>,
}

impl Tenant {
    /// What the end is computed from, while the account may run anything at all.
    pub(crate) fn allowance(&self) -> Option<&Allowance> {
        let is_active = self.wanted.state == Standing::Active;
        self.allowance.as_ref().filter(|_| is_active)
    }

    pub(crate) fn shown(&self, end: Option<(Stamp, Reason)>) -> Result<Value, Refusal> {
        let mut value = serde_json::to_value(&self.wanted)
            .map_err(|error| Refusal::broken(error.to_string()))?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("account".to_owned(), json!(self.account));
            if let Some((at, reason)) = end {
                fields.insert("ends".to_owned(), json!({"at": at, "reason": reason}));
            }
        }
        Ok(value)
    }
}

/// A key as pushed, with its last callers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) account: Uuid,
    pub(crate) sha256: String,
    pub(crate) region: String,
    pub(crate) not_after: Option<Stamp>,
    pub(crate) callers: Vec<Caller>,
}

/// A source of calls with a key, newest call first in a key's list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Caller {
    /// The last call from here.
    pub(crate) at: Stamp,
    /// Truncated to /24 or /48.
    pub(crate) address: String,
    pub(crate) sdk: String,
    pub(crate) count: u64,
}

impl Caller {
    pub(crate) fn same_source(&self, other: &Self) -> bool {
        self.address == other.address && self.sdk == other.sdk
    }
}

/// The key id and account behind a valid key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) key_id: Uuid,
    pub(crate) account: Uuid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Running,
    Hibernated,
    Destroyed,
}

/// What a sandbox is made from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Size {
    pub(crate) image: String,
    pub(crate) vcpus: u32,
    pub(crate) mem_mib: u32,
    pub(crate) disk_mib: u32,
    pub(crate) timeout_s: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sandbox {
    pub(crate) id: String,
    pub(crate) account: Uuid,
    pub(crate) key_id: Option<Uuid>,
    pub(crate) parent_id: Option<String>,
    pub(crate) image: String,
    pub(crate) region: String,
    pub(crate) vcpus: u32,
    pub(crate) mem_mib: u32,
    pub(crate) disk_mib: u32,
    pub(crate) created_at: Stamp,
    pub(crate) destroyed_at: Option<Stamp>,
    pub(crate) status: Status,
    /// Seconds of the auto-destroy timer; 0 is never.
    pub(crate) timeout_s: u32,
    /// When the timer ends, while running.
    pub(crate) destroy_at: Option<Stamp>,
    /// Milliseconds of ended running intervals.
    pub(crate) ran_ms: i64,
    pub(crate) running_since: Option<Stamp>,
    pub(crate) audit: VecDeque<AuditEntry>,
    pub(crate) audit_seq: u64,
    pub(crate) audit_secret: [u8; 32],
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AuditEntry {
    seq: u64,
    ts: Stamp,
    sandbox_id: String,
    event: String,
    data: Value,
    hmac: String,
}

impl Sandbox {
    /// Ends a running interval.
    pub(crate) fn rest(&mut self, at: Stamp) {
        if let Some(since) = self.running_since.take() {
            self.ran_ms += at.since(since);
        }
    }

    /// Milliseconds of running up to `now`: what is billed.
    pub(crate) fn running_ms(&self, now: Stamp) -> i64 {
        self.ran_ms + self.running_since.map_or(0, |since| now.since(since))
    }

    /// Price weight of its running time up to `now`.
    pub(crate) fn weight(&self, now: Stamp) -> i128 {
        weight(
            i64::from(self.vcpus),
            i64::from(self.mem_mib),
            self.running_ms(now),
        )
    }

    /// CPU time: a tenth of the running time, since nothing really computes; a thousandth of it in an image named idle.
    pub(crate) fn cpu_ms(&self, now: Stamp) -> i64 {
        let share = if self.image.starts_with("idle") {
            1_000
        } else {
            10
        };
        self.running_ms(now) / share
    }

    /// Its present stretch of running, up to where its timer ends it.
    pub(crate) fn run(&self) -> Option<Run> {
        Some(Run {
            vcpus: self.vcpus,
            mem_mib: self.mem_mib,
            from: self.running_since?,
            until: self.destroy_at,
        })
    }

    /// When the auto-destroy timer ends if it starts at `at`.
    pub(crate) fn timer_from(&self, at: Stamp) -> Option<Stamp> {
        (self.timeout_s > 0).then(|| at.plus_ms(i64::from(self.timeout_s) * 1_000))
    }

    pub(crate) fn size(&self) -> Size {
        Size {
            image: self.image.clone(),
            vcpus: self.vcpus,
            mem_mib: self.mem_mib,
            disk_mib: self.disk_mib,
            timeout_s: self.timeout_s,
        }
    }

    /// The run object of the public API.
    pub(crate) fn shown(&self) -> Value {
        json!({
            "id": self.id, "status": self.status, "image": self.image, "region": self.region, "vcpus": self.vcpus,
            "mem_mib": self.mem_mib, "disk_mib": self.disk_mib, "create_ms": CREATE_MS, "created_at": self.created_at,
        })
    }

    /// The run object of the control plane: the public one, with what reconciliation needs.
    pub(crate) fn shown_to_control(&self, now: Stamp) -> Value {
        let mut value = self.shown();
        if let Some(fields) = value.as_object_mut() {
            fields.insert("account".to_owned(), json!(self.account));
            fields.insert("key_id".to_owned(), json!(self.key_id));
            fields.insert("parent_id".to_owned(), json!(self.parent_id));
            fields.insert("running_ms".to_owned(), json!(self.running_ms(now)));
            fields.insert("cpu_ms".to_owned(), json!(self.cpu_ms(now)));
            fields.insert("destroy_at".to_owned(), json!(self.destroy_at));
        }
        value
    }

    pub(crate) fn shown_destroyed(&self, now: Stamp) -> Value {
        json!({
            "id": self.id, "status": self.status, "cpu_ms": self.cpu_ms(now), "mem_peak_bytes": MEM_PEAK_BYTES,
            "mem_current_bytes": 0, "disk_used_bytes": DISK_USED_BYTES, "uptime_ms": self.running_ms(now),
            "cost_cents": price_cents(self.weight(now)),
        })
    }

    pub(crate) fn shown_in_history(&self, now: Stamp) -> Value {
        json!({
            "id": self.id, "image": self.image, "region": self.region, "vcpus": self.vcpus, "mem_mib": self.mem_mib,
            "create_ms": CREATE_MS, "created_at": self.created_at, "destroyed_at": self.destroyed_at,
            "uptime_ms": self.running_ms(now), "cpu_ms": self.cpu_ms(now), "mem_peak_bytes": MEM_PEAK_BYTES,
            "cost_cents": price_cents(self.weight(now)),
        })
    }

    /// The audit trail as JSON lines.
    pub(crate) fn audit_lines(&self) -> Result<String, Refusal> {
        let mut lines = String::new();
        for entry in &self.audit {
            lines.push_str(
                &serde_json::to_string(entry)
                    .map_err(|error| Refusal::broken(error.to_string()))?,
            );
            lines.push('\n');
        }
        Ok(lines)
    }

    /// The entry that comes next in the audit trail, signed over the one before it.
    pub(crate) fn next_audit(&self, ts: Stamp, event: &str, data: Value) -> AuditEntry {
        let previous = self.audit.back().map_or("", |entry| entry.hmac.as_str());
        let message = format!("{previous}\n{}\n{event}\n{data}", self.audit_seq);
        // HMAC takes a key of any length; the error cannot happen and would only leave the chain unsigned.
        let hmac = Hmac::<Sha256>::new_from_slice(&self.audit_secret).map_or_else(
            |_| String::new(),
            |mut mac| {
                mac.update(message.as_bytes());
                mac.finalize()
                    .into_bytes()
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect()
            },
        );
        AuditEntry {
            seq: self.audit_seq,
            ts,
            sandbox_id: self.id.clone(),
            event: event.to_owned(),
            data,
            hmac: format!("sha256:{hmac}"),
        }
    }

    /// Keeps an entry of the audit trail, and of all entries the newest `keep`.
    pub(crate) fn note(&mut self, entry: AuditEntry, keep: usize) {
        self.audit_seq = entry.seq + 1;
        self.audit.push_back(entry);
        while self.audit.len() > keep {
            self.audit.pop_front();
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) id: String,
    pub(crate) account: Uuid,
    pub(crate) run_id: String,
    pub(crate) created_at: Stamp,
    pub(crate) size: Size,
}

impl Snapshot {
    pub(crate) fn shown(&self) -> Value {
        json!({"id": self.id, "run_id": self.run_id, "size_bytes": SIZE_BYTES, "created_at": self.created_at})
    }
}

/// What happened to a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Created,
    Hibernated,
    Resumed,
    Destroyed,
    Unreachable,
    Reachable,
    /// Outside the contract; only a test switch writes it.
    #[serde(untagged)]
    Other(String),
}

/// One line of the feed. Sizes are signed because test switches may write nonsense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// From 1, without gaps.
    pub seq: u64,
    pub event_id: Uuid,
    pub account: Uuid,
    pub sandbox_id: String,
    pub key_id: Option<Uuid>,
    pub kind: Kind,
    pub occurred_at: Stamp,
    pub recorded_at: Stamp,
    pub image: String,
    pub region: String,
    pub vcpus: i64,
    pub mem_mib: i64,
    /// The source sandbox of a fork.
    pub parent_id: Option<String>,
    /// Milliseconds of CPU used so far; `hibernated` and `destroyed` know it.
    pub cpu_ms: Option<i64>,
    /// Why it stopped; `hibernated` and `destroyed` know it.
    pub reason: Option<Reason>,
    /// When the timer of what started will destroy it, as it is now.
    pub destroy_at: Option<Stamp>,
}
