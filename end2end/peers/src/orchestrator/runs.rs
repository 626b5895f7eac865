//! Sandboxes: their life, timer, audit trail and cost. Rules only; handlers are in public.rs and commands.rs.
//! No virtual machine is behind them: CPU, memory and disk figures are derived from running time, as noted below.

use std::collections::VecDeque;

use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use super::{
    core::Transaction,
    feed::Kind,
    keys::Holder,
    state::Entry,
    wire::{Refusal, Stamp, price_cents, weight},
};
use crate::outside::{random, random_hex};

/// A real sandbox starts in about this many milliseconds; ours in none.
const CREATE_MS: u32 = 9;
/// Stands for the peak memory that a real sandbox would report.
const MEM_PEAK_BYTES: u32 = 48_926_720;
/// Stands for the disk use that a real sandbox would report.
const DISK_USED_BYTES: u32 = 159_744;
/// All live sandboxes of all tenants together.
const MAX_LIVE: usize = 100_000;

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
    ran_ms: i64,
    pub(crate) running_since: Option<Stamp>,
    pub(crate) audit: VecDeque<AuditEntry>,
    audit_seq: u64,
    audit_secret: [u8; 32],
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

    fn next_audit(&self, ts: Stamp, event: &str, data: Value) -> AuditEntry {
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

    pub(crate) fn note(&mut self, entry: AuditEntry, keep: usize) {
        self.audit_seq = entry.seq + 1;
        self.audit.push_back(entry);
        while self.audit.len() > keep {
            self.audit.pop_front();
        }
    }
}

/// A new id: the prefix and 16 hexadecimal digits.
pub(crate) fn new_id(prefix: &str) -> String {
    format!("{prefix}{}", random_hex())
}

