//! R3: hours. Slices beside what the feed and the prices make of each sandbox; then, hour by hour, slices beside their sums
//! by cohort and beside what is booked. Where anything differs, the hour is made anew from the feed and each of the three
//! is held against that, so that one wrong row is one finding. Days are `days`'.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::{AccountId, PriceId};
use domain::interval::Slice;
use domain::moment::{DAY_MS, HOUR_MS, Moment};
use domain::money::Ticks;
use sqlx::PgConnection;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::authority::view::snapshot;
use crate::checks::rated::{NAME, Rated, end};
use crate::checks::store;
use crate::checks::store::evidence::Traits;
use crate::checks::{Look, days, evidence};
use crate::failure::Broken;
use crate::findings::{self, Finding, Scope};
use crate::{Backend, prices, usage};

/// How far back the hourly round looks: corrections of what is older are a person's to decide.
const RECENT_MS: i64 = 35 * DAY_MS;
/// How much of an account's time one question covers; a day of it when that is more than can be read one by one.
const WINDOW_MS: i64 = 31 * DAY_MS;
/// Hours made anew for one account in one turn; the rest is found by the next.
const HOURS_MAX: i64 = 200;
/// Sandboxes that may have run in the hours made anew.
const SANDBOXES_MAX: i64 = 50_000;

/// Hours of the last 35 days of an account.
pub(super) async fn recent(backend: &Backend, account_id: AccountId) -> Result<(), Broken> {
    let mut db = backend.pool().acquire().await?;
    let (_, until) = store::evidence::settled(&mut db, account_id).await?;
    drop(db);
    match until.map(Moment::from) {
        Some(until) => {
            let from = until.plus_ms(-RECENT_MS);
            if is_sure(backend, account_id).await? {
                uneven(backend, account_id, from).await?;
            }
            days::look(backend, account_id, from).await
        }
        None => Ok(()),
    }
}

/// False when an event of the account is not stored as the feed told it: hours made anew from it would all be wrong, and so
/// is what was found by it before.
async fn is_sure(backend: &Backend, account_id: AccountId) -> Result<bool, Broken> {
    let mut db = backend.pool().acquire().await?;
    let is_sure = evidence::doubted(&mut db, account_id).await?.is_empty();
    if !is_sure {
        let nothing = (Scope::Whole, &[][..]);
        let now = backend.clock().now();
        findings::report(&mut db, NAME, Some(account_id), nothing, now).await?;
    }
    Ok(is_sure)
}

/// Every slice and hour of an account.
pub(super) async fn all(backend: &Backend, account_id: AccountId) -> Result<(), Broken> {
    if is_sure(backend, account_id).await? {
        evidence::every_sandbox(backend, account_id, Look::Slices).await?;
        uneven(backend, account_id, Moment::MIN).await?;
    }
    days::look(backend, account_id, Moment::MIN).await
}

/// Holds the slices of these sandboxes against the feed; hours in which one differs are made anew.
pub(super) async fn slices_of(
    backend: &Backend,
    account_id: AccountId,
    ids: &[String],
) -> Result<(), Broken> {
    if !is_sure(backend, account_id).await? {
        return Ok(());
    }
    let mut tx = snapshot(backend).await?;
    let told = rated(&mut tx, account_id, ids).await?;
    let stored = stored(&mut tx, account_id, ids).await?;
    tx.commit().await?;
    let hours: BTreeSet<Moment> = told
        .iter()
        .filter(|(key, rated)| !stored.get(*key).is_some_and(|row| same(rated, row)))
        .chain(stored.iter().filter(|(key, _)| !told.contains_key(*key)))
        .map(|((_, hour), _)| *hour)
        .collect();
    anew(backend, account_id, &hours).await
}

