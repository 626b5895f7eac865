//! The orchestrator as a program: configuration from the environment, one line when ready, ends on SIGINT or SIGTERM.

use std::{env, io::Write as _, path::PathBuf};

use anyhow::Context as _;
use peers::orchestrator::{Options, Orchestrator};
use tokio::signal::unix::{SignalKind, signal};

/// An empty value counts as absent.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the whole configuration of a program for tests"
)]
fn setting(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listen = setting("PEER_LISTEN").unwrap_or_else(|| "127.0.0.1:3100".to_owned());
    let options = Options {
        listen: listen
            .parse()
            .context("PEER_LISTEN must look like 127.0.0.1:3100")?,
        dir: PathBuf::from(setting("PEER_DIR").unwrap_or_else(|| ".data/orchestrator".to_owned())),
        credential: setting("ORCHESTRATOR_CREDENTIAL")
            .context("ORCHESTRATOR_CREDENTIAL is not set")?,
        region: setting("REGION").unwrap_or_else(|| "us".to_owned()),
    };
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let orchestrator = Orchestrator::start(options).await?;
    writeln!(
        std::io::stdout(),
        "orchestrator ready on {}",
        orchestrator.url()
    )?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    orchestrator.stop().await;
    Ok(())
}
