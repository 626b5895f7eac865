//! Part of `make bench`: how many events a second go from the orchestrator's feed to posted ledger lines. Expects an
//! orchestrator whose feed already holds them, a migrated database and the accounts; prints the count, time and rate.

use std::io::Write as _;
use std::time::Instant;

use backend::Backend;
use backend::metering::pull::{self, Pulled};
use backend::metering::settle;
use server::config::Config;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::from_env().map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let backend = Backend::connect(config.backend)
        .await
        .map_err(|broken| anyhow::anyhow!("{broken}"))?;
    let began = Instant::now();
    let mut events = 0;
    // One page in memory at a time; ends when the feed says that no more follow.
    loop {
        match pull::pull(&backend)
            .await
            .map_err(|broken| anyhow::anyhow!("{broken}"))?
        {
            Pulled::Stored {
                events: fresh,
                more,
            } => {
                events += fresh;
                if !more {
                    break;
                }
            }
            other => anyhow::bail!("the feed was not read to its end: {other:?}"),
        }
    }
    let pulled = began.elapsed();
    while settle::round(&backend)
        .await
        .map_err(|broken| anyhow::anyhow!("{broken}"))?
        > 0
    {}
    let all = began.elapsed();
    let rate = u128::try_from(events)? * 1_000 / all.as_millis().max(1);
    writeln!(
        std::io::stdout(),
        "{events} events in {} ms ({} ms of it to store them): {rate} events/s to posted ledger",
        all.as_millis(),
        pulled.as_millis(),
    )?;
    Ok(())
}