/// Finds hours from `from` on in which the three records do not agree, with those that have open findings, and makes them anew.
async fn uneven(backend: &Backend, account_id: AccountId, from: Moment) -> Result<(), Broken> {
    let mut tx = snapshot(backend).await?;
    let mut hours = BTreeSet::new();
    let first = store::ledger::first_hour(&mut tx, account_id).await?;
    let (_, until) = store::evidence::settled(&mut tx, account_id).await?;
    if let Some(first) = first {
        let mut at = first.max(from);
        let end = end(first, until);
        while at < end && hours.len() < usize::try_from(HOURS_MAX)? {
            let mut window = (at, at.plus_ms(WINDOW_MS).min(end));
            if !usage::sums::fits(&mut tx, account_id, window.0, window.1).await? {
                window.1 = at.plus_ms(DAY_MS).min(end);
            }
            hours
                .extend(store::ledger::uneven_hours(&mut tx, account_id, window, HOURS_MAX).await?);
            at = window.1;
        }
    }
    tx.commit().await?;
    let mut db = backend.pool().acquire().await?;
    for (of, subject) in findings::open(&mut db, NAME, HOURS_MAX).await? {
        let hour = subject.split(' ').next_back().and_then(parse);
        if let Some(hour) = hour.filter(|_| of == Some(account_id)) {
            hours.insert(hour);
        }
    }
    drop(db);
    anew(backend, account_id, &hours).await
}

/// Makes hours anew from the feed and reports what differs in them.
async fn anew(
    backend: &Backend,
    account_id: AccountId,
    hours: &BTreeSet<Moment>,
) -> Result<(), Broken> {
    let (Some(first), Some(last)) = (hours.first(), hours.last()) else {
        return Ok(());
    };
    let mut tx = snapshot(backend).await?;
    let span = (
        OffsetDateTime::from(*first),
        OffsetDateTime::from(last.plus_ms(HOUR_MS)),
    );
    let ids =
        store::evidence::sandbox_ids_between(&mut tx, account_id, span, SANDBOXES_MAX).await?;
    if i64::try_from(ids.len())? == SANDBOXES_MAX {
        return Err(Broken::new(
            "more sandboxes in an hour than can be made anew",
        ));
    }
    let mut out = Vec::new();
    let mut sums: BTreeMap<(Moment, Traits), (i64, Ticks)> = BTreeMap::new();
    for ids in ids.chunks(usize::try_from(evidence::SANDBOXES_AT_ONCE)?) {
        let (settled_seq, _) = store::evidence::settled(&mut tx, account_id).await?;
        let told = evidence::told(&mut tx, account_id, ids, settled_seq).await?;
        let mut rated = rated(&mut tx, account_id, ids).await?;
        let mut stored = stored(&mut tx, account_id, ids).await?;
        rated.retain(|(_, hour), _| hours.contains(hour));
        stored.retain(|(_, hour), _| hours.contains(hour));
        compare_slices(account_id, &rated, &stored, &mut out);
        for ((id, hour), (_, slice)) in rated {
            let Some(traits) = told.get(&id).and_then(|told| told.traits.clone()) else {
                continue;
            };
            let sum = sums.entry((hour, traits)).or_default();
            sum.0 += slice.billed.0;
            sum.1 = sum.1.saturating_add(slice.ticks);
        }
    }
    compare_sums(&mut tx, account_id, (hours, &sums), &mut out).await?;
    compare_booked(&mut tx, account_id, (hours, &sums), &mut out).await?;
    tx.commit().await?;
    let words: Vec<String> = hours.iter().copied().map(word).collect();
    let mut db = backend.pool().acquire().await?;
    let report = (Scope::Only(&words), out.as_slice());
    findings::report(
        &mut db,
        NAME,
        Some(account_id),
        report,
        backend.clock().now(),
    )
    .await
}

async fn rated(
    db: &mut PgConnection,
    account_id: AccountId,
    ids: &[String],
) -> Result<Rated, Broken> {
    let (settled_seq, until) = store::evidence::settled(db, account_id).await?;
    let horizon = until.map_or(Moment::MIN, Moment::from);
    let book = prices::book(db, account_id).await?;
    let told = evidence::told(db, account_id, ids, settled_seq).await?;
    let mut out = Rated::new();
    for (id, told) in told {
        for (hour, rated) in told.slices(&book, horizon)? {
            out.insert((id.clone(), hour), rated);
        }
    }
    Ok(out)
}

async fn stored(
    db: &mut PgConnection,
    account_id: AccountId,
    ids: &[String],
) -> Result<Rated, Broken> {
    let rows = store::evidence::slices(db, account_id, ids).await?;
    Ok(rows
        .into_iter()
        .map(|(id, price_id, slice)| ((id, slice.hour), (price_id, slice)))
        .collect())
}

fn same(told: &(PriceId, Slice), row: &(PriceId, Slice)) -> bool {
    told.0 == row.0 && told.1.billed == row.1.billed && told.1.ticks == row.1.ticks
}

