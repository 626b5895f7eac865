//! Snapshots: what a sandbox can be restored from. They outlive their sandbox.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    records::{Holder, SIZE_BYTES, Snapshot, Status},
    runs::new_id,
    state::Entry,
    transaction::Transaction,
    wire::Refusal,
};

/// Snapshots kept for one account.
const MAX_SNAPSHOTS: usize = 10_000;

impl Transaction<'_> {
    /// Takes a snapshot of a sandbox that is not destroyed; answers in the words of the creation call.
    pub(crate) fn snapshot(&mut self, holder: Holder, run_id: &str) -> Result<Value, Refusal> {
        let sandbox = self.own_sandbox(holder, run_id)?;
        if sandbox.status == Status::Destroyed {
            return Err(Refusal::conflict("destroyed", "This sandbox is destroyed."));
        }
        if self.snapshots_of(holder.account).len() >= MAX_SNAPSHOTS {
            return Err(Refusal::new(
                http::StatusCode::TOO_MANY_REQUESTS,
                "capacity",
                "Too many snapshots.",
            ));
        }
        let snapshot = Snapshot {
            id: new_id("snap"),
            account: holder.account,
            run_id: run_id.to_owned(),
            created_at: self.now,
            size: sandbox.size(),
        };
        let shown = json!({
            "snapshot_id": snapshot.id, "run_id": run_id, "size_bytes": SIZE_BYTES, "created_at": self.now,
        });
        self.record(Entry::Snapshot(snapshot));
        Ok(shown)
    }

    pub(crate) fn restore(&mut self, holder: Holder, snapshot_id: &str) -> Result<String, Refusal> {
        let size = self
            .state
            .snapshots
            .get(snapshot_id)
            .filter(|snapshot| snapshot.account == holder.account)
            .ok_or_else(|| Refusal::not_found("snapshot_unknown", "No such snapshot."))?
            .size
            .clone();
        let mut ids = self.launch(holder, &size, None, 1)?;
        ids.pop()
            .ok_or_else(|| Refusal::broken("Nothing was started."))
    }

    /// The snapshots of an account, oldest first.
    pub(crate) fn snapshots_of(&self, account: Uuid) -> Vec<Value> {
        let mut snapshots: Vec<&Snapshot> = self
            .state
            .snapshots
            .values()
            .filter(|snapshot| snapshot.account == account)
            .collect();
        snapshots.sort_by_key(|snapshot| snapshot.created_at);
        snapshots.into_iter().map(Snapshot::shown).collect()
    }
}
