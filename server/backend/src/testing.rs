//! For tests only (feature `testing`): a backend on a database of its own, and the queue run by hand.
//! Peers are real servers; tests start them and name their addresses here.

use domain::country::Country;
use domain::key::Region;
use secrecy::SecretString;
use sqlx::PgPool;
use tokio::task::JoinSet;
use url::Url;

use crate::clock::Clock;
use crate::failure::Broken;
use crate::queue::{runner, store as jobs};
use crate::settings::{AllowedHosts, DocumentVersions, SecretKey, Settings};
use crate::{Backend, db};

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

/// Runs jobs until none is due, at most fifty rounds. Jobs that wait for a retry stay waiting.
///
/// # Errors
/// When the database fails.
pub async fn drain_jobs(backend: &Backend) -> Result<(), Broken> {
    for _ in 0..50 {
        let mut running = JoinSet::new();
        if runner::claim(backend, &mut running).await? == 0 {
            return Ok(());
        }
        while running.join_next().await.is_some() {}
    }
    Err(Broken::new("the queue does not come to an end"))
}

/// Jobs that are neither finished nor dead, and dead ones.
///
/// # Errors
/// When the database fails.
pub async fn queue(backend: &Backend) -> Result<(i64, i64), Broken> {
    let depth = jobs::depth(&mut *backend.pool().acquire().await?).await?;
    Ok((depth.live, depth.dead))
}
