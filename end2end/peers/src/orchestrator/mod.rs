//! The orchestrator: what really runs sandboxes in production, here with a control plane and a public plane that keep
//! time, state and the feed but start no virtual machine. The contract is docs/orchestrator.yaml.

mod allowance;
mod commands;
mod control;
mod ending;
mod feed;
mod guest;
mod keys;
mod peer;
mod plane;
mod public;
mod records;
mod routes;
mod runs;
mod shared;
mod snapshots;
mod state;
mod tenants;
mod transaction;
mod usage;
mod wire;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::task::JoinHandle;

use self::shared::Shared;
use crate::serve::Serving;

pub use self::{
    control::{Appended, Control, ControlError},
    ending::Reason,
    plane::{Plane, Switch},
    records::{Event, Kind},
};
pub use crate::{
    faults::Fault,
    stamp::{NotATime, Stamp},
};

/// How often deadlines are looked at when nobody asks anything. They are dated exactly however late this is.
const TICK: Duration = Duration::from_millis(50);

#[derive(Debug, Clone)]
pub struct Options {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the journal lives; created if missing. One process at a time.
    pub dir: PathBuf,
    /// The bearer token of the control plane.
    pub credential: String,
    /// Two letters; keys of another region are refused.
    pub region: String,
}

/// A running orchestrator. Dropping it is like killing its process: what was acknowledged is on disk.
pub struct Orchestrator {
    shared: Arc<Shared>,
    serving: Serving,
    _running: Running,
}

/// Ends the background work when its orchestrator is gone.
struct Running {
    shared: Arc<Shared>,
    ticking: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.halt();
        self.ticking.abort();
    }
}

impl Orchestrator {
    /// Reads the journal and serves both planes and `/peer/*`.
    ///
    /// # Errors
    /// When the journal is damaged before its last line, the directory cannot be written or the address is taken.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let Options {
            listen,
            dir,
            credential,
            region,
        } = options;
        anyhow::ensure!(
            !credential.is_empty(),
            "the credential of the control plane is empty"
        );
        anyhow::ensure!(
            region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_lowercase()),
            "the region must be two lower-case letters"
        );
        let opened =
            tokio::task::spawn_blocking(move || Shared::open(&dir, credential, region)).await??;
        let shared = Arc::new(opened);
        let serving = Serving::start(listen, routes::router(&shared)).await?;
        let ticking = tokio::spawn(tick(Arc::clone(&shared)));
        let running = Running {
            shared: Arc::clone(&shared),
            ticking,
        };
        Ok(Self {
            shared,
            serving,
            _running: running,
        })
    }

    /// `http://address:port`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.serving.address)
    }

    /// The handle for clock, faults and inspection.
    #[must_use]
    pub fn control(&self) -> Control {
        Control {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Closes the port and the journal; requests in flight end without an answer.
    pub async fn stop(self) {
        self.shared.halt();
        self.serving.stop().await;
    }

    /// Method and path of every route of both planes (not the test switches).
    #[must_use]
    pub fn operations() -> Vec<(&'static str, &'static str)> {
        let routes = routes::all()
            .into_iter()
            .map(|route| (route.method, route.path));
        routes
            .filter(|(_, path)| !path.starts_with("/peer/"))
            .collect()
    }
}

async fn tick(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        // Stopped is the only refusal, and then there is nothing left to do.
        if shared.run(|_transaction| Ok(())).await.is_err() {
            return;
        }
    }
}
