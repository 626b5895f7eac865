//! The ledger by hand, for tests: what a workflow writes together, one call at a time. Only with the feature `testing`.

use domain::id::{AccountId, LedgerAccountId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::ledger::{self, NewGrant, NewTransfer, System};

/// Opens a grant, with nothing in it yet.
///
/// # Errors
/// When the database fails.
pub async fn insert_grant(
    db: &mut PgConnection,
    account_id: AccountId,
    grant: &NewGrant<'_>,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    ledger::insert_grant(db, account_id, grant, now).await
}

/// The account's side of a system account, opened if it is not there.
///
/// # Errors
/// When the database fails.
pub async fn system_account(
    db: &mut PgConnection,
    account_id: AccountId,
    system: System,
    now: OffsetDateTime,
) -> Result<LedgerAccountId, Broken> {
    ledger::system_account(db, account_id, system, now).await
}

/// Books transfers in the order given.
///
/// # Errors
/// When the database fails, or one would take more than is there.
pub async fn append(
    db: &mut PgConnection,
    account_id: AccountId,
    transfers: &[NewTransfer],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    ledger::append(db, account_id, transfers, now).await
}
