//! The three figures in the frame of every signed-in page.

use domain::money::Ticks;

use super::{credit, snapshot};
use crate::Backend;
use crate::actor::Actor;
use crate::failure::Broken;
use crate::metering::live;
use crate::store::{keys, sandboxes};

/// What the frame shows.
pub struct Nav {
    /// Credit left, running sandboxes taken off.
    pub balance: Ticks,
    /// Running sandboxes.
    pub running: i64,
    /// Live keys.
    pub keys: i64,
}

/// Reads them.
///
/// # Errors
/// When the database fails.
pub async fn read(backend: &Backend, actor: &Actor) -> Result<Nav, Broken> {
    let mut tx = snapshot(backend).await?;
    let live = live::read(backend, &mut tx, actor.account_id()).await?;
    let balance = credit::with(&mut tx, actor.account_id(), &live)
        .await?
        .remaining;
    let (running, _) = sandboxes::count(&mut tx, actor.account_id()).await?;
    Ok(Nav {
        balance,
        running,
        keys: keys::count_live(&mut tx, actor.account_id()).await?,
    })
}