fn compare_slices(account_id: AccountId, told: &Rated, stored: &Rated, out: &mut Vec<Finding>) {
    let keys: BTreeSet<&(String, Moment)> = told.keys().chain(stored.keys()).collect();
    for key in keys {
        let fault = match (told.get(key), stored.get(key)) {
            (Some(told), Some(row)) if same(told, row) => continue,
            (Some(_), Some(_)) => "slice_off",
            (Some(_), None) => "slice_missing",
            (None, _) => "slice_extra",
        };
        let shown = |rated: Option<&(PriceId, Slice)>| {
            rated.map_or_else(String::new, |(_, slice)| {
                format!("{} ms {} ticks", slice.billed.0, slice.ticks)
            })
        };
        out.push(Finding {
            account_id: Some(account_id),
            fault,
            subject: format!("{} {}", key.0, word(key.1)),
            expected: shown(told.get(key)),
            found: shown(stored.get(key)),
        });
    }
}

/// What the feed makes of these hours, by what sandboxes are.
type Sums<'a> = (
    &'a BTreeSet<Moment>,
    &'a BTreeMap<(Moment, Traits), (i64, Ticks)>,
);

async fn compare_sums(
    db: &mut PgConnection,
    account_id: AccountId,
    (hours, sums): Sums<'_>,
    out: &mut Vec<Finding>,
) -> Result<(), Broken> {
    let cohorts: BTreeMap<Traits, Uuid> = store::evidence::cohorts(db, account_id)
        .await?
        .into_iter()
        .map(|(id, traits)| (traits, id))
        .collect();
    let at: Vec<OffsetDateTime> = hours.iter().map(|hour| (*hour).into()).collect();
    let stored: BTreeMap<(Moment, Uuid), (i64, Ticks)> = store::ledger::sums(db, account_id, &at)
        .await?
        .into_iter()
        .map(|row| ((row.hour, row.cohort_id), (row.billed_ms, row.ticks)))
        .collect();
    // A cohort that does not exist is R1's; its sums then stand under the nil id.
    let mut told: BTreeMap<(Moment, Uuid), (i64, Ticks)> = BTreeMap::new();
    for ((hour, traits), (ms, ticks)) in sums {
        let cohort_id = cohorts.get(traits).copied().unwrap_or_default();
        let sum = told.entry((*hour, cohort_id)).or_default();
        *sum = (sum.0 + ms, sum.1.saturating_add(*ticks));
    }
    let keys: BTreeSet<&(Moment, Uuid)> = told.keys().chain(stored.keys()).collect();
    for key in keys {
        let expected = told.get(key).copied().unwrap_or_default();
        let found = stored.get(key).copied().unwrap_or_default();
        if expected != found {
            out.push(Finding {
                account_id: Some(account_id),
                fault: "usage_hour_off",
                subject: format!("{} {}", key.1, word(key.0)),
                expected: format!("{} ms {} ticks", expected.0, expected.1),
                found: format!("{} ms {} ticks", found.0, found.1),
            });
        }
    }
    Ok(())
}

async fn compare_booked(
    db: &mut PgConnection,
    account_id: AccountId,
    (hours, sums): Sums<'_>,
    out: &mut Vec<Finding>,
) -> Result<(), Broken> {
    let at: Vec<OffsetDateTime> = hours.iter().map(|hour| (*hour).into()).collect();
    for (hour, net) in store::ledger::booked(db, account_id, &at).await? {
        let of_hour = sums.iter().filter(|((at, _), _)| *at == hour);
        let expected: Ticks = of_hour.map(|(_, (_, ticks))| *ticks).sum();
        let fault = match expected.cmp(&net) {
            std::cmp::Ordering::Equal => continue,
            std::cmp::Ordering::Greater => "hour_underbooked",
            std::cmp::Ordering::Less => "hour_overbooked",
        };
        out.push(Finding {
            account_id: Some(account_id),
            fault,
            subject: word(hour),
            expected: format!("{expected} ticks"),
            found: format!("{net} ticks"),
        });
    }
    Ok(())
}

/// An hour as the last word of a subject.
fn word(hour: Moment) -> String {
    OffsetDateTime::from(hour)
        .format(&Rfc3339)
        .unwrap_or_default()
}

fn parse(word: &str) -> Option<Moment> {
    OffsetDateTime::parse(word, &Rfc3339).ok().map(Moment::from)
}
