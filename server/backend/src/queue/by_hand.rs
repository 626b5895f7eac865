//! The job table by hand, for tests of its leases: what `runner` does, one step at a time. Only with the feature `testing`.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::queue::LeasedJob;
use crate::queue::store;

pub use crate::queue::lane::Lane;
pub use crate::queue::store::{Depth, NewJob};

/// Enqueues a job unless the same effect is already waiting or running.
///
/// # Errors
/// When the database fails.
pub async fn enqueue(
    db: &mut PgConnection,
    job: &NewJob<'_>,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    store::enqueue(db, job, now).await
}

/// Claims up to `limit` due jobs of a lane for `lease_s` seconds.
///
/// # Errors
/// When the database fails.
pub async fn claim(
    db: &mut PgConnection,
    lane: Lane,
    limit: i64,
    lease_s: i32,
) -> Result<Vec<LeasedJob>, Broken> {
    store::claim(db, lane, limit, lease_s).await
}

/// Claims up to `limit` due posts, of each account one.
///
/// # Errors
/// When the database fails.
pub async fn claim_posts(
    db: &mut PgConnection,
    limit: i64,
    lease_s: i32,
) -> Result<Vec<LeasedJob>, Broken> {
    store::claim_posts(db, limit, lease_s).await
}

/// Extends a lease; false when it was lost.
///
/// # Errors
/// When the database fails.
pub async fn extend(db: &mut PgConnection, job: &LeasedJob, lease_s: i32) -> Result<bool, Broken> {
    store::extend(db, job, lease_s).await
}

/// Finishes a job; false when the lease was lost.
///
/// # Errors
/// When the database fails.
pub async fn finish(db: &mut PgConnection, job: &LeasedJob) -> Result<bool, Broken> {
    store::finish(db, job).await
}

/// Puts a job back for another attempt after `delay_ms`; false when the lease was lost.
///
/// # Errors
/// When the database fails.
pub async fn retry(
    db: &mut PgConnection,
    job: &LeasedJob,
    failure: &str,
    delay_ms: i64,
) -> Result<bool, Broken> {
    store::retry(db, job, failure, delay_ms).await
}

/// Lays a job on the dead list; false when the lease was lost.
///
/// # Errors
/// When the database fails.
pub async fn bury(db: &mut PgConnection, job: &LeasedJob, failure: &str) -> Result<bool, Broken> {
    store::bury(db, job, failure).await
}

/// Frees jobs whose lease ran out; those that spent `attempts_max` attempts die. Gives how many were freed and how many died.
///
/// # Errors
/// When the database fails.
pub async fn reap(db: &mut PgConnection, attempts_max: i32) -> Result<(i64, i64), Broken> {
    store::reap(db, attempts_max).await
}

/// Measures the queue.
///
/// # Errors
/// When the database fails.
pub async fn depth(db: &mut PgConnection) -> Result<Depth, Broken> {
    store::depth(db).await
}
