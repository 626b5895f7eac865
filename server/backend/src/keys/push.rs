//! Registers a key's hash at the orchestrator. Safe to run twice: the same key with the same hash is accepted again. A key
//! that was revoked meanwhile is not pushed; its removal is another job.

use domain::id::{AccountId, KeyId};
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::keys::store;
use crate::outside::orchestrator::wire::KeyPut;
use crate::queue::store::{LeasedJob, NewJob};
use crate::queue::{Kind, Retry, Trouble, account_of, payload_id, store as jobs};
use crate::{Backend, secret};

/// Enqueues the push, in the transaction that makes the key.
pub(crate) async fn enqueue(
    db: &mut PgConnection,
    account_id: AccountId,
    key_id: KeyId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let job = NewJob {
        kind: Kind::PushKey.as_str(),
        account_id: Some(account_id),
        payload: json!({ "key_id": key_id }),
        unique_key: format!("push-key:{key_id}"),
    };
    jobs::enqueue(db, &job, now).await
}

pub(crate) async fn run(backend: &Backend, job: &LeasedJob) -> Result<(), Trouble> {
    let account_id = account_of(job)?;
    let key_id = KeyId(payload_id(&job.payload, "key_id")?);
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
    backend
        .orchestrator()
        .put_key(key_id, &put)
        .await
        .map_err(|error| Retry::from(error).trouble())?;
    let mut db = backend.pool().acquire().await?;
    store::mark_pushed(&mut db, account_id, key_id, backend.clock().now()).await?;
    // Revoked while the push was under way: its removal may have gone before the push, so it goes once more.
    let revoked = store::for_push(&mut db, account_id, key_id)
        .await?
        .is_some_and(|key| key.is_revoked);
    if revoked {
        super::remove::enqueue(&mut db, account_id, key_id, backend.clock().now()).await?;
    }
    Ok(())
}
