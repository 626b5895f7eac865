//! What one request does to the state: it begins by letting time catch up, records entries, and ends with what must be
//! written. Events and audit entries are made here and nowhere else. May a thing happen? The rules above decide.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    ending::Reason,
    records::{CREATE_MS, Event, Kind, MEM_PEAK_BYTES, Sandbox, Status},
    state::{Entry, State},
};
use crate::{journal::Journaled as _, stamp::Stamp};

/// One request at work, under the lock of shared.rs.
pub(crate) struct Transaction<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) now: Stamp,
    pub(crate) region: &'a str,
    entries: Vec<Entry>,
}

/// What a passed deadline does.
enum Due {
    Hibernate(String, Reason),
    Destroy(String),
    Erase(Uuid),
}

impl<'a> Transaction<'a> {
    /// Begins now, with every deadline up to now met.
    pub(crate) fn begin(state: &'a mut State, region: &'a str) -> Self {
        let now = state.clock.now().max(state.latest);
        state.latest = now;
        let mut transaction = Self {
            state,
            now,
            region,
            entries: Vec::new(),
        };
        transaction.catch_up();
        transaction
    }

    /// Meets the deadlines that the work itself has set or passed; answers what must be written.
    pub(crate) fn end(mut self) -> Vec<Entry> {
        self.catch_up();
        self.entries
    }

    /// Applies a change now and has it written before the answer.
    pub(crate) fn record(&mut self, entry: Entry) {
        self.state.apply(entry.clone());
        self.entries.push(entry);
    }

    /// Lets every deadline up to now take effect, in order and dated at its own moment: so a tenant's `run_until`
    /// is met to the millisecond however seldom anybody looks, and no later event is dated before an earlier one.
    pub(crate) fn catch_up(&mut self) {
        let mut due: Vec<(Stamp, Due)> = Vec::new();
        let runs = |sandbox: &&Sandbox| sandbox.status == Status::Running;
        let live = self
            .state
            .live
            .iter()
            .filter_map(|id| self.state.sandboxes.get(id));
        let accounts: BTreeSet<Uuid> = live.filter(runs).map(|sandbox| sandbox.account).collect();
        for account in accounts {
            self.end_of(account);
        }
        for id in &self.state.live {
            let Some(sandbox) = self
                .state
                .sandboxes
                .get(id)
                .filter(|sandbox| sandbox.status == Status::Running)
            else {
                continue;
            };
            if let Some(at) = sandbox.destroy_at.filter(|at| *at <= self.now) {
                due.push((at, Due::Destroy(id.clone())));
            }
            let stop = self.state.ends.get(&sandbox.account).copied().flatten();
            if let Some((at, why)) = stop.filter(|(at, _)| *at <= self.now) {
                due.push((at, Due::Hibernate(id.clone(), why)));
            }
        }
        for tenant in self.state.tenants.values() {
            if let Some(at) = tenant.erase_at.filter(|at| *at <= self.now) {
                due.push((at, Due::Erase(tenant.account)));
            }
        }
        // Stable: a hibernation and a destruction due at the same moment keep the order above, destruction first.
        due.sort_by_key(|(at, _)| *at);
        for (at, due) in due {
            match due {
                Due::Hibernate(id, why) => self.turn(&id, Kind::Hibernated, at, Some(why)),
                Due::Destroy(id) => self.turn(&id, Kind::Destroyed, at, Some(Reason::Timer)),
                Due::Erase(account) => self.record(Entry::TenantErased(account)),
            }
        }
    }

    /// When what runs of an account must stop, and why; none while no end is in sight. With an allowance it is computed from what
    /// ran and runs, and stays true until that changes.
    pub(crate) fn end_of(&mut self, account: Uuid) -> Option<(Stamp, Reason)> {
        if let Some(known) = self.state.ends.get(&account) {
            return *known;
        }
        let tenant = self.state.tenants.get(&account)?;
        let end = match tenant.allowance() {
            Some(allowance) => {
                let end = allowance.end(&self.state.runs_of(account), self.now);
                end.map(|(at, cause)| (at, cause.into()))
            }
            None => tenant.stop_at.map(|at| (at, tenant.stop_why)),
        };
        self.state.ends.insert(account, end);
        end
    }

    /// The same, computed anew: what had ended may go on, because a grant or a month has begun since.
    pub(crate) fn end_again(&mut self, account: Uuid) -> Option<(Stamp, Reason)> {
        self.state.ends.remove(&account);
        self.end_of(account)
    }

    /// The sandboxes of an account that are not destroyed.
    pub(crate) fn live_of(&self, account: Uuid) -> impl Iterator<Item = &Sandbox> {
        let state = &self.state;
        state
            .live
            .iter()
            .filter_map(|id| state.sandboxes.get(id))
            .filter(move |sandbox| sandbox.account == account)
    }

    /// Writes the event of a sandbox that starts, with the sandbox.
    pub(crate) fn start(&mut self, sandbox: Sandbox) {
        let event = self.event(&sandbox, Kind::Created, self.now, None);
        self.record(Entry::Started {
            sandbox: Box::new(sandbox),
            event: Box::new(event),
        });
    }

    /// Hibernates, resumes or destroys a sandbox at a moment that may have just passed; a turn that does not fit
    /// its state does nothing.
    pub(crate) fn turn(&mut self, id: &str, kind: Kind, at: Stamp, reason: Option<Reason>) {
        let Some(sandbox) = self.state.sandboxes.get(id) else {
            return;
        };
        let fits = match kind {
            Kind::Hibernated => sandbox.status == Status::Running,
            Kind::Resumed => sandbox.status == Status::Hibernated,
            _ => sandbox.status != Status::Destroyed,
        };
        if !fits {
            return;
        }
        let destroy_at = (kind == Kind::Resumed)
            .then(|| sandbox.timer_from(at))
            .flatten();
        let event = self.event(sandbox, kind, at, reason);
        self.record(Entry::Turned {
            event: Box::new(event),
            destroy_at,
        });
        self.audit_turn(id, at);
    }

    fn event(&self, sandbox: &Sandbox, kind: Kind, at: Stamp, reason: Option<Reason>) -> Event {
        let stops = matches!(kind, Kind::Hibernated | Kind::Destroyed);
        let cpu_ms = stops.then(|| sandbox.cpu_ms(at));
        Event {
            seq: self.state.next_seq,
            event_id: Uuid::now_v7(),
            account: sandbox.account,
            sandbox_id: sandbox.id.clone(),
            key_id: sandbox.key_id,
            kind: kind.clone(),
            occurred_at: at,
            recorded_at: self.now,
            image: sandbox.image.clone(),
            region: sandbox.region.clone(),
            vcpus: i64::from(sandbox.vcpus),
            mem_mib: i64::from(sandbox.mem_mib),
            parent_id: sandbox.parent_id.clone(),
            cpu_ms,
            reason,
            destroy_at: match kind {
                Kind::Created => sandbox.destroy_at,
                Kind::Resumed => sandbox.timer_from(at),
                _ => None,
            },
        }
    }

    /// Notes something in the audit trail of a sandbox; nothing if it does not exist.
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
    fn audit_turn(&mut self, id: &str, at: Stamp) {
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
