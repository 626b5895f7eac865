//! The three figures in the frame of every signed-in page.

use domain::money::Ticks;

use crate::authority::view::View;
use crate::credit::standing::Burned;
use crate::failure::Broken;

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
pub async fn read(view: &mut View) -> Result<Nav, Broken> {
    let (burned, glance) = (Burned::of(view).await?, super::glance(view).await?);
    Ok(Nav {
        balance: burned.balance().left,
        running: glance.running,
        keys: glance.keys,
    })
}
