//! One lock that orders everything: a transaction first lets time catch up (deadlines that passed take effect at
//! their own moment), then does its work, then writes the journal, and only then is answered.
//! What a deadline is: runs.rs and tenants.rs. No HTTP here.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

use super::{
    exchanges::Exchanges,
    faults::Faults,
    feed::{Event, Kind},
    journal::Journal,
    runs::{Sandbox, Status},
    state::{Entry, State},
    wire::{Refusal, Stamp},
};

struct Core {
    state: State,
    journal: Journal,
    /// Set when the journal could not be written (memory is then ahead of the disk) or the process is "dead".
    stopped: bool,
}

/// What handlers share.
pub(crate) struct Shared {
    pub(crate) credential: String,
    pub(crate) region: String,
    pub(crate) faults: Faults,
    pub(crate) exchanges: Exchanges,
    core: Mutex<Core>,
}

impl Shared {
    pub(crate) fn open(dir: &Path, credential: String, region: String) -> anyhow::Result<Self> {
        let (journal, state) = Journal::open(dir, State::new)?;
        Ok(Self {
            credential,
            region,
            faults: Faults::default(),
            exchanges: Exchanges::default(),
            core: Mutex::new(Core {
                state,
                journal,
                stopped: false,
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one transaction and writes what it changed to disk, also when it ends in a refusal.
    pub(crate) fn transact<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut core = self.lock();
        if core.stopped {
            return Err(Refusal::broken("The orchestrator is stopped."));
        }
        let now = core.state.clock.now().max(core.state.latest);
        core.state.latest = now;
        let mut transaction = Transaction {
            state: &mut core.state,
            now,
            region: &self.region,
            entries: Vec::new(),
        };
        transaction.catch_up();
        let result = work(&mut transaction);
        transaction.catch_up();
        let entries = transaction.entries;
        if !entries.is_empty() {
            // Who called is nice to know after a power cut, but not worth a disk flush on each request.
            let durable = entries
                .iter()
                .any(|entry| !matches!(entry, Entry::Called { .. }));
            if let Err(error) = core.journal.append(entries, durable) {
                core.stopped = true;
                return Err(Refusal::broken(format!(
                    "The journal cannot be written: {error}."
                )));
            }
        }
        result
    }

    /// The same from a handler: the disk flush happens off the async threads.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let shared = Arc::clone(self);
        tokio::task::spawn_blocking(move || shared.transact(work))
            .await
            .unwrap_or_else(|_| Err(Refusal::broken("The request failed.")))
    }

    /// From here on nothing is done any more, so that another process may own the directory.
    pub(crate) fn halt(&self) {
        self.lock().stopped = true;
    }
}

pub(crate) struct Transaction<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) now: Stamp,
    pub(crate) region: &'a str,
    entries: Vec<Entry>,
}

/// What a passed deadline does.
enum Due {
    Hibernate(String),
    Destroy(String),
    Erase(Uuid),
}

impl Transaction<'_> {
    /// Applies a change now and has it written before the answer.
    pub(crate) fn record(&mut self, entry: Entry) {
        self.state.apply(entry.clone());
        self.entries.push(entry);
    }

    /// Lets every deadline up to now take effect, in order and dated at its own moment: so a tenant's `run_until`
    /// is met to the millisecond however seldom anybody looks, and no later event is dated before an earlier one.
    pub(crate) fn catch_up(&mut self) {
        let mut due: Vec<(Stamp, Due)> = Vec::new();
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
            let stop_at = self
                .state
                .tenants
                .get(&sandbox.account)
                .and_then(|tenant| tenant.stop_at);
            if let Some(at) = stop_at.filter(|at| *at <= self.now) {
                due.push((at, Due::Hibernate(id.clone())));
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
                Due::Hibernate(id) => self.turn(&id, Kind::Hibernated, at),
                Due::Destroy(id) => self.turn(&id, Kind::Destroyed, at),
                Due::Erase(account) => self.record(Entry::TenantErased(account)),
            }
        }
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
        let event = self.event(&sandbox, Kind::Created, self.now);
        self.record(Entry::Started {
            sandbox: Box::new(sandbox),
            event: Box::new(event),
        });
    }

    /// Hibernates, resumes or destroys a sandbox at a moment that may have just passed; a turn that does not fit
    /// its state does nothing.
    pub(crate) fn turn(&mut self, id: &str, kind: Kind, at: Stamp) {
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
        let event = self.event(sandbox, kind, at);
        self.record(Entry::Turned {
            event: Box::new(event),
            destroy_at,
        });
        self.audit_turn(id, at);
    }

    fn event(&self, sandbox: &Sandbox, kind: Kind, at: Stamp) -> Event {
        let stops = matches!(kind, Kind::Hibernated | Kind::Destroyed);
        let cpu_ms = stops.then(|| sandbox.cpu_ms(at));
        Event {
            seq: self.state.next_seq,
            event_id: Uuid::now_v7(),
            account: sandbox.account,
            sandbox_id: sandbox.id.clone(),
            key_id: sandbox.key_id,
            kind,
            occurred_at: at,
            recorded_at: self.now,
            image: sandbox.image.clone(),
            region: sandbox.region.clone(),
            vcpus: i64::from(sandbox.vcpus),
            mem_mib: i64::from(sandbox.mem_mib),
            parent_id: sandbox.parent_id.clone(),
            cpu_ms,
        }
    }
}
