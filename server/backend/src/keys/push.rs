//! Registers a key's hash at the orchestrator. Safe to run twice: the same key with the same hash is accepted again. A key
//! that was revoked meanwhile is not pushed; its removal is another job.

use domain::id::KeyId;
use serde::{Deserialize, Serialize};

use crate::Backend;
use crate::keys::remove::RemoveKey;
use crate::keys::store;
use crate::outside::orchestrator::wire::KeyPut;
use crate::queue::lane::Lane;
use crate::queue::{self, Job, JobError, LeasedJob};
use crate::secret;

/// Enqueued by the transaction that makes the key.
#[derive(Serialize, Deserialize)]
pub struct PushKey {
    /// Of the account that the lease names.
    pub key_id: KeyId,
}

impl Job for PushKey {
    const NAME: &'static str = "push-key";
    const LANE: Lane = Lane::Keys;

    fn unique_key(&self) -> String {
        format!("push-key:{}", self.key_id)
    }

    async fn run(self, backend: &Backend, lease: &LeasedJob) -> Result<(), JobError> {
        let (account_id, key_id) = (lease.account()?, self.key_id);
        let mut db = backend.pool().acquire().await?;
        let Some(key) = store::for_push(&mut db, account_id, key_id)
            .await?
            .filter(|key| !key.is_revoked)
        else {
            return Ok(());
        };
        drop(db);
        let put = KeyPut {
            account: account_id.0,
            sha256: secret::hex(&key.sha256),
            region: key.region,
        };
        let told = backend.orchestrator().put_key(key_id, &put).await;
        told.map_err(|error| JobError::of_call(&error))?;
        let (mut db, now) = (backend.pool().acquire().await?, backend.clock().now());
        store::mark_pushed(&mut db, account_id, key_id, now).await?;
        // Revoked while the push was under way: its removal may have gone before the push, so it goes once more.
        let revoked = store::for_push(&mut db, account_id, key_id)
            .await?
            .is_some_and(|key| key.is_revoked);
        if revoked {
            queue::enqueue(&mut db, account_id, &RemoveKey { key_id }, now).await?;
        }
        Ok(())
    }
}
