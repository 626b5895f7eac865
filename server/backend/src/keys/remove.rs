//! Drops a revoked key at the orchestrator. Safe to run twice: removing what is gone is done.

use domain::id::{AccountId, KeyId};
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Backend;
use crate::failure::Broken;
use crate::keys::store;
use crate::queue::store::{LeasedJob, NewJob};
use crate::queue::{Kind, Retry, Trouble, account_of, payload_id, store as jobs};

/// Enqueues the removal, in the transaction that revokes the key.
pub(crate) async fn enqueue(
    db: &mut PgConnection,
    account_id: AccountId,
    key_id: KeyId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let job = NewJob {
        kind: Kind::RemoveKey.as_str(),
        account_id: Some(account_id),
        payload: json!({ "key_id": key_id }),
        unique_key: format!("remove-key:{key_id}"),
    };
    jobs::enqueue(db, &job, now).await
}

pub(crate) async fn run(backend: &Backend, job: &LeasedJob) -> Result<(), Trouble> {
    let account_id = account_of(job)?;
    let key_id = KeyId(payload_id(&job.payload, "key_id")?);
    backend
        .orchestrator()
        .delete_key(key_id)
        .await
        .map_err(|error| Retry::from(error).trouble())?;
    let mut db = backend.pool().acquire().await?;
    Ok(store::mark_removed(&mut db, account_id, key_id, backend.clock().now()).await?)
}
