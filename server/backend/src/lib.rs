//! All I/O of the dashboard: PostgreSQL, SMTP, the orchestrator, the clock and randomness, and the subjects on top.
//! HTTP and pages do not belong here; rules that need no I/O belong in `domain`.
#![deny(missing_docs)]

pub mod accounts;
pub mod alerts;
pub mod answers;
pub mod audit;
pub mod authority;
pub mod checks;
pub mod clock;
pub mod credit;
pub mod db;
pub mod failure;
pub mod findings;
pub mod forecast;
pub mod identity;
pub mod keys;
pub mod ledger;
pub mod limit;
pub mod mail;
pub mod metering;
pub mod outside;
pub mod overview;
pub mod paging;
pub mod passwords;
pub mod prices;
pub mod queue;
pub mod random;
pub mod registry;
pub(crate) mod root;
pub mod sandboxes;
pub mod schedule;
pub mod secret;
pub mod settings;
pub mod sign_up;
pub mod targets;
#[cfg(feature = "testing")]
pub mod testing;
pub mod usage;
pub mod watch;
pub mod worker;
pub mod zone;

use std::sync::Arc;

use sqlx::{Connection as _, PgPool};
use tokio::sync::OnceCell;

use crate::clock::Clock;
use crate::failure::Broken;
use crate::outside::orchestrator::Orchestrator;
use crate::outside::poster::Poster;
use crate::outside::smtp::Mailer;
use crate::passwords::Passwords;
use crate::settings::{SecretKey, Settings};

/// Everything a subject needs, cheap to clone. One per process; tests make one per database.
#[derive(Clone)]
pub struct Backend {
    pool: PgPool,
    clock: Clock,
    settings: Arc<Settings>,
    orchestrator: Orchestrator,
    mailer: Mailer,
    poster: Poster,
    passwords: Passwords,
    /// Opened once, by whoever needs it first.
    root: Arc<OnceCell<SecretKey>>,
}

impl Backend {
    /// Opens the pool and the clients, with the rights of the application (docs/decisions/0008-checks.md). Connects once, so
    /// that a wrong address is known at once. The schema must be up to date: see [`Backend::migrate`].
    ///
    /// # Errors
    /// When the database does not answer within the acquire timeout, was sealed with a key that is not there, or a client cannot be
    /// built from its settings.
    pub async fn connect(settings: impl Into<Arc<Settings>>) -> Result<Self, Broken> {
        let settings = settings.into();
        let pool = db::open(&settings).await?;
        let backend = Self::with_pool(pool, settings, Clock::system())?;
        // At once, so that a process with the wrong key does not begin to serve.
        backend.root().await?;
        Ok(backend)
    }

    pub(crate) fn with_pool(
        pool: PgPool,
        settings: impl Into<Arc<Settings>>,
        clock: Clock,
    ) -> Result<Self, Broken> {
        let settings = settings.into();
        let orchestrator = Orchestrator::new(&settings)?;
        let mailer = Mailer::new(&settings)?;
        let poster = Poster::new(&settings)?;
        Ok(Self {
            pool,
            clock,
            settings,
            orchestrator,
            mailer,
            poster,
            passwords: Passwords::new()?,
            root: Arc::default(),
        })
    }

    /// Brings the schema up to date, on a connection of its own with the rights of the login. Safe to run from several
    /// processes at once: sqlx takes an advisory lock.
    ///
    /// # Errors
    /// When the database does not answer, a migration fails or an applied one was edited.
    pub async fn migrate(settings: &Settings) -> Result<(), Broken> {
        db::migrate(settings).await
    }

    /// The pool, for the subjects: whoever is outside calls them.
    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Whether the database answers, on a connection of the pool.
    ///
    /// # Errors
    /// When none is free in time, or it does not answer.
    pub async fn ping(&self) -> Result<(), Broken> {
        Ok(self.pool.acquire().await?.ping().await?)
    }

    /// Closes the pool once what it has lent is back; whoever asks afterwards is refused.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The settings this process runs with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The one clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) const fn orchestrator(&self) -> &Orchestrator {
        &self.orchestrator
    }

    pub(crate) const fn mailer(&self) -> &Mailer {
        &self.mailer
    }

    pub(crate) const fn poster(&self) -> &Poster {
        &self.poster
    }

    /// What every secret is derived from that shall outlive a change of `SECRET_KEY`.
    pub(crate) async fn root(&self) -> Result<&SecretKey, Broken> {
        let open = || root::open(&self.pool, &self.settings, self.clock.now());
        self.root.get_or_try_init(open).await
    }

    pub(crate) const fn passwords(&self) -> &Passwords {
        &self.passwords
    }
}
