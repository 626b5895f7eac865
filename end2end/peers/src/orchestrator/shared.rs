//! One lock that orders everything: a transaction first lets time catch up (deadlines that passed take effect at
//! their own moment), then does its work, then writes the journal, and only then is answered.
//! What a transaction can do is transaction.rs. No routes here.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    plane::Plane,
    state::{Entry, State},
    transaction::Transaction,
    wire::Refusal,
};
use crate::{exchanges::Exchanges, faults::Faults, journal::Journal};

struct Core {
    state: State,
    journal: Journal<State>,
    /// Set when the journal could not be written (memory is then ahead of the disk) or the process is "dead".
    stopped: bool,
}

/// What all handlers work on.
pub(crate) struct Shared {
    pub(crate) credential: String,
    pub(crate) region: String,
    pub(crate) faults: Arc<Faults<Plane>>,
    /// Those of the control plane.
    pub(crate) exchanges: Arc<Exchanges>,
    /// Lines that the feed says instead of its events, by their number: a test's switch, forgotten by a restart.
    damage: Mutex<BTreeMap<u64, Vec<u8>>>,
    core: Mutex<Core>,
}

impl Shared {
    pub(crate) fn open(dir: &Path, credential: String, region: String) -> anyhow::Result<Self> {
        let (journal, state) = Journal::open(dir, State::new)?;
        Ok(Self {
            credential,
            region,
            faults: Arc::new(Faults::new(Plane::of, Refusal::by_layer)),
            exchanges: Arc::new(Exchanges::below("/internal/", Refusal::by_layer)),
            damage: Mutex::default(),
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

    /// Lets the feed say `line` in the place of an event.
    pub(crate) fn damage(&self, seq: u64, line: Vec<u8>) {
        let mut damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        damage.insert(seq, line);
    }

    /// What the feed says instead of its events.
    pub(crate) fn damaged(&self) -> BTreeMap<u64, Vec<u8>> {
        let damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        damage.clone()
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
        let mut transaction = Transaction::begin(&mut core.state, &self.region);
        let result = work(&mut transaction);
        let entries = transaction.end();
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
