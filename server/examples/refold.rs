//! Part of `make bench`: how long it takes to fold, rate and book everything again from the first event on, and in how much
//! memory. Expects a database that holds the events (`.ci/bench-refold.sh`); prints seconds and the peak of this process.

use std::io::Write as _;
use std::time::Instant;

use backend::Backend;
use backend::metering::settle;
use server::config::Config;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::from_env().map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let backend = Backend::connect(config.backend)
        .await
        .map_err(|broken| anyhow::anyhow!("{broken}"))?;
    let began = Instant::now();
    let mut accounts = 0;
    // As in the worker, round after round until nobody is behind; each round is bounded, and so is its memory.
    loop {
        let settled = settle::round(&backend).await;
        match settled.map_err(|broken| anyhow::anyhow!("{broken}"))? {
            0 => break,
            some => accounts += some,
        }
    }
    let elapsed = began.elapsed();
    writeln!(
        std::io::stdout(),
        "{accounts} accounts settled in {}.{:03} s, peak memory {}",
        elapsed.as_secs(),
        elapsed.subsec_millis(),
        peak().unwrap_or_else(|| "not known on this system".to_owned()),
    )?;
    Ok(())
}

/// The most memory that this process ever held, as Linux says.
fn peak() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}
