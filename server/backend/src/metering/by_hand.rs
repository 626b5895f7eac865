//! Parts of metering by hand, for tests that hold two of them against each other. Only with the feature `testing`.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::failure::Broken;
use crate::metering::feed::events::{self, StoredEvent};
use crate::metering::feed::pending;

pub use crate::metering::feed::events::Pending;
pub use crate::metering::meters::Settled;

/// Notes the last event stored of each account.
///
/// # Errors
/// When the database fails.
pub async fn add_pending(
    db: &mut PgConnection,
    accounts: &[Uuid],
    seqs: &[i64],
) -> Result<(), Broken> {
    pending::add(db, accounts, seqs).await
}

/// Takes away what is settled now.
///
/// # Errors
/// When the database fails.
pub async fn take_pending(db: &mut PgConnection, settled: &[Settled]) -> Result<(), Broken> {
    pending::take(db, settled).await
}

/// All events up to the last pending one of every sandbox that has pending events.
///
/// # Errors
/// When the database fails or a stored event cannot be read.
pub async fn of_touched(
    db: &mut PgConnection,
    feed: (&str, &str),
    unsettled: &[Pending],
) -> Result<Vec<StoredEvent>, Broken> {
    events::of_touched(db, feed, unsettled).await
}
