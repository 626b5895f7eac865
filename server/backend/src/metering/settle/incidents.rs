//! Gives back what incidents had cost: notes each as the fold finds it, and once all its hours are booked, opens a grant that
//! names it. How much comes back is `domain::incident`'s; it may grow later and is never taken back.

use std::collections::{BTreeMap, BTreeSet};

use domain::credit::Payer;
use domain::id::{AccountId, GrantId};
use domain::incident;
use domain::interval::{self, Interval};
use domain::moment::Moment;
use domain::money::Ticks;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::ledger::postings::Hour;
use crate::ledger::{self, GrantReason, NewGrant, NewTransfer, System, TransferKind, postings};
use crate::metering::settle::incidents_store::{self, IncidentRow, Weighed};
use crate::metering::settle::plan::{Books, Plan};
use crate::metering::settle::replay::{self, Replayed};
use crate::random;

/// What an incident had cost by the hour.
struct Cost {
    billed_ms: i64,
    hours: Vec<(Moment, Ticks)>,
}

/// Notes the incidents of replayed sandboxes.
pub(super) async fn note(
    db: &mut PgConnection,
    replayed: &[Replayed],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let lost: Vec<_> = replayed
        .iter()
        .flat_map(|row| {
            row.history
                .lost
                .iter()
                .map(|lost| (&row.folded.place, *lost))
        })
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    incidents_store::note(db, &lost, now).await
}

/// Has incidents weighed again that lie in hours which nobody had paid before.
pub(super) async fn again(db: &mut PgConnection, hours: &[Hour]) -> Result<(), Broken> {
    if hours.is_empty() {
        return Ok(());
    }
    incidents_store::again(db, hours).await
}

/// Weighs the incidents whose hours are all booked by now and grants the credit that is missing.
pub(super) async fn weigh(
    db: &mut PgConnection,
    plans: &[Plan],
    books: &Books,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let until: Vec<(AccountId, OffsetDateTime)> = plans
        .iter()
        .filter(|plan| plan.is_whole)
        .map(|plan| (plan.account_id, plan.horizon.into()))
        .collect();
    let rows = incidents_store::to_weigh(db, &until).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let costs = costs(&rows, books)?;
    let hours: Vec<Hour> = rows
        .iter()
        .zip(&costs)
        .flat_map(|(row, cost)| cost.hours.iter().map(|(hour, _)| (row.place.0, *hour)))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let paid = paid(db, &hours).await?;
    let mut weighed = Vec::new();
    let mut at = 0;
    for rows in rows.chunk_by(|a, b| a.place.0 == b.place.0) {
        let costs = &costs[at..at + rows.len()];
        at += rows.len();
        let by_hour: Vec<_> = costs.iter().map(|cost| cost.hours.clone()).collect();
        let none = BTreeMap::new();
        let paid = rows
            .first()
            .and_then(|row| paid.get(&row.place.0))
            .unwrap_or(&none);
        let amounts = incident::amounts(&by_hour, paid);
        let due = rows.iter().zip(costs).zip(amounts);
        weighed.extend(
            due.filter(|((row, _), _)| row.is_due)
                .map(|((row, cost), amount)| (row, cost.billed_ms, amount)),
        );
    }
    give(db, &weighed, now).await
}

fn costs(rows: &[IncidentRow], books: &Books) -> Result<Vec<Cost>, Broken> {
    rows.iter()
        .map(|row| {
            let span = Interval {
                started_at: row.lost.started_at,
                ended_at: Some(row.lost.ended_at),
            };
            let book = replay::book(books, row.place.0)?;
            let slices = interval::slices(&[span], row.size, book, row.lost.ended_at)?;
            Ok(Cost {
                billed_ms: slices.iter().map(|slice| slice.billed.0).sum(),
                hours: slices
                    .iter()
                    .map(|slice| (slice.hour, slice.ticks))
                    .collect(),
            })
        })
        .collect()
}

