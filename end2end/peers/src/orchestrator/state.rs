//! Everything the orchestrator knows, and the entries that change it. `apply` is the only writer, live and on replay,
//! so what a restart rebuilds is what was there. Rules (may this happen?) live with their nouns.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::allowance::Run;
use super::ending::Reason;
use super::records::{AuditEntry, Caller, Event, Key, Kind, Sandbox, Snapshot, Status, Tenant};
use crate::{clock::Clock, journal::Journaled, outside::random_hex, stamp::Stamp};

/// Answers to commands are remembered for this many commands.
const MAX_ANSWERS: usize = 10_000;
/// Callers kept for each key.
const MAX_CALLERS: usize = 5;
/// Audit entries kept for each sandbox, newest last.
const MAX_AUDIT: usize = 1_000;

/// The answer to a command, by its idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answered {
    pub(crate) command: String,
    pub(crate) body: Value,
}

/// A stretch of running that is over, and the event that ended it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ran {
    pub(crate) run: Run,
    seq: u64,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) epoch: String,
    pub(crate) clock: Clock,
    /// The latest moment ever acted at: time does not go back behind it.
    pub(crate) latest: Stamp,
    pub(crate) next_seq: u64,
    pub(crate) events: Vec<Event>,
    pub(crate) tenants: BTreeMap<Uuid, Tenant>,
    pub(crate) erased: BTreeSet<Uuid>,
    pub(crate) keys: BTreeMap<Uuid, Key>,
    pub(crate) key_of_hash: BTreeMap<String, Uuid>,
    /// Deleted keys stay deleted, even if a delayed push arrives afterwards.
    pub(crate) deleted_keys: BTreeSet<Uuid>,
    pub(crate) sandboxes: BTreeMap<String, Sandbox>,
    /// Sandboxes that are not destroyed: what deadlines can concern.
    pub(crate) live: BTreeSet<String>,
    /// What ran and is over, by account: since its allowance, and not counted in it.
    #[serde(default)]
    pub(crate) ran: BTreeMap<Uuid, Vec<Ran>>,
    /// When what runs must stop, by account, once computed. What changes an end forgets it.
    #[serde(skip)]
    pub(crate) ends: BTreeMap<Uuid, Option<(Stamp, Reason)>>,
    pub(crate) snapshots: BTreeMap<String, Snapshot>,
    pub(crate) answers: BTreeMap<String, Answered>,
    pub(crate) answer_order: VecDeque<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Entry {
    Clock(Clock),
    /// Time begins at a moment of the past; only ever the first change.
    Began(Clock),
    Tenant(Box<Tenant>),
    TenantErased(Uuid),
    Key {
        key_id: Uuid,
        key: Key,
    },
    KeyDeleted {
        key_id: Uuid,
    },
    Called {
        key_id: Uuid,
        caller: Caller,
    },
    Started {
        sandbox: Box<Sandbox>,
        event: Box<Event>,
    },
    /// A sandbox hibernated, resumed or destroyed, as the event says.
    Turned {
        event: Box<Event>,
        destroy_at: Option<Stamp>,
    },
    Timer {
        sandbox_id: String,
        timeout_s: u32,
        destroy_at: Option<Stamp>,
    },
    Audited {
        sandbox_id: String,
        entry: AuditEntry,
    },
    Snapshot(Snapshot),
    SnapshotDeleted(String),
    Answered {
        idempotency_key: String,
        answered: Answered,
    },
    /// Test switches on the feed: an event that no sandbox made, a changed one, a skipped number.
    Appended(Box<Event>),
    Rewritten {
        seq: u64,
        vcpus: i64,
    },
    Skipped,
}

impl State {
    pub(crate) fn new() -> Self {
        let clock = Clock::real_time();
        Self {
            epoch: random_hex(),
            clock,
            latest: clock.now(),
            next_seq: 1,
            events: Vec::new(),
            tenants: BTreeMap::new(),
            erased: BTreeSet::new(),
            keys: BTreeMap::new(),
            key_of_hash: BTreeMap::new(),
            deleted_keys: BTreeSet::new(),
            sandboxes: BTreeMap::new(),
            live: BTreeSet::new(),
            ran: BTreeMap::new(),
            ends: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            answers: BTreeMap::new(),
            answer_order: VecDeque::new(),
        }
    }
}

