//! Part of `make bench`: how many events a second go from the orchestrator's feed to posted ledger lines. Expects an
//! orchestrator whose feed already holds them, a migrated database and the accounts; prints counts, times and the rate.

use std::time::Instant;

use backend::Backend;
use backend::metering::pull::{self, Pulled};
use backend::metering::settle;
use tokio::sync::watch;

/// Pulls and settles everything; gives counts, times and the rate as a line.
pub async fn measure(backend: &Backend) -> anyhow::Result<String> {
    let began = Instant::now();
    // As in the worker: pulling and settling side by side, each in its own loop.
    let (ended, has_ended) = watch::channel(false);
    let settling = tokio::spawn(settle_all(backend.clone(), has_ended));
    let events = pull_all(backend).await?;
    let pulled = began.elapsed();
    ended.send(true)?;
    settling.await??;
    let all = began.elapsed();
    let rate = u128::try_from(events)? * 1_000 / all.as_millis().max(1);
    Ok(format!(
        "{events} events in {} ms (all stored after {} ms): {rate} events/s to posted ledger",
        all.as_millis(),
        pulled.as_millis(),
    ))
}

/// Pulls page by page until the feed says that no more follow.
async fn pull_all(backend: &Backend) -> anyhow::Result<usize> {
    let mut events = 0;
    loop {
        let pulled = pull::pull(backend).await;
        match pulled.map_err(|broken| anyhow::anyhow!("{broken}"))? {
            Pulled::Stored {
                events: fresh,
                more,
            } => {
                events += fresh;
                if !more {
                    return Ok(events);
                }
            }
            other => anyhow::bail!("the feed was not read to its end: {other:?}"),
        }
    }
}

/// Settles until the feed has been read to its end and nobody is behind.
async fn settle_all(backend: Backend, mut has_ended: watch::Receiver<bool>) -> anyhow::Result<()> {
    loop {
        let last = *has_ended.borrow_and_update();
        let settled = settle::round(&backend).await;
        let settled = settled.map_err(|broken| anyhow::anyhow!("{broken}"))?;
        if settled == 0 && last {
            return Ok(());
        }
        if settled == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}
