//! Part of `make bench`: how long it takes to fold, rate and book everything again from the first event on, and in how much
//! memory. Expects a database that holds the events (`server/bench/replay.sql`); prints seconds and the peak of this process.

use std::time::Instant;

use backend::Backend;
use backend::metering::settle;

/// Settles until nobody is behind; gives seconds and the peak of this process as a line.
pub async fn measure(backend: &Backend) -> anyhow::Result<String> {
    let began = Instant::now();
    let mut accounts = 0;
    // As in the worker, round after round until nobody is behind; each round is bounded, and so is its memory.
    loop {
        let settled = settle::round(backend).await;
        match settled.map_err(|broken| anyhow::anyhow!("{broken}"))? {
            0 => break,
            some => accounts += some,
        }
    }
    let elapsed = began.elapsed();
    Ok(format!(
        "{accounts} accounts settled in {}.{:03} s, peak memory {}",
        elapsed.as_secs(),
        elapsed.subsec_millis(),
        peak().unwrap_or_else(|| "not known on this system".to_owned()),
    ))
}

/// The most memory that this process ever held, as Linux says.
fn peak() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}
