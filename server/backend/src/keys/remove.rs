//! Drops a revoked key at the orchestrator. Safe to run twice: removing what is gone is done.

use domain::id::KeyId;
use serde::{Deserialize, Serialize};

use crate::Backend;
use crate::keys::store;
use crate::queue::lane::Lane;
use crate::queue::{Job, JobError, LeasedJob};

/// Enqueued by the transaction that revokes the key.
#[derive(Serialize, Deserialize)]
pub struct RemoveKey {
    /// Of the account that the lease names.
    pub key_id: KeyId,
}

impl Job for RemoveKey {
    const NAME: &'static str = "remove-key";
    const LANE: Lane = Lane::Keys;

    fn unique_key(&self) -> String {
        format!("remove-key:{}", self.key_id)
    }

    async fn run(self, backend: &Backend, lease: &LeasedJob) -> Result<(), JobError> {
        let account_id = lease.account()?;
        let told = backend.orchestrator().delete_key(self.key_id).await;
        told.map_err(|error| JobError::of_call(&error))?;
        let (mut db, now) = (backend.pool().acquire().await?, backend.clock().now());
        Ok(store::mark_removed(&mut db, account_id, self.key_id, now).await?)
    }
}