/// What grants paid, net, by account and hour.
async fn paid(
    db: &mut PgConnection,
    hours: &[Hour],
) -> Result<BTreeMap<AccountId, BTreeMap<Moment, Ticks>>, Broken> {
    let mut paid: BTreeMap<AccountId, BTreeMap<Moment, Ticks>> = BTreeMap::new();
    for ((account_id, hour), booked) in postings::booked(db, hours).await? {
        let by_grants = |payer: &&(Payer, Ticks)| payer.0 != Payer::Overrun;
        let sum = booked
            .payers
            .iter()
            .filter(by_grants)
            .map(|(_, ticks)| *ticks)
            .sum();
        paid.entry(account_id).or_default().insert(hour, sum);
    }
    Ok(paid)
}

/// Opens or raises the grants of weighed incidents and fills them with what is missing.
async fn give(
    db: &mut PgConnection,
    weighed: &[(&IncidentRow, i64, Ticks)],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let mut done = Vec::with_capacity(weighed.len());
    let mut fresh = Vec::new();
    let mut fills = Vec::new();
    for (row, billed_ms, amount) in weighed {
        let missing = amount.saturating_sub(row.ticks);
        let mut outcome = Weighed {
            account_id: row.place.0,
            incident_id: row.incident_id,
            billed_ms: *billed_ms,
            ticks: row.ticks,
            revision: row.revision,
            grant_id: row.grant_id,
        };
        if missing.is_positive() {
            let grant_id = row.grant_id.unwrap_or_else(|| GrantId(random::id(now)));
            match row.grant_id {
                Some(_) => ledger::raise_grant(db, row.place.0, grant_id, missing).await?,
                None => fresh.push((row, grant_id, missing)),
            }
            fills.push((row, grant_id, missing));
            outcome.ticks = *amount;
            outcome.revision += 1;
            outcome.grant_id = Some(grant_id);
        }
        done.push(outcome);
    }
    open(db, &fresh, now).await?;
    fill(db, &fills, now).await?;
    incidents_store::weighed(db, &done, now).await
}

type Gift<'a> = (&'a &'a IncidentRow, GrantId, Ticks);

async fn open(
    db: &mut PgConnection,
    fresh: &[Gift<'_>],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    if fresh.is_empty() {
        return Ok(());
    }
    let notes: Vec<String> = fresh
        .iter()
        .map(|(row, ..)| incident::note(&row.place.1, row.lost))
        .collect();
    let grants: Vec<NewGrant<'_>> = fresh
        .iter()
        .zip(&notes)
        .map(|((row, grant_id, amount), note)| NewGrant {
            grant_id: *grant_id,
            reason: GrantReason::Incident,
            amount: *amount,
            priority: 0,
            starts_at: row.lost.started_at.hour(),
            ends_at: None,
            note,
        })
        .collect();
    let rows: Vec<_> = fresh
        .iter()
        .zip(&grants)
        .map(|((row, ..), grant)| (row.place.0, grant))
        .collect();
    ledger::insert_grants(db, &rows, now).await
}

async fn fill(
    db: &mut PgConnection,
    fills: &[Gift<'_>],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    if fills.is_empty() {
        return Ok(());
    }
    let mut accounts: Vec<AccountId> = fills.iter().map(|(row, ..)| row.place.0).collect();
    accounts.dedup();
    let goodwill = postings::system_accounts(db, &accounts, System::Goodwill, now).await?;
    let mut transfers = Vec::with_capacity(fills.len());
    for (row, grant_id, ticks) in fills {
        let (account_id, sandbox_id) = &row.place;
        let start = row.lost.started_at.unix_ms();
        let key = match row.revision {
            0 => format!("incident:{sandbox_id}:{start}"),
            revision => format!("incident:{sandbox_id}:{start}:{revision}"),
        };
        let debit = *goodwill
            .get(account_id)
            .ok_or_else(|| Broken::new("system account was not made"))?;
        let transfer = NewTransfer {
            debit,
            credit: grant_id.0.into(),
            ticks: *ticks,
            kind: TransferKind::Grant,
            key,
            service_hour: None,
        };
        transfers.push((*account_id, transfer));
    }
    postings::append(db, &transfers, now).await
}
