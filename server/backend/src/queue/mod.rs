//! Work that leaves the process or waits: what a job is, how it is enqueued, how one attempt ends. Leasing, retrying and
//! burying are `runner`'s; which jobs there are is `registry`'s; what one does is its own file's, in its subject's folder.

#[cfg(feature = "testing")]
pub mod by_hand;
pub(crate) mod lane;
pub mod runner;
pub(crate) mod schedules;
mod store;
pub mod turn;

use domain::id::AccountId;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Backend;
use crate::failure::Broken;
use crate::outside::orchestrator::CallError;
use crate::queue::lane::Lane;
use crate::queue::store::NewJob;

pub use crate::queue::store::LeasedJob;
pub(crate) use crate::queue::store::{delete_finished, depth, oldest_due, reap};

/// A kind of job. The value is the payload: ids only, because it is stored in plain text and kept for weeks. Each is safe
/// to run twice and says in the first lines of its file why.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Stable kebab-case name. It is stored: never rename it.
    const NAME: &'static str;
    /// The slots it runs in: what it waits for decides, so that it delays nothing that waits for something else.
    const LANE: Lane;

    /// Names the logical effect: while a job of this key waits or runs, a second one is not enqueued.
    fn unique_key(&self) -> String;

    /// One attempt. No transaction is held while a peer takes its time.
    ///
    /// # Errors
    /// See [`JobError`]: what it is decides whether there is another attempt.
    fn run(
        self,
        backend: &Backend,
        lease: &LeasedJob,
    ) -> impl Future<Output = Result<(), JobError>> + Send;
}

/// How one attempt at a job ends when it does not succeed. The word is stored; texts of peers never are.
#[derive(Debug)]
pub enum JobError {
    /// Worth another attempt.
    Retry(&'static str),
    /// Never going to work: straight to the dead list.
    Fail(&'static str),
    /// Our side broke; logged with its cause, then retried.
    Broken(Broken),
}

impl<E: Into<Broken>> From<E> for JobError {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

/// What a failed call means for the job that made it. A refusal out of contract is retried too: the peer may be mended,
/// and the cap on attempts ends it.
impl JobError {
    pub(crate) const fn of_call(error: &CallError) -> Self {
        Self::Retry(match error {
            CallError::Unreachable => "unreachable",
            CallError::Failing => "failing",
            CallError::Garbage => "garbage",
            CallError::Unknown => "unknown_id",
            CallError::Refused => "refused",
            CallError::TooLarge => "too_large",
            CallError::EpochChanged => "epoch_changed",
            CallError::CursorAhead => "cursor_ahead",
        })
    }
}

/// One attempt at a stored job.
type Attempt = for<'a> fn(&'a Backend, &'a LeasedJob) -> BoxFuture<'a, Result<(), JobError>>;

/// A kind of job as the runner knows it: its name, and how one attempt at it is made.
#[derive(Clone, Copy)]
pub struct Kind {
    name: &'static str,
    attempt: Attempt,
}

impl Kind {
    /// The kind that `J` is.
    #[must_use]
    pub const fn of<J: Job>() -> Self {
        Self {
            name: J::NAME,
            attempt: |backend, lease| {
                Box::pin(async move {
                    let job: J = serde_json::from_value(lease.payload.clone())
                        .map_err(|_| JobError::Fail("payload"))?;
                    job.run(backend, lease).await
                })
            },
        }
    }

    /// The stored name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// Runs one attempt at a job of one of these kinds.
pub(crate) async fn run(
    kinds: &[Kind],
    backend: &Backend,
    lease: &LeasedJob,
) -> Result<(), JobError> {
    match kinds.iter().find(|kind| kind.name == lease.kind) {
        Some(kind) => (kind.attempt)(backend, lease).await,
        None => Err(JobError::Fail("unknown_kind")),
    }
}

/// Enqueues a job in the transaction of what it follows from, unless the same effect is already waiting or running.
pub(crate) async fn enqueue<J: Job>(
    db: &mut PgConnection,
    account_id: impl Into<Option<AccountId>> + Send,
    job: &J,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let job = NewJob {
        kind: J::NAME,
        lane: J::LANE,
        account_id: account_id.into(),
        payload: serde_json::to_value(job)?,
        unique_key: job.unique_key(),
    };
    store::enqueue(db, &job, now).await
}

impl LeasedJob {
    pub(crate) fn account(&self) -> Result<AccountId, JobError> {
        self.account_id
            .map(AccountId::from)
            .ok_or(JobError::Fail("payload"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn attempt(text: &str) -> Result<u8, JobError> {
        std::future::ready(()).await;
        Ok(text.parse()?)
    }
    const BROKEN: u32 = line!() - 2;

    #[tokio::test]
    async fn the_question_mark_of_an_attempt_is_its_place() {
        let Err(JobError::Broken(found)) = attempt("x").await else {
            panic!("not broken")
        };
        assert_eq!(
            (found.place().file(), found.place().line()),
            (file!(), BROKEN)
        );
    }
}