impl Transaction<'_> {
    /// Starts `count` sandboxes, all or none. `parent_id` is set for forks.
    pub(crate) fn launch(
        &mut self,
        holder: Holder,
        size: &Size,
        parent_id: Option<&str>,
        count: usize,
    ) -> Result<Vec<String>, Refusal> {
        self.may_start(holder.account, count)?;
        if self.state.live.len() + count > MAX_LIVE {
            return Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "capacity",
                "The orchestrator is full.",
            ));
        }
        let mut ids = Vec::with_capacity(count);
        for _ in 0..count {
            let id = new_id("run");
            let mut sandbox = Sandbox {
                id: id.clone(),
                account: holder.account,
                key_id: Some(holder.key_id),
                parent_id: parent_id.map(ToOwned::to_owned),
                image: size.image.clone(),
                region: self.region.to_owned(),
                vcpus: size.vcpus,
                mem_mib: size.mem_mib,
                disk_mib: size.disk_mib,
                created_at: self.now,
                destroyed_at: None,
                status: Status::Running,
                timeout_s: size.timeout_s,
                destroy_at: None,
                ran_ms: 0,
                running_since: Some(self.now),
                audit: VecDeque::new(),
                audit_seq: 0,
                audit_secret: random(),
            };
            sandbox.destroy_at = sandbox.timer_from(self.now);
            self.start(sandbox);
            let (event, data) = match parent_id {
                Some(parent) => (
                    "sandbox.forked",
                    json!({"parent": parent, "image": size.image}),
                ),
                None => (
                    "sandbox.created",
                    json!({"image": size.image, "vcpus": size.vcpus, "mem_mib": size.mem_mib, "disk_mib": size.disk_mib}),
                ),
            };
            self.audit(&id, event, data);
            ids.push(id);
        }
        Ok(ids)
    }

    /// A sandbox, whoever owns it.
    pub(crate) fn sandbox(&self, id: &str) -> Result<&Sandbox, Refusal> {
        self.state
            .sandboxes
            .get(id)
            .ok_or_else(|| Refusal::not_found("run_unknown", "No such sandbox."))
    }

    /// A sandbox of this account; another tenant's does not exist.
    pub(crate) fn own_sandbox(&self, holder: Holder, id: &str) -> Result<&Sandbox, Refusal> {
        self.state
            .sandboxes
            .get(id)
            .filter(|sandbox| sandbox.account == holder.account)
            .ok_or_else(|| Refusal::not_found("run_unknown", "No such sandbox."))
    }

    pub(crate) fn hibernate(&mut self, id: &str) -> Result<(), Refusal> {
        if self.sandbox(id)?.status == Status::Destroyed {
            return Err(Refusal::conflict("destroyed", "This sandbox is destroyed."));
        }
        self.turn(id, Kind::Hibernated, self.now);
        Ok(())
    }

    pub(crate) fn resume(&mut self, id: &str) -> Result<(), Refusal> {
        let sandbox = self.sandbox(id)?;
        match sandbox.status {
            Status::Running => Ok(()),
            Status::Destroyed => Err(Refusal::conflict("destroyed", "This sandbox is destroyed.")),
            Status::Hibernated => {
                self.may_start(sandbox.account, 1)?;
                self.turn(id, Kind::Resumed, self.now);
                Ok(())
            }
        }
    }

    pub(crate) fn destroy(&mut self, id: &str) -> Result<(), Refusal> {
        self.sandbox(id)?;
        self.turn(id, Kind::Destroyed, self.now);
        Ok(())
    }

    /// Refuses work inside a sandbox that does not run; otherwise counts it as activity, which restarts the timer.
    pub(crate) fn touch(&mut self, holder: Holder, id: &str) -> Result<(), Refusal> {
        let sandbox = self.own_sandbox(holder, id)?;
        if sandbox.status != Status::Running {
            return Err(Refusal::conflict(
                "not_running",
                "This sandbox is not running.",
            ));
        }
        let entry = Entry::Timer {
            sandbox_id: id.to_owned(),
            timeout_s: sandbox.timeout_s,
            destroy_at: sandbox.timer_from(self.now),
        };
        self.record(entry);
        Ok(())
    }

    pub(crate) fn set_timeout(&mut self, id: &str, timeout_s: u32) -> Result<(), Refusal> {
        let mut sandbox = self.sandbox(id)?.clone();
        if sandbox.status == Status::Destroyed {
            return Err(Refusal::conflict("destroyed", "This sandbox is destroyed."));
        }
        sandbox.timeout_s = timeout_s;
        let destroy_at = if sandbox.status == Status::Running {
            sandbox.timer_from(self.now)
        } else {
            None
        };
        self.record(Entry::Timer {
            sandbox_id: id.to_owned(),
            timeout_s,
            destroy_at,
        });
        Ok(())
    }

    pub(crate) fn audit(&mut self, id: &str, event: &str, data: Value) {
        if let Some(sandbox) = self.state.sandboxes.get(id) {
            let entry = sandbox.next_audit(self.now, event, data);
            self.record(Entry::Audited {
                sandbox_id: id.to_owned(),
                entry,
            });
        }
    }

    /// The audit entry that goes with a turn just recorded, dated at the turn's own moment.
    pub(crate) fn audit_turn(&mut self, id: &str, at: Stamp) {
        let Some(sandbox) = self.state.sandboxes.get(id) else {
            return;
        };
        let (event, data) = match sandbox.status {
            Status::Running => ("sandbox.resumed", json!({"restore_ms": CREATE_MS})),
            Status::Hibernated => (
                "sandbox.hibernated",
                json!({"snapshot_size_bytes": MEM_PEAK_BYTES}),
            ),
            Status::Destroyed => (
                "sandbox.destroyed",
                json!({"cpu_ms": sandbox.cpu_ms(at), "mem_peak_bytes": MEM_PEAK_BYTES, "uptime_ms": sandbox.running_ms(at)}),
            ),
        };
        let entry = sandbox.next_audit(at, event, data);
        self.record(Entry::Audited {
            sandbox_id: id.to_owned(),
            entry,
        });
    }
}
