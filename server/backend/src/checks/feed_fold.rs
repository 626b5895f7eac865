//! R1: the feed replayed beside the stored sandboxes and intervals. Both are read in one snapshot, and events that are not
//! settled in it are left out, so a difference is never a race. What slices say is R3's.

use domain::id::AccountId;
use domain::interval::Interval;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Backend;
use crate::authority::view::snapshot;
use crate::checks::evidence::{self, Told};
use crate::checks::store;
use crate::checks::store::evidence::SandboxRow;
use crate::failure::Broken;
use crate::findings::{self, Finding, Scope};

pub(super) const NAME: &str = "r1";

pub(super) async fn look(
    backend: &Backend,
    account_id: AccountId,
    ids: &[String],
) -> Result<(), Broken> {
    let mut tx = snapshot(backend).await?;
    let doubted = evidence::doubted(&mut tx, account_id).await?;
    let sure = ids.iter().filter(|id| !doubted.contains(*id));
    let sure: Vec<String> = sure.cloned().collect();
    let findings = compare(&mut tx, account_id, &sure).await?;
    tx.commit().await?;
    let mut db = backend.pool().acquire().await?;
    let now = backend.clock().now();
    let report = (Scope::Only(ids), findings.as_slice());
    findings::report(&mut db, NAME, Some(account_id), report, now).await
}

async fn compare(
    db: &mut PgConnection,
    account_id: AccountId,
    ids: &[String],
) -> Result<Vec<Finding>, Broken> {
    let (settled_seq, _) = store::evidence::settled(db, account_id).await?;
    let told = evidence::told(db, account_id, ids, settled_seq).await?;
    let rows = store::evidence::sandboxes(db, account_id, ids).await?;
    let intervals = store::evidence::intervals(db, account_id, ids).await?;
    let mut out = Vec::new();
    for id in ids {
        let told = told.get(id);
        let row = rows.iter().find(|row| row.sandbox_id == *id);
        let mut add = |fault, expected: String, found: String| {
            out.push(Finding {
                account_id: Some(account_id),
                fault,
                subject: id.clone(),
                expected,
                found,
            });
        };
        sandbox(told, row, &mut add);
        let stored: Vec<Interval> = intervals
            .iter()
            .filter(|(of, _)| of == id)
            .map(|(_, interval)| *interval)
            .collect();
        let expected = told.map_or(&[][..], |told| told.history.intervals.as_slice());
        compare_intervals(expected, &stored, &mut add);
    }
    Ok(out)
}

fn sandbox(
    told: Option<&Told>,
    row: Option<&SandboxRow>,
    add: &mut impl FnMut(&'static str, String, String),
) {
    let state = told.and_then(|told| told.history.state);
    let (Some(told), Some(state), Some(row)) = (told, state, row) else {
        match (state, row) {
            (Some(state), None) => add("sandbox_missing", state.as_str().to_owned(), String::new()),
            (None, Some(row)) => add("sandbox_extra", String::new(), row.state.clone()),
            _ => {}
        }
        return;
    };
    let at = |at: Option<domain::moment::Moment>| at.map(OffsetDateTime::from);
    let same = row.state == state.as_str()
        && Some(row.created_at) == at(told.history.created_at)
        && row.destroyed_at == at(told.history.destroyed_at)
        && Some(&row.traits) == told.traits.as_ref();
    if !same {
        let expected = format!("{} {:?}", state.as_str(), told.created().map(|e| e.size));
        let found = format!(
            "{} {} x {}",
            row.state, row.traits.vcpus, row.traits.mem_mib
        );
        add("sandbox_off", expected, found);
    } else if row.cohort.as_ref() != told.traits.as_ref() {
        add("cohort_off", String::new(), String::new());
    }
}

fn compare_intervals(
    expected: &[Interval],
    stored: &[Interval],
    add: &mut impl FnMut(&'static str, String, String),
) {
    let missing: Vec<&Interval> = expected.iter().filter(|i| !stored.contains(i)).collect();
    let extra: Vec<&Interval> = stored.iter().filter(|i| !expected.contains(i)).collect();
    let fault = match (missing.len(), extra.len()) {
        (0, 0) if expected == stored => return,
        (0, 0) => "interval_order",
        (0, _) => "interval_extra",
        (_, 0) => "interval_missing",
        _ => "interval_off",
    };
    add(fault, spans(&missing), spans(&extra));
}

/// Intervals in Unix milliseconds, the first three.
fn spans(intervals: &[&Interval]) -> String {
    let shown: Vec<String> = intervals
        .iter()
        .take(3)
        .map(|interval| {
            let end = interval.ended_at.map(|end| end.unix_ms().to_string());
            format!(
                "[{}, {})",
                interval.started_at.unix_ms(),
                end.as_deref().unwrap_or("open")
            )
        })
        .collect();
    shown.join(" ")
}
