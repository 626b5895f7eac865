//! All I/O of the dashboard: PostgreSQL, SMTP, the orchestrator, the clock and randomness, and the services on top.
//! HTTP and pages do not belong here; rules that need no I/O belong in `domain`.
#![deny(missing_docs)]

pub mod actor;
pub mod clock;
pub mod failure;
pub mod jobs;
pub mod mailer;
pub mod metering;
pub mod orchestrator;
pub mod passwords;
pub mod random;
pub mod secret;
pub mod service;
pub mod settings;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod webhook;
pub mod worker;
pub mod zone;

use std::sync::Arc;

use sqlx::PgPool;

use crate::clock::Clock;
use crate::failure::Broken;
use crate::mailer::Mailer;
use crate::orchestrator::Orchestrator;
use crate::passwords::Passwords;
use crate::settings::Settings;
use crate::webhook::Poster;

/// Everything a service needs, cheap to clone. One per process; tests make one per database.
#[derive(Clone)]
pub struct Backend {
    pool: PgPool,
    clock: Clock,
    settings: Arc<Settings>,
    orchestrator: Orchestrator,
    mailer: Mailer,
    poster: Poster,
    passwords: Passwords,
}

impl Backend {
    /// Opens the pool and the clients. Connects once, so that a wrong address is known at once; does not migrate.
    ///
    /// # Errors
    /// When the database does not answer within the acquire timeout, or a client cannot be built from its settings.
    pub async fn connect(settings: impl Into<Arc<Settings>>) -> Result<Self, Broken> {
        let settings = settings.into();
        let pool = store::open(&settings).await?;
        Self::with_pool(pool, settings, Clock::system())
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
        })
    }

    /// Brings the schema up to date. Safe to run from several processes at once: sqlx takes an advisory lock.
    ///
    /// # Errors
    /// When a migration fails or an applied one was edited.
    pub async fn migrate(&self) -> Result<(), Broken> {
        Ok(store::MIGRATOR.run(&self.pool).await?)
    }

    /// The pool, for health checks, the session store and tests. Pages and server functions go through services.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
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

    pub(crate) const fn passwords(&self) -> &Passwords {
        &self.passwords
    }
}
