//! For tests only (feature `testing`): a backend on a database of its own, and the queue run by hand.
//! Peers are real servers; tests start them and name their addresses here.

use std::sync::Arc;

use domain::country::Country;
use domain::key::Region;
use secrecy::SecretString;
use sqlx::PgPool;
use url::Url;

use crate::accounts;
use crate::authority::actor::Actor;
use crate::authority::session::{self, SessionKey};
use crate::authority::sessions::{self, SessionRow};
use crate::checks::{self, Round};
use crate::clock::Clock;
use crate::failure::Broken;
use crate::queue::lane::Running;
use crate::queue::runner;
use crate::random;
use crate::registry::KINDS;
use crate::secret::sha256;
use crate::settings::{AllowedHosts, DocumentVersions, SecretKey, Settings};
use crate::{Backend, db, schedule, watch, worker};
use domain::id::{AccountId, UserId};
use sqlx::PgConnection;

pub use crate::ledger::by_hand as ledger;
pub use crate::metering::by_hand as metering;
pub use crate::queue::by_hand as queue;

/// The credential that test backends show to the orchestrator.
pub const CREDENTIAL: &str = "test-credential-of-the-control-plane";

/// Settings that point at peers on loopback.
///
/// # Errors
/// When an address cannot be read.
pub fn settings(orchestrator: &str, smtp: &str) -> Result<Settings, Broken> {
    Ok(Settings {
        database_url: SecretString::from("postgres:///unused"),
        pool_size: 10,
        secret_key: SecretKey::from_hex(&"5e".repeat(32)).ok_or_else(|| Broken::new("test key"))?,
        accepted_key: None,
        public_origin: Url::parse("http://127.0.0.1:3000")?,
        orchestrator_url: Url::parse(orchestrator)?,
        orchestrator_credential: SecretString::from(CREDENTIAL),
        sandbox_api_url: Url::parse(orchestrator)?,
        region: Region::parse("us").ok_or_else(|| Broken::new("test region"))?,
        smtp_url: SecretString::from(smtp),
        mail_from: "Isorun <no-reply@isorun.ai>".to_owned(),
        webhook_reach: AllowedHosts::Anywhere,
        refused_countries: ["CU", "IR", "KP", "SY"]
            .iter()
            .filter_map(|code| Country::parse(code))
            .collect(),
        documents: DocumentVersions {
            terms: "t-1".into(),
            aup: "a-1".into(),
            dpa: "d-1".into(),
        },
    })
}

/// A backend on the database of a `#[sqlx::test]`, with a clock of its own and the rights of the application: what a test
/// must do as the owner of the tables, it does on the pool it was given.
///
/// # Errors
/// When a client cannot be built.
pub fn backend(pool: PgPool, settings: Settings) -> Result<Backend, Broken> {
    let options = db::as_application((*pool.connect_options()).clone());
    drop(pool);
    let pool = db::pool_options(&settings).connect_lazy_with(options);
    Backend::with_pool(pool, settings, Clock::system())
}

/// The same with the rights of the login, for what PostgreSQL tells no application: how it plans.
///
/// # Errors
/// When a client cannot be built.
pub fn backend_of_owner(pool: &PgPool, settings: Settings) -> Result<Backend, Broken> {
    let options = (*pool.connect_options()).clone();
    let pool = db::pool_options(&settings).connect_lazy_with(options);
    Backend::with_pool(pool, settings, Clock::system())
}

/// The pool of a backend, with the rights of the application: for what a test reads, and for what it does to the tables that
/// nothing of ours does.
#[must_use]
pub const fn pool(backend: &Backend) -> &PgPool {
    backend.pool()
}

/// Has the forecasts of accounts computed again, as whoever changes credit or prices does.
///
/// # Errors
/// When the database fails.
pub async fn mark_stale(db: &mut PgConnection, accounts: &[AccountId]) -> Result<(), Broken> {
    accounts::mark_stale(db, accounts).await
}

