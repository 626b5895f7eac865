//! R3: days. What is summed by UTC day beside what is summed by hour, cohort by cohort. The hours themselves are `hours`'s:
//! a day in which they do not add up to the slices is left alone until they do, so that one wrong row is one finding.

use std::collections::BTreeSet;

use domain::id::AccountId;
use domain::moment::{DAY_MS, Moment};
use time::{Date, OffsetDateTime};

use crate::Backend;
use crate::authority::view::snapshot;
use crate::checks::rated;
use crate::checks::store;
use crate::failure::Broken;
use crate::findings::{self, Finding, Scope};

/// Days that one question covers.
const DAYS_AT_ONCE: i64 = 31;
/// Wrong sums reported of each question; the rest is found by the next turn.
const ROWS_MAX: i64 = 200;
/// Open findings looked at again in each turn.
const OPEN_AGAIN: i64 = 1_000;

/// Holds the days of an account from the one of `from` on against their hours, and those that have open findings.
pub(super) async fn look(
    backend: &Backend,
    account_id: AccountId,
    from: Moment,
) -> Result<(), Broken> {
    let mut db = backend.pool().acquire().await?;
    let first = store::ledger::first_hour(&mut db, account_id).await?;
    let (_, until) = store::evidence::settled(&mut db, account_id).await?;
    let open = findings::open(&mut db, rated::NAME, OPEN_AGAIN).await?;
    drop(db);
    let (mut at, end) = first.map_or((Moment::MIN, Moment::MIN), |first| {
        let end = rated::end(first, until).plus_ms(DAY_MS - 1).day();
        (first.max(from).day(), end)
    });
    let open = open.into_iter().filter(|(of, _)| *of == Some(account_id));
    let open: BTreeSet<Moment> = open.filter_map(|(_, subject)| parse(&subject)).collect();
    for day in open.into_iter().filter(|day| *day < at || end <= *day) {
        window(backend, account_id, (day, day.plus_ms(DAY_MS))).await?;
    }
    while at < end {
        let until = at.plus_ms(DAYS_AT_ONCE * DAY_MS).min(end);
        window(backend, account_id, (at, until)).await?;
        at = until;
    }
    Ok(())
}

async fn window(
    backend: &Backend,
    account_id: AccountId,
    (from, until): (Moment, Moment),
) -> Result<(), Broken> {
    let mut tx = snapshot(backend).await?;
    let rows = store::days::uneven(&mut tx, account_id, (from, until), ROWS_MAX).await?;
    tx.commit().await?;
    // When there may be more rows, the day of the last one and those after it were not looked at to their end.
    let is_cut = i64::try_from(rows.len())? == ROWS_MAX;
    let end = rows.last().filter(|_| is_cut).map_or(until, |row| row.day);
    let in_doubt = |day: Moment| rows.iter().any(|row| row.day == day && !row.is_told);
    let days = (0..end.since_ms(from) / DAY_MS).map(|day| from.plus_ms(day * DAY_MS));
    let looked_at: Vec<String> = days.filter(|day| !in_doubt(*day)).map(word).collect();
    let told = rows.iter().filter(|row| row.is_told);
    let found: Vec<Finding> = told
        .map(|row| Finding {
            account_id: Some(account_id),
            fault: "usage_day_off",
            subject: format!("{} {}", row.cohort_id, word(row.day)),
            expected: format!("{} ms {} ticks", row.of_hours.0, row.of_hours.1),
            found: format!("{} ms {} ticks", row.of_day.0, row.of_day.1),
        })
        .collect();
    let mut db = backend.pool().acquire().await?;
    let report = (Scope::Only(&looked_at), found.as_slice());
    let now = backend.clock().now();
    findings::report(&mut db, rated::NAME, Some(account_id), report, now).await
}

/// A day as the last word of a subject: a date, where hours are moments.
fn word(day: Moment) -> String {
    OffsetDateTime::from(day).date().to_string()
}

fn parse(subject: &str) -> Option<Moment> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let date = Date::parse(subject.split(' ').next_back()?, format).ok()?;
    Some(date.midnight().assume_utc().into())
}
