//! The three figures in the frame of every signed-in page.

use domain::money::Ticks;

use crate::Backend;
use crate::authority::actor::Actor;
use crate::authority::view::snapshot;
use crate::credit::Burned;
use crate::failure::Broken;
use crate::metering::live;
use crate::overview::store;

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
#[tracing::instrument(skip_all, name = "nav.read")]
pub async fn read(backend: &Backend, actor: &Actor) -> Result<Nav, Broken> {
    let account_id = actor.account_id();
    let mut tx = snapshot(backend).await?;
    let live = live::read(backend, &mut tx, account_id).await?;
    let burned = Burned::read(backend, &mut tx, account_id, &live).await?;
    let glance = store::glance(&mut tx, account_id).await?;
    Ok(Nav {
        balance: burned.balance().left,
        running: glance.running,
        keys: glance.keys,
    })
}