/// Signs a person in, as a browser would, and gives their authority: there is no other way to it.
///
/// # Errors
/// When the database fails or the person has no account.
pub async fn actor(backend: &Backend, user_id: UserId) -> Result<Actor, Broken> {
    let now = backend.clock().now();
    let id = random::base62(22);
    let row = SessionRow {
        id_hash: sha256(id.as_bytes()),
        user_id: Some(user_id),
        kind: "customer".to_owned(),
        data: serde_json::json!({}),
        expires_at: now + time::Duration::DAY,
    };
    sessions::insert(backend, &row, now).await?;
    let actor = session::actor(backend, SessionKey::of(&id)).await?;
    actor.ok_or_else(|| Broken::new("a person without an account"))
}

/// Deletes what is over, as the worker does each minute.
///
/// # Errors
/// When the database fails.
pub async fn sweep(backend: &Backend) -> Result<(), Broken> {
    worker::sweep(backend).await
}

/// Runs jobs until none is due, at most fifty rounds. Jobs that wait for a retry stay waiting.
///
/// # Errors
/// When the database fails.
pub async fn drain_jobs(backend: &Backend) -> Result<(), Broken> {
    for _ in 0..50 {
        let mut running = Running::default();
        if runner::claim(KINDS, backend, &mut running).await? == 0 {
            return Ok(());
        }
        running.end().await;
    }
    Err(Broken::new("the queue does not come to an end"))
}

/// Jobs that are neither finished nor dead, and dead ones.
///
/// # Errors
/// When the database fails.
pub async fn queue(backend: &Backend) -> Result<(i64, i64), Broken> {
    let depth = crate::queue::depth(&mut *backend.pool().acquire().await?).await?;
    Ok((depth.live, depth.dead))
}

/// One turn of what a worker does again and again: pull, settle, look ahead, and the jobs that follow.
///
/// # Errors
/// When the database fails.
pub async fn turn(backend: &Backend) -> Result<(), Broken> {
    worker::meter(backend).await?;
    watch::round(backend).await?;
    drain_jobs(backend).await
}

/// One turn of what recurs, such as checks and the end of a month, as far as it is due; and the jobs that follow.
///
/// # Errors
/// When the database fails.
pub async fn recur(backend: &Backend) -> Result<(), Broken> {
    schedule::turn(backend).await?;
    drain_jobs(backend).await
}

/// What is left of a world when a test ends: jobs that wait or died, and what the checks find.
#[derive(Clone, Debug)]
pub struct Leftovers {
    /// Jobs that are neither finished nor due, and dead ones: kind, attempts, last failure.
    pub jobs: Vec<String>,
    /// Open findings: check, fault, subject, what was expected and what was found.
    pub findings: Vec<String>,
}

/// Lets every due job run and every round of every check, then says what is left. On connections of its own, because those
/// of `backend` belong to the runtime of the test that used them.
///
/// # Errors
/// When the database fails.
pub async fn leftovers(backend: &Backend) -> Result<Leftovers, Broken> {
    let options = (*backend.pool().connect_options()).clone();
    let pool = db::pool_options(backend.settings()).connect_lazy_with(options);
    let beside = Backend::with_pool(pool, Arc::clone(&backend.settings), backend.clock().clone())?;
    drain_jobs(&beside).await?;
    for round in Round::ALL {
        let mut place = String::new();
        // Ends: a round comes to an end, and one that is stuck would be found by its test.
        for _ in 0..1_000 {
            let next = checks::turn(&beside, round, &place).await?;
            if !next.more {
                break;
            }
            place = next.text;
        }
    }
    let jobs = sqlx::query_scalar!(
        r#"SELECT concat_ws(' ', kind, 'attempt', attempt, last_failure, CASE WHEN dead_at IS NOT NULL THEN 'dead' END)
               AS "job!" FROM jobs WHERE finished_at IS NULL ORDER BY kind, job_id"#
    );
    let findings = sqlx::query_scalar!(
        r#"SELECT concat_ws(' ', check_name, fault, subject, 'expected', expected, 'found', found) AS "finding!"
           FROM findings WHERE resolved_at IS NULL ORDER BY check_name, fault, subject"#
    );
    let left = Leftovers {
        jobs: jobs.fetch_all(beside.pool()).await?,
        findings: findings.fetch_all(beside.pool()).await?,
    };
    beside.pool().close().await;
    Ok(left)
}
