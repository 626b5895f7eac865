//! The three figures in the frame of every signed-in page.

use domain::money::Ticks;

use crate::authority::view::View;
use crate::credit::standing::Burned;
use crate::failure::Broken;

/// What the frame shows.
pub struct Nav {
    /// Credit left, running sandboxes taken off.
    pub balance: Ticks,
    /// Sandboxes that run by the settled feed.
    pub running: i64,
    /// Keys that are not revoked.
    pub keys: i64,
}

/// Reads them.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "nav.read")]
pub async fn read(view: &mut View) -> Result<Nav, Broken> {
    let (burned, glance) = (Burned::of(view).await?, super::glance(view).await?);
    Ok(Nav {
        balance: burned.balance().left,
        running: glance.running,
        keys: glance.keys,
    })
}
