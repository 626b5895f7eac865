//! What every layer of the edge may know: where files lie, who we are, whom we trust, whether a stop has begun; and which
//! router answers now. Which layer stands where is the router's, one floor up in `mod.rs`; nothing here imports it.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use app::frame::assets::Assets;
use axum::Router;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::{Network, Web};

/// What the edge knows before the database is reached.
#[derive(Clone)]
pub struct Edge {
    pub(super) assets: Arc<Assets>,
    pub(super) site_root: Arc<PathBuf>,
    pub(super) origin: Arc<str>,
    pub(super) trusted_proxies: Arc<[Network]>,
    pub(super) stopping: CancellationToken,
}

impl Edge {
    /// Puts it together.
    #[must_use]
    pub fn new(
        assets: Assets,
        web: &Web,
        public_origin: &Url,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            assets: Arc::new(assets),
            site_root: Arc::new(web.site_root.clone()),
            origin: public_origin.origin().ascii_serialization().into(),
            trusted_proxies: web.trusted_proxies.clone().into(),
            stopping,
        }
    }
}

/// What answers now: a router for the start, until the one for the rest of the process takes over.
#[derive(Clone)]
pub struct Site {
    at_first: Router,
    opened: Arc<OnceLock<Router>>,
}

impl Site {
    /// Answers with this router at first.
    #[must_use]
    pub fn new(at_first: Router) -> Self {
        Self {
            at_first,
            opened: Arc::default(),
        }
    }

    /// Answers with this router from now on.
    pub fn open(&self, router: Router) {
        // A second call would be a defect of the caller; the first router stays.
        let _ = self.opened.set(router);
    }

    /// The router of this moment.
    pub(super) fn router(&self) -> Router {
        self.opened.get().unwrap_or(&self.at_first).clone()
    }
}