impl Journaled for State {
    type Entry = Entry;

    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Clock(clock) => {
                self.clock = clock;
                self.latest = self.latest.max(Stamp(clock.virtual_ms));
            }
            Entry::Began(clock) => {
                self.clock = clock;
                self.latest = Stamp(clock.virtual_ms);
            }
            Entry::Tenant(tenant) => self.tenant(*tenant),
            Entry::TenantErased(account) => self.erase(account),
            Entry::Key { key_id, key } => {
                self.key_of_hash.insert(key.sha256.clone(), key_id);
                self.keys.insert(key_id, key);
            }
            Entry::KeyDeleted { key_id } => {
                self.deleted_keys.insert(key_id);
                if let Some(key) = self.keys.remove(&key_id) {
                    self.key_of_hash.remove(&key.sha256);
                }
            }
            Entry::Called { key_id, caller } => self.called(key_id, caller),
            Entry::Started { sandbox, event } => {
                self.live.insert(sandbox.id.clone());
                self.ends.remove(&sandbox.account);
                self.sandboxes.insert(sandbox.id.clone(), *sandbox);
                self.append(*event);
            }
            Entry::Turned { event, destroy_at } => self.turned(*event, destroy_at),
            Entry::Timer {
                sandbox_id,
                timeout_s,
                destroy_at,
            } => {
                if let Some(sandbox) = self.sandboxes.get_mut(&sandbox_id) {
                    sandbox.timeout_s = timeout_s;
                    sandbox.destroy_at = destroy_at;
                    self.ends.remove(&sandbox.account);
                }
            }
            Entry::Audited { sandbox_id, entry } => {
                if let Some(sandbox) = self.sandboxes.get_mut(&sandbox_id) {
                    sandbox.note(entry, MAX_AUDIT);
                }
            }
            Entry::Snapshot(snapshot) => {
                self.snapshots.insert(snapshot.id.clone(), snapshot);
            }
            Entry::SnapshotDeleted(id) => {
                self.snapshots.remove(&id);
            }
            Entry::Answered {
                idempotency_key,
                answered,
            } => self.answered(idempotency_key, answered),
            Entry::Appended(event) => self.append(*event),
            Entry::Rewritten { seq, vcpus } => {
                if let Some(event) = self.events.iter_mut().find(|event| event.seq == seq) {
                    event.vcpus = vcpus;
                }
            }
            Entry::Skipped => self.next_seq += 1,
        }
    }
}

impl State {
    fn append(&mut self, event: Event) {
        self.next_seq = event.seq + 1;
        self.latest = self.latest.max(event.recorded_at);
        self.events.push(event);
    }

    /// Keeps what was pushed, and forgets what it counts.
    fn tenant(&mut self, tenant: Tenant) {
        let account = tenant.account;
        self.ends.remove(&account);
        if let (Some(allowance), Some(ran)) = (&tenant.allowance, self.ran.get_mut(&account)) {
            let counted = allowance.counted(&self.epoch);
            ran.retain(|ran| {
                ran.seq > counted && ran.run.until.is_some_and(|until| until > allowance.as_of)
            });
        }
        self.tenants.insert(account, tenant);
    }

    /// What ran since the allowance of an account and is not counted in it, and what runs.
    pub(crate) fn runs_of(&self, account: Uuid) -> Vec<Run> {
        let over = self.ran.get(&account).into_iter().flatten();
        let live = self.live.iter().filter_map(|id| self.sandboxes.get(id));
        over.map(|ran| ran.run.clone())
            .chain(
                live.filter(|one| one.account == account)
                    .filter_map(Sandbox::run),
            )
            .collect()
    }

    fn turned(&mut self, event: Event, destroy_at: Option<Stamp>) {
        let at = event.occurred_at;
        self.ends.remove(&event.account);
        if let Some(sandbox) = self.sandboxes.get_mut(&event.sandbox_id) {
            let ran = sandbox.run().filter(|_| event.kind != Kind::Resumed);
            let has_allowance = |tenant: &Tenant| tenant.allowance.is_some();
            let is_counted_here = self.tenants.get(&event.account).is_some_and(has_allowance);
            if let Some(run) = ran.filter(|_| is_counted_here) {
                let ran = Ran {
                    run: Run {
                        until: Some(at),
                        ..run
                    },
                    seq: event.seq,
                };
                self.ran.entry(event.account).or_default().push(ran);
            }
            match event.kind {
                Kind::Resumed => {
                    sandbox.status = Status::Running;
                    sandbox.running_since = Some(at);
                }
                Kind::Destroyed => {
                    sandbox.rest(at);
                    sandbox.status = Status::Destroyed;
                    sandbox.destroyed_at = Some(at);
                    self.live.remove(&event.sandbox_id);
                }
                _ => {
                    sandbox.rest(at);
                    sandbox.status = Status::Hibernated;
                }
            }
            sandbox.destroy_at = destroy_at;
        }
        self.append(event);
    }

    fn called(&mut self, key_id: Uuid, mut caller: Caller) {
        let Some(key) = self.keys.get_mut(&key_id) else {
            return;
        };
        if let Some(known) = key
            .callers
            .iter()
            .position(|known| known.same_source(&caller))
        {
            caller.count = key.callers.remove(known).count.saturating_add(caller.count);
        }
        key.callers.insert(0, caller);
        key.callers.truncate(MAX_CALLERS);
    }

    fn answered(&mut self, idempotency_key: String, answered: Answered) {
        self.answer_order.push_back(idempotency_key.clone());
        self.answers.insert(idempotency_key, answered);
        while self.answer_order.len() > MAX_ANSWERS {
            if let Some(oldest) = self.answer_order.pop_front() {
                self.answers.remove(&oldest);
            }
        }
    }

    /// Forgets everything of a tenant but its feed events, which are what was billed.
    fn erase(&mut self, account: Uuid) {
        self.tenants.remove(&account);
        self.ran.remove(&account);
        self.ends.remove(&account);
        self.erased.insert(account);
        self.keys.retain(|_, key| key.account != account);
        let keys = &self.keys;
        self.key_of_hash
            .retain(|_, key_id| keys.contains_key(key_id));
        self.sandboxes
            .retain(|_, sandbox| sandbox.account != account);
        let sandboxes = &self.sandboxes;
        self.live.retain(|id| sandboxes.contains_key(id));
        self.snapshots
            .retain(|_, snapshot| snapshot.account != account);
        let of_account = account.to_string();
        self.answers.retain(|_, answered| {
            answered.body.get("account").and_then(Value::as_str) != Some(&of_account)
        });
        let answers = &self.answers;
        self.answer_order.retain(|key| answers.contains_key(key));
    }
}
