//! Books the end of grants: once every hour that a grant may pay for is settled, what is left of it goes to breakage. A late
//! correction that gives something back to a grant after its end ends there again, in the same transaction.

use domain::id::AccountId;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::ledger::{NewTransfer, System, TransferKind, postings};
use crate::metering::settle::plan::Plan;

/// Books the ends of the grants of these accounts that ended at or before the hour up to which each is booked.
pub(super) async fn expire(
    db: &mut PgConnection,
    plans: &[Plan],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let until: Vec<(AccountId, OffsetDateTime)> = plans
        .iter()
        .filter(|plan| plan.is_whole)
        .map(|plan| (plan.account_id, plan.horizon.into()))
        .collect();
    let ended = postings::ended(db, &until).await?;
    if ended.is_empty() {
        return Ok(());
    }
    let mut accounts: Vec<AccountId> = ended.iter().map(|row| row.account_id).collect();
    accounts.dedup();
    let breakages = postings::system_accounts(db, &accounts, System::Breakage, now).await?;
    let mut transfers = Vec::with_capacity(ended.len());
    for row in ended.iter().filter(|row| row.rest.is_positive()) {
        let breakage = *breakages
            .get(&row.account_id)
            .ok_or_else(|| Broken::new("system account was not made"))?;
        let key = match row.expiries {
            0 => format!("expiry:{}", row.grant_id),
            again => format!("expiry:{}:{again}", row.grant_id),
        };
        let transfer = NewTransfer {
            debit: row.grant_id.0.into(),
            credit: breakage,
            ticks: row.rest,
            kind: TransferKind::Expiry,
            key,
            service_hour: None,
        };
        transfers.push((row.account_id, transfer));
    }
    postings::append(db, &transfers, now).await?;
    postings::expired(db, &ended).await
}
