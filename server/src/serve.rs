//! Start and stop of `serve`: listen at once, wait for the database, migrate, work, and end in order on a signal.
//! What is answered in the meantime is `http::starting`.

use std::sync::Arc;
use std::time::Duration;

use app::frame::assets::Assets;
use backend::Backend;
use backend::failure::Broken;
use backend::worker;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Web};
use crate::http::listen::{self, Shares};
use crate::http::{self, Edge, Site};
use crate::telemetry;

/// Waits between tries for a database that is away: the last one again and again.
const RETRY_AFTER_MS: [u64; 6] = [100, 200, 500, 1_000, 2_000, 5_000];
/// How long a stopping process still accepts connections, so that a balancer can read `/readyz` first.
const LINGER: Duration = Duration::from_secs(1);
/// How often histograms are folded, as the metrics library asks for.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// What this process does.
#[derive(Clone, Copy, Debug)]
pub struct Roles {
    /// Answers requests.
    pub web: bool,
    /// Does the background work.
    pub worker: bool,
}

/// Runs until a signal, then ends in order.
pub async fn run(config: Config, roles: Roles) -> anyhow::Result<()> {
    let Config {
        stage,
        web,
        backend: settings,
        ..
    } = config;
    let stopping = on_signal()?;
    let metrics = start_metrics(&web, &stopping).await?;
    let edge = Edge::new(
        read_assets(&web, roles).await?,
        &web,
        &settings.public_origin,
        stopping.clone(),
    );
    let site = Site::new(http::starting(&edge));
    let serving = if roles.web {
        Some(start_web(&web, &site, &stopping).await?)
    } else {
        None
    };

    let settings = Arc::new(settings);
    let Some(backend) = connect(&settings, &stopping).await? else {
        return Ok(());
    };
    site.open(http::router(
        &edge,
        &backend,
        http::rate_limit::Limits::of(stage),
    ));
    tracing::info!(web = roles.web, worker = roles.worker, "ready");
    if roles.worker {
        worker::run(backend.clone(), stopping.clone()).await;
    }
    stopping.cancelled().await;
    if let Some(serving) = serving {
        serving.await?;
    }
    metrics.await?;
    backend.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// A token that SIGTERM and SIGINT cancel.
fn on_signal() -> anyhow::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let stopping = CancellationToken::new();
    let cancel = stopping.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("stopping");
        cancel.cancel();
    });
    Ok(stopping)
}

async fn read_assets(web: &Web, roles: Roles) -> anyhow::Result<Assets> {
    if roles.web {
        http::assets::read(&web.site_root).await
    } else {
        Ok(Assets {
            css: String::new(),
            js: String::new(),
            wasm: String::new(),
        })
    }
}

async fn start_web(
    web: &Web,
    site: &Site,
    stopping: &CancellationToken,
) -> anyhow::Result<JoinHandle<()>> {
    let listener = bind(web.listen, "LISTEN_ADDR").await?;
    let (site, stopping) = (site.clone(), stopping.clone());
    let close = CancellationToken::new();
    let closing = close.clone();
    tokio::spawn(async move {
        stopping.cancelled().await;
        tokio::time::sleep(LINGER).await;
        closing.cancel();
    });
    let shares = Shares::new(web);
    Ok(tokio::spawn(listen::serve(listener, site, shares, close)))
}

/// Metrics are served from the first moment to the last, to a worker's Prometheus too.
async fn start_metrics(web: &Web, stopping: &CancellationToken) -> anyhow::Result<JoinHandle<()>> {
    let handle = telemetry::start_metrics()?;
    let listener = bind(web.metrics, "METRICS_ADDR").await?;
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(METRICS_UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    let site = Site::new(http::metrics_router(handle));
    Ok(tokio::spawn(listen::serve(
        listener,
        site,
        Shares::new(web),
        stopping.clone(),
    )))
}

async fn bind(address: std::net::SocketAddr, name: &'static str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|error| anyhow::anyhow!("{name} {address}: {error}"))?;
    tracing::info!(%address, name, "listening");
    Ok(listener)
}

/// Migrates and connects, waiting for a database that is away; none when the stop comes first.
async fn connect(
    settings: &Arc<backend::settings::Settings>,
    stopping: &CancellationToken,
) -> anyhow::Result<Option<Backend>> {
    let mut waits = RETRY_AFTER_MS.into_iter();
    let mut wait = 0;
    loop {
        let broken = match Backend::migrate(settings).await {
            Ok(()) => match Backend::connect(Arc::clone(settings)).await {
                Ok(backend) => return Ok(Some(backend)),
                Err(broken) => broken,
            },
            Err(broken) => broken,
        };
        if !broken.is_unavailable() {
            return Err(report(broken));
        }
        wait = waits.next().unwrap_or(wait);
        tracing::warn!(cause = %broken.cause(), place = %broken.place(), verb = broken.verb(), again_in_ms = wait, "the database is away");
        tokio::select! {
            () = stopping.cancelled() => return Ok(None),
            () = tokio::time::sleep(Duration::from_millis(wait)) => {}
        }
    }
}

/// A breakage as the reason why the program ends.
pub fn report(broken: Broken) -> anyhow::Error {
    anyhow::anyhow!("{broken}")
}
