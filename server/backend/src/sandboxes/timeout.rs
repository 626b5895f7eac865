//! Restarts the auto-destroy timer of a sandbox at the orchestrator. Safe to run twice: the job's id is the idempotency
//! key, so a repeat does not start the timer anew. A sandbox that is gone by then has what was asked for.

use domain::ceilings::SANDBOX_TIMEOUT_MINUTES;
use domain::sandbox::SandboxId;
use serde::{Deserialize, Serialize};

use crate::Backend;
use crate::outside::orchestrator::CallError;
use crate::queue::lane::Lane;
use crate::queue::{Job, JobError, LeasedJob};
use crate::sandboxes::store;

/// A second choice while the first is on its way is a job of its own.
#[derive(Serialize, Deserialize)]
pub struct SetTimeout {
    /// Of the account that the lease names.
    pub sandbox_id: SandboxId,
    /// Minutes from now; one of the choices of the page.
    pub minutes: i64,
}

impl Job for SetTimeout {
    const NAME: &'static str = "set-timeout";
    const LANE: Lane = Lane::Commands;

    fn unique_key(&self) -> String {
        format!("set-timeout:{}:{}", self.sandbox_id, self.minutes)
    }

    async fn run(self, backend: &Backend, lease: &LeasedJob) -> Result<(), JobError> {
        let account_id = lease.account()?;
        if !SANDBOX_TIMEOUT_MINUTES.contains(&self.minutes) {
            return Err(JobError::Fail("payload"));
        }
        let mut db = backend.pool().acquire().await?;
        // Ids of sandboxes are the orchestrator's; a command must not leave the account that asked for it.
        if !store::is_running(&mut db, account_id, &self.sandbox_id).await? {
            return Ok(());
        }
        drop(db);
        let command = format!("timeout:{}", lease.job_id);
        let told =
            backend
                .orchestrator()
                .set_timeout(&self.sandbox_id, self.minutes * 60, &command);
        match told.await {
            Ok(()) | Err(CallError::Unknown) => Ok(()),
            // Destroyed at this moment is a refusal too; the next attempt learns of it from the feed and ends.
            Err(error) => Err(JobError::of_call(&error)),
        }
    }
}
