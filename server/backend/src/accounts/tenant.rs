//! Tells the orchestrator the present state of an account. Safe to run twice: the state carries its generation, and an
//! older one is ignored there, so late and repeated pushes change nothing.

use domain::id::AccountId;
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Backend;
use crate::accounts::store;
use crate::failure::Broken;
use crate::outside::orchestrator::wire::TenantPut;
use crate::queue::store::{LeasedJob, NewJob};
use crate::queue::{Kind, Retry, Trouble, account_of, store as jobs};

/// Enqueues the push of a new generation, in the transaction that made it.
pub(crate) async fn enqueue(
    db: &mut PgConnection,
    account_id: AccountId,
    generation: i64,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let job = NewJob {
        kind: Kind::PushTenant.as_str(),
        account_id: Some(account_id),
        payload: json!({}),
        unique_key: format!("push-tenant:{account_id}:{generation}"),
    };
    jobs::enqueue(db, &job, now).await
}

pub(crate) async fn run(backend: &Backend, job: &LeasedJob) -> Result<(), Trouble> {
    let account_id = account_of(job)?;
    let mut db = backend.pool().acquire().await?;
    let Some(tenant) = store::tenant(&mut db, account_id).await? else {
        return Ok(());
    };
    drop(db);
    let put = TenantPut {
        generation: tenant.generation,
        state: "active",
        run_until: tenant.run_until,
    };
    backend
        .orchestrator()
        .put_tenant(account_id, &put)
        .await
        .map_err(|error| Retry::from(error).trouble())
}
