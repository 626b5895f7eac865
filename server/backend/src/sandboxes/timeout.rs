//! Restarts the auto-destroy timer of a sandbox at the orchestrator. Safe to run twice: the job's id is the idempotency
//! key, so a repeat does not start the timer anew. A sandbox that is gone by then has what was asked for.

use domain::id::AccountId;
use domain::limits::SANDBOX_TIMEOUT_MINUTES;
use domain::sandbox::SandboxId;
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Backend;
use crate::failure::Broken;
use crate::outside::orchestrator::CallError;
use crate::queue::store::{LeasedJob, NewJob};
use crate::queue::{Kind, Retry, Trouble, account_of, store as jobs};
use crate::sandboxes::store;

/// Enqueues the command. A second choice while the first is on its way is a command of its own.
pub(crate) async fn enqueue(
    db: &mut PgConnection,
    account_id: AccountId,
    sandbox_id: &SandboxId,
    minutes: i64,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let job = NewJob {
        kind: Kind::SetTimeout.as_str(),
        account_id: Some(account_id),
        payload: json!({ "sandbox_id": sandbox_id, "minutes": minutes }),
        unique_key: format!("set-timeout:{sandbox_id}:{minutes}"),
    };
    jobs::enqueue(db, &job, now).await
}

pub(crate) async fn run(backend: &Backend, job: &LeasedJob) -> Result<(), Trouble> {
    let account_id = account_of(job)?;
    let (sandbox_id, minutes) = payload(&job.payload).ok_or(Trouble::Fail("payload"))?;
    let mut db = backend.pool().acquire().await?;
    // Ids of sandboxes are the orchestrator's; a command must not leave the account that asked for it.
    if !store::is_running(&mut db, account_id, &sandbox_id).await? {
        return Ok(());
    }
    drop(db);
    let command = format!("timeout:{}", job.job_id);
    let told = backend
        .orchestrator()
        .set_timeout(&sandbox_id, minutes * 60, &command);
    match told.await {
        Ok(()) | Err(CallError::Unknown) => Ok(()),
        // Destroyed at this moment is a refusal too; the next attempt learns of it from the feed and ends.
        Err(error) => Err(Retry::from(error).trouble()),
    }
}

fn payload(payload: &Value) -> Option<(SandboxId, i64)> {
    let id = SandboxId::parse(payload.get("sandbox_id")?.as_str()?)?;
    let minutes = payload.get("minutes")?.as_i64()?;
    SANDBOX_TIMEOUT_MINUTES
        .contains(&minutes)
        .then_some((id, minutes))
}
