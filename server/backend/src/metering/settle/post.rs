//! Books what was rated: per account and hour the difference to what is booked, paid from grants in their order or given
//! back in the reverse of the booked order. Which grant pays is `domain::credit`'s.

use std::collections::{BTreeSet, HashMap};

use domain::credit::{self, Grant, Payer};
use domain::id::{AccountId, GrantId, LedgerAccountId};
use domain::money::Ticks;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::ledger::postings::{Booked, Hour};
use crate::ledger::{NewTransfer, System, TransferKind, postings};
use crate::metering::settle::recover;

/// An hour whose postings differ from what is rated.
struct Gap {
    hour: Hour,
    /// Above zero: still to be paid. Below: to be given back.
    delta: Ticks,
    booked: Booked,
}

/// A part of a gap, and who bears it.
struct Part<'a> {
    gap: &'a Gap,
    payer: Payer,
    ticks: Ticks,
}

/// Books the gaps of these hours, oldest hour of each account first; gives the hours that nobody had paid and that credit now
/// pays. Must run under the meters of the accounts.
pub(super) async fn post(
    db: &mut PgConnection,
    hours: &BTreeSet<Hour>,
    now: OffsetDateTime,
) -> Result<Vec<Hour>, Broken> {
    let hours: Vec<Hour> = hours.iter().copied().collect();
    let gaps = gaps(db, &hours).await?;
    if gaps.is_empty() {
        return Ok(Vec::new());
    }
    let mut accounts: Vec<AccountId> = gaps.iter().map(|gap| gap.hour.0).collect();
    accounts.dedup();
    let payers: Vec<GrantId> = gaps
        .iter()
        .flat_map(|gap| &gap.booked.payers)
        .filter_map(|(payer, _)| match payer {
            Payer::Grant(grant_id) => Some(*grant_id),
            Payer::Overrun => None,
        })
        .collect();
    let mut grants = postings::grants(db, &accounts, &payers).await?;
    let mut parts = Vec::new();
    for gap in &gaps {
        let grants = grants.entry(gap.hour.0).or_default();
        let split = if gap.delta.is_positive() {
            credit::burn(grants, gap.hour.1, gap.delta)
        } else {
            credit::unwind(&gap.booked.payers, gap.delta.abs())
        };
        for (payer, ticks) in split {
            turn(grants, payer, ticks, gap.delta.is_positive());
            parts.push(Part { gap, payer, ticks });
        }
    }
    append(db, &accounts, &parts, now).await?;
    let back = parts.iter().filter(|part| !part.gap.delta.is_positive());
    let back = back.filter_map(|part| match part.payer {
        Payer::Grant(grant_id) => Some((part.gap.hour.0, grant_id, part.ticks)),
        Payer::Overrun => None,
    });
    recover::recover(db, back, &grants, now).await
}

async fn gaps(db: &mut PgConnection, hours: &[Hour]) -> Result<Vec<Gap>, Broken> {
    if hours.is_empty() {
        return Ok(Vec::new());
    }
    let rated = postings::rated(db, hours).await?;
    let mut booked = postings::booked(db, hours).await?;
    let mut gaps = Vec::new();
    for hour in hours {
        let booked = booked.remove(hour).unwrap_or_default();
        let sum = booked.payers.iter().map(|(_, ticks)| *ticks).sum();
        let rated = rated.get(hour).copied().unwrap_or(Ticks::ZERO);
        let delta = rated
            .checked_sub(sum)
            .ok_or_else(|| Broken::new("an hour's amount is out of range"))?;
        if delta != Ticks::ZERO {
            gaps.push(Gap {
                hour: *hour,
                delta,
                booked,
            });
        }
    }
    Ok(gaps)
}

/// Keeps what is left of a grant in step while its account's next hours are split.
pub(super) fn turn(grants: &mut [Grant], payer: Payer, ticks: Ticks, burns: bool) {
    let paying = |grant: &&mut Grant| payer == Payer::Grant(grant.grant_id);
    for grant in grants.iter_mut().filter(paying) {
        grant.remaining = if burns {
            grant.remaining.saturating_sub(ticks)
        } else {
            grant.remaining.saturating_add(ticks)
        };
    }
}

async fn append(
    db: &mut PgConnection,
    accounts: &[AccountId],
    parts: &[Part<'_>],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let revenues = postings::system_accounts(db, accounts, System::Revenue, now).await?;
    let mut overrun: Vec<AccountId> = parts
        .iter()
        .filter(|part| part.payer == Payer::Overrun)
        .map(|part| part.gap.hour.0)
        .collect();
    overrun.dedup();
    let overruns = postings::system_accounts(db, &overrun, System::Overrun, now).await?;
    let missing = || Broken::new("system account was not made");
    let mut transfers = Vec::with_capacity(parts.len());
    for part in parts {
        let (account_id, hour) = part.gap.hour;
        let revenue = *revenues.get(&account_id).ok_or_else(missing)?;
        let bearer = bearer(&overruns, account_id, part.payer).ok_or_else(missing)?;
        let burns = part.gap.delta.is_positive();
        let (debit, credit) = if burns {
            (bearer, revenue)
        } else {
            (revenue, bearer)
        };
        let kind = match (burns, part.payer) {
            (false, _) => TransferKind::Correction,
            (true, Payer::Overrun) => TransferKind::Overrun,
            (true, Payer::Grant(_)) => TransferKind::Usage,
        };
        // The revision counts the transfers of this hour under the meter's lock: the same state posts the same key.
        let revision = part.gap.booked.transfers;
        let key = format!("usage:{}:{revision}:{bearer}", hour.unix_ms());
        let transfer = NewTransfer {
            debit,
            credit,
            ticks: part.ticks,
            kind,
            key,
            service_hour: Some(hour),
        };
        transfers.push((account_id, transfer));
    }
    postings::append(db, &transfers, now).await
}

fn bearer(
    overruns: &HashMap<AccountId, LedgerAccountId>,
    account_id: AccountId,
    payer: Payer,
) -> Option<LedgerAccountId> {
    match payer {
        Payer::Grant(grant_id) => Some(LedgerAccountId(grant_id.0)),
        Payer::Overrun => overruns.get(&account_id).copied(),
    }
}
