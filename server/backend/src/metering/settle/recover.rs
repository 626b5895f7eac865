//! Books hours anew that nobody paid, once a correction gives credit back that would have paid them: told late is then in the
//! end as told in time. Only what came back pays, and only hours that its grant may pay for, the oldest first; credit
//! given later for another reason never does.

use std::collections::HashMap;

use domain::credit::{self, Grant, Payer};
use domain::id::{AccountId, GrantId};
use domain::money::Ticks;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::ledger::postings::{self, Hour};
use crate::ledger::{NewTransfer, System, TransferKind};
use crate::metering::settle::post;

/// Books anew what the credit that came `back` pays; gives the hours that are paid by more than before. `grants` are those of
/// these accounts as they are by now. Must run under the meters of the accounts, after what gave it back.
pub(super) async fn recover(
    db: &mut PgConnection,
    back: impl Iterator<Item = (AccountId, GrantId, Ticks)>,
    grants: &HashMap<AccountId, Vec<Grant>>,
    now: OffsetDateTime,
) -> Result<Vec<Hour>, Broken> {
    let mut usable: HashMap<AccountId, HashMap<GrantId, Ticks>> = HashMap::new();
    for (account_id, grant_id, ticks) in back {
        let sum = usable.entry(account_id).or_default();
        let sum = sum.entry(grant_id).or_default();
        *sum = sum.saturating_add(ticks);
    }
    let mut usable: HashMap<AccountId, Vec<Grant>> = usable
        .into_iter()
        .map(|(account_id, back)| (account_id, returned(&back, grants.get(&account_id))))
        .filter(|(_, grants)| !grants.is_empty())
        .collect();
    if usable.is_empty() {
        return Ok(Vec::new());
    }
    let mut accounts: Vec<AccountId> = usable.keys().copied().collect();
    accounts.sort_unstable();
    let mut paid: Vec<(Hour, Vec<(GrantId, Ticks)>)> = Vec::new();
    for (hour, unpaid) in postings::unpaid(db, &accounts).await? {
        let Some(grants) = usable.get_mut(&hour.0) else {
            continue;
        };
        let mut parts = Vec::new();
        for (payer, ticks) in credit::burn(grants, hour.1, unpaid) {
            if let Payer::Grant(grant_id) = payer {
                post::turn(grants, payer, ticks, true);
                parts.push((grant_id, ticks));
            }
        }
        if !parts.is_empty() {
            paid.push((hour, parts));
        }
    }
    book(db, &accounts, &paid, now).await?;
    Ok(paid.into_iter().map(|(hour, _)| hour).collect())
}

/// What came back to each grant and is still there: hours of the same batch may have taken of it already.
fn returned(back: &HashMap<GrantId, Ticks>, grants: Option<&Vec<Grant>>) -> Vec<Grant> {
    let grants = grants.into_iter().flatten();
    grants
        .filter_map(|grant| {
            let remaining = grant.remaining.min(*back.get(&grant.grant_id)?);
            remaining.is_positive().then(|| Grant {
                remaining,
                ..grant.clone()
            })
        })
        .collect()
}

/// Per hour one correction of what nobody paid, and a payment by each grant.
async fn book(
    db: &mut PgConnection,
    accounts: &[AccountId],
    paid: &[(Hour, Vec<(GrantId, Ticks)>)],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    if paid.is_empty() {
        return Ok(());
    }
    let hours: Vec<Hour> = paid.iter().map(|(hour, _)| *hour).collect();
    let booked = postings::booked(db, &hours).await?;
    let revenues = postings::system_accounts(db, accounts, System::Revenue, now).await?;
    let overruns = postings::system_accounts(db, accounts, System::Overrun, now).await?;
    let missing = || Broken::new("system account was not made");
    let mut transfers = Vec::new();
    for (hour, parts) in paid {
        let (account_id, at) = *hour;
        let revenue = *revenues.get(&account_id).ok_or_else(missing)?;
        let overrun = *overruns.get(&account_id).ok_or_else(missing)?;
        let revision = booked.get(hour).map_or(0, |booked| booked.transfers);
        let key =
            |bearer: &dyn std::fmt::Display| format!("usage:{}:{revision}:{bearer}", at.unix_ms());
        let of_hour = |debit, credit, ticks, kind, key| NewTransfer {
            debit,
            credit,
            ticks,
            kind,
            key,
            service_hour: Some(at),
        };
        let sum = parts.iter().map(|(_, ticks)| *ticks).sum();
        let taken_back = of_hour(
            revenue,
            overrun,
            sum,
            TransferKind::Correction,
            key(&overrun),
        );
        transfers.push((account_id, taken_back));
        for (grant_id, ticks) in parts {
            let grant = grant_id.0.into();
            let payment = of_hour(grant, revenue, *ticks, TransferKind::Usage, key(grant_id));
            transfers.push((account_id, payment));
        }
    }
    postings::append(db, &transfers, now).await
}
