//! Tells the orchestrator the present state of an account. Safe to run twice: the state carries its generation, and an
//! older one is ignored there, so late and repeated pushes change nothing.

use domain::forecast::Cause;
use domain::id::AccountId;
use serde::{Deserialize, Serialize};

use crate::Backend;
use crate::accounts::store;
use crate::outside::orchestrator::wire::TenantPut;
use crate::queue::lane::Lane;
use crate::queue::{Job, JobError, LeasedJob};

/// Enqueued by the transaction that makes a new generation.
#[derive(Serialize, Deserialize)]
pub struct PushTenant {
    /// Whose state.
    pub account_id: AccountId,
    /// The generation that made the push necessary; what is pushed is the newest.
    pub generation: i64,
}

impl Job for PushTenant {
    const NAME: &'static str = "push-tenant";
    const LANE: Lane = Lane::Commands;

    fn unique_key(&self) -> String {
        format!("push-tenant:{}:{}", self.account_id, self.generation)
    }

    async fn run(self, backend: &Backend, _: &LeasedJob) -> Result<(), JobError> {
        let account_id = self.account_id;
        let mut db = backend.pool().acquire().await?;
        let Some(tenant) = store::tenant(&mut db, account_id).await? else {
            return Ok(());
        };
        drop(db);
        let put = TenantPut {
            generation: tenant.generation,
            state: "active",
            run_until: tenant.run_until,
            cause: tenant
                .run_until_cause
                .as_deref()
                .and_then(Cause::parse)
                .map(Cause::as_str),
            allowance: tenant.allowance,
        };
        let told = backend.orchestrator().put_tenant(account_id, &put).await;
        told.map_err(|error| JobError::of_call(&error))
    }
}
