//! The orchestrator as a program: configuration from the environment, one line when ready, ends on SIGINT or SIGTERM.

use std::{env, io::Write as _, path::PathBuf};

use anyhow::Context as _;
use peers::orchestrator::{Options, Orchestrator};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listen = env::var("PEER_LISTEN").unwrap_or_else(|_| "127.0.0.1:3100".to_owned());
    let options = Options {
        listen: listen.parse().context("PEER_LISTEN must look like 127.0.0.1:3100")?,
        dir: PathBuf::from(env::var("PEER_DIR").unwrap_or_else(|_| ".data/orchestrator".to_owned())),
        credential: env::var("ORCHESTRATOR_CREDENTIAL").context("ORCHESTRATOR_CREDENTIAL is not set")?,
        region: env::var("REGION").unwrap_or_else(|_| "us".to_owned()),
    };
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let orchestrator = Orchestrator::start(options).await?;
    writeln!(std::io::stdout(), "orchestrator ready on {}", orchestrator.url())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    orchestrator.stop().await;
    Ok(())
}
