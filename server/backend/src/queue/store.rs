//! The leased job table: enqueue in the business transaction, claim by lease, and let every later write carry the token
//! of its lease, so that a worker that slept past it writes nothing. Leases live by the database's clock only.

use domain::id::{AccountId, JobId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::violates;
use crate::failure::Broken;
use crate::queue::lane::Lane;
use crate::random;

/// A job to be done.
pub struct NewJob<'a> {
    /// Stable kebab-case name of its kind.
    pub kind: &'a str,
    /// The slots it runs in.
    pub lane: Lane,
    /// The account it belongs to, where there is one.
    pub account_id: Option<AccountId>,
    /// Ids only.
    pub payload: serde_json::Value,
    /// Names the logical effect.
    pub unique_key: String,
}

/// Enqueues a job unless the same effect is already waiting or running.
pub(super) async fn enqueue(
    db: &mut PgConnection,
    job: &NewJob<'_>,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let job_id = JobId(random::id(now));
    sqlx::query!(
        "INSERT INTO jobs (job_id, account_id, kind, lane, payload, unique_key, run_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, least($7, now()), $7)
         ON CONFLICT (unique_key) WHERE finished_at IS NULL AND dead_at IS NULL DO NOTHING",
        job_id.0,
        job.account_id.map(|id| id.0),
        job.kind,
        job.lane.as_str(),
        job.payload,
        job.unique_key,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A job under lease.
#[derive(Clone, Debug)]
pub struct LeasedJob {
    /// The same in every attempt; also an idempotency key towards the orchestrator.
    pub job_id: Uuid,
    /// The stored name of its kind; an unknown one goes to the dead list.
    pub kind: String,
    /// The account it belongs to, where there is one.
    pub account_id: Option<Uuid>,
    /// Ids only.
    pub payload: serde_json::Value,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// Every later write about the job carries it; a lease that was lost writes nothing.
    pub lease_token: Uuid,
}

/// Claims up to `limit` due jobs of a lane for `lease_s` seconds.
pub(super) async fn claim(
    db: &mut PgConnection,
    lane: Lane,
    limit: i64,
    lease_s: i32,
) -> Result<Vec<LeasedJob>, Broken> {
    Ok(sqlx::query_as!(
        LeasedJob,
        r#"UPDATE jobs SET attempt = attempt + 1, lease_token = gen_random_uuid(),
                  leased_until = now() + $2::integer * interval '1 second'
           WHERE job_id IN (SELECT job_id FROM jobs
                            WHERE lane = $3 AND run_at <= now() AND finished_at IS NULL AND dead_at IS NULL AND lease_token IS NULL
                            ORDER BY run_at, job_id LIMIT $1 FOR UPDATE SKIP LOCKED)
           RETURNING job_id, kind, account_id, payload, attempt, lease_token AS "lease_token!""#,
        limit, lease_s, lane.as_str()
    )
    .fetch_all(db)
    .await?)
}

/// Claims up to `limit` due posts: of each account the one that is due longest, and none while another of its posts is in
/// flight. Two that claim at the same moment cannot both get one of an account: the index refuses the second, which has
/// then claimed nothing and looks again.
pub(super) async fn claim_posts(
    db: &mut PgConnection,
    limit: i64,
    lease_s: i32,
) -> Result<Vec<LeasedJob>, Broken> {
    let claimed = sqlx::query_as!(
        LeasedJob,
        r#"UPDATE jobs SET attempt = attempt + 1, lease_token = gen_random_uuid(),
                  leased_until = now() + $2::integer * interval '1 second'
           WHERE job_id IN (SELECT due.job_id FROM jobs AS due
                            WHERE due.lane = 'posts' AND due.run_at <= now() AND due.finished_at IS NULL
                              AND due.dead_at IS NULL AND due.lease_token IS NULL
                              AND NOT EXISTS (SELECT 1 FROM jobs AS other
                                              WHERE other.account_id = due.account_id AND other.lane = 'posts'
                                                AND other.finished_at IS NULL AND other.dead_at IS NULL
                                                AND (other.lease_token IS NOT NULL
                                                     OR (other.run_at, other.job_id) < (due.run_at, due.job_id)))
                            ORDER BY due.run_at, due.job_id LIMIT $1 FOR UPDATE SKIP LOCKED)
           RETURNING job_id, kind, account_id, payload, attempt, lease_token AS "lease_token!""#,
        limit, lease_s
    )
    .fetch_all(db)
    .await;
    match claimed {
        Err(error) if violates(&error, "jobs_one_post_in_flight") => Ok(Vec::new()),
        claimed => Ok(claimed?),
    }
}

/// Extends a lease; false when it was lost, and the work must stop.
pub(super) async fn extend(
    db: &mut PgConnection,
    job: &LeasedJob,
    lease_s: i32,
) -> Result<bool, Broken> {
    let done = sqlx::query!(
        "UPDATE jobs SET leased_until = now() + $3::integer * interval '1 second'
         WHERE job_id = $1 AND lease_token = $2",
        job.job_id,
        job.lease_token,
        lease_s
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finishes a job; false when the lease was lost. Run in the transaction of the job's effect on our own tables.
pub(super) async fn finish(db: &mut PgConnection, job: &LeasedJob) -> Result<bool, Broken> {
    let done = sqlx::query!(
        "UPDATE jobs SET finished_at = now(), lease_token = NULL, leased_until = NULL
         WHERE job_id = $1 AND lease_token = $2",
        job.job_id,
        job.lease_token
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a job back for another attempt after `delay_ms`; false when the lease was lost.
pub(super) async fn retry(
    db: &mut PgConnection,
    job: &LeasedJob,
    failure: &str,
    delay_ms: i64,
) -> Result<bool, Broken> {
    let done =
        sqlx::query!(
        "UPDATE jobs SET run_at = now() + $4::bigint * interval '1 millisecond', last_failure = $3,
                lease_token = NULL, leased_until = NULL
         WHERE job_id = $1 AND lease_token = $2",
        job.job_id, job.lease_token, failure, delay_ms
    )
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Lays a job on the dead list, where a person sees it; false when the lease was lost.
pub(super) async fn bury(
    db: &mut PgConnection,
    job: &LeasedJob,
    failure: &str,
) -> Result<bool, Broken> {
    let done = sqlx::query!(
        "UPDATE jobs SET dead_at = now(), last_failure = $3, lease_token = NULL, leased_until = NULL
         WHERE job_id = $1 AND lease_token = $2",
        job.job_id, job.lease_token, failure
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Frees jobs whose lease ran out: their worker died or slept. A job that spent `attempts_max` attempts this way dies,
/// so that one which kills its worker does not go round for ever. Gives how many were freed and how many died.
pub(crate) async fn reap(db: &mut PgConnection, attempts_max: i32) -> Result<(i64, i64), Broken> {
    let row = sqlx::query!(
        r#"WITH lost AS (
               UPDATE jobs SET lease_token = NULL, leased_until = NULL, run_at = now(), last_failure = 'lease_lost',
                      dead_at = CASE WHEN attempt >= $1 THEN now() END
               WHERE job_id IN (SELECT job_id FROM jobs WHERE leased_until < now() LIMIT 1000 FOR UPDATE SKIP LOCKED)
               RETURNING dead_at)
           SELECT count(*) FILTER (WHERE dead_at IS NULL) AS "freed!", count(*) FILTER (WHERE dead_at IS NOT NULL) AS "dead!"
           FROM lost"#,
        attempts_max
    )
    .fetch_one(db)
    .await?;
    Ok((row.freed, row.dead))
}

/// Deletes finished jobs older than `days`; at most `limit`. Dead ones stay until a person has looked.
pub(crate) async fn delete_finished(
    db: &mut PgConnection,
    days: i32,
    limit: i64,
) -> Result<u64, Broken> {
    let done = sqlx::query!(
        "DELETE FROM jobs WHERE job_id IN (
             SELECT job_id FROM jobs WHERE finished_at < now() - $1::integer * interval '1 day' LIMIT $2)",
        days, limit
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// The queue in figures, for metrics and alarms.
#[derive(Clone, Copy, Debug)]
pub struct Depth {
    /// Waiting or running.
    pub live: i64,
    /// On the dead list.
    pub dead: i64,
}

pub(crate) async fn depth(db: &mut PgConnection) -> Result<Depth, Broken> {
    Ok(sqlx::query_as!(
        Depth,
        r#"SELECT count(*) FILTER (WHERE dead_at IS NULL) AS "live!", count(*) FILTER (WHERE dead_at IS NOT NULL) AS "dead!"
           FROM jobs WHERE finished_at IS NULL"#
    )
    .fetch_one(db)
    .await?)
}

/// Age of the oldest job that is due in each lane, in whole seconds; a lane in which none is due is not among them.
pub(crate) async fn oldest_due(db: &mut PgConnection) -> Result<Vec<(String, i64)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT lane, extract(epoch FROM now() - min(run_at))::bigint AS "age_s!" FROM jobs
           WHERE finished_at IS NULL AND dead_at IS NULL AND lease_token IS NULL AND run_at <= now() GROUP BY lane"#
    );
    let rows = rows.fetch_all(db).await?.into_iter();
    Ok(rows.map(|row| (row.lane, row.age_s)).collect())
}
