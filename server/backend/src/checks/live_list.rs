//! R2: what the orchestrator says runs now beside what the feed says, both ways. The list carries the moment of which it is
//! true; it is compared only once the feed's watermark has reached that moment, and a sandbox with an event at or after it
//! is left for the next turn. So a difference is never a race. It also brings the processor time of what runs.

use crate::metering::running;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::id::AccountId;
use domain::moment::Moment;
use domain::sandbox::{self, SandboxState};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Backend;
use crate::authority::view::snapshot;
use crate::checks::evidence::{self, Told};
use crate::checks::store;
use crate::checks::walk::guard;
use crate::failure::Broken;
use crate::findings::{self, Finding, Scope};
use crate::metering::FEED;
use crate::metering::feed::{self, pull};
use crate::outside::orchestrator::CallError;
use crate::outside::orchestrator::wire::{LiveRun, LiveRuns};
use crate::queue::turn::{Place, next};

const NAME: &str = "r2";
/// Accounts whose lists are asked for before the feed is waited for.
const ACCOUNTS: i64 = 100;
/// Live sandboxes of one account, as many as the orchestrator lets run several times over.
const LIVE_MAX: i64 = 50_000;
/// Looks at the watermark before this turn gives up.
const WAITS: usize = 20;
/// Time between two of them.
const WAIT: Duration = Duration::from_millis(250);

/// A bounded number of accounts. An orchestrator that does not answer puts the round off; the feed's alarms say so.
pub(super) async fn turn(backend: &Backend, place: &str) -> Result<Place, Broken> {
    let after = Uuid::parse_str(place).unwrap_or_default();
    let mut db = backend.pool().acquire().await?;
    let accounts = store::ledger::accounts_after(&mut db, after, ACCOUNTS).await?;
    drop(db);
    let mut lists: Vec<(AccountId, LiveRuns)> = Vec::new();
    for account_id in &accounts {
        match backend.orchestrator().live_runs(*account_id).await {
            Ok(list) => lists.push((*account_id, list)),
            // Not pushed yet, or erased: no moment to compare at. What is billed there still is R1's and R3's.
            Err(CallError::Unknown) => {}
            Err(error) => {
                tracing::warn!(%error, "live list not read; the next turn goes on here");
                metrics::counter!("live_lists_unanswered_total").increment(1);
                return Ok(Place {
                    text: place.to_owned(),
                    more: false,
                });
            }
        }
    }
    let Some(latest) = lists.iter().map(|(_, list)| list.as_of).max() else {
        return Ok(next(&accounts, ACCOUNTS));
    };
    if !feed_reached(backend, latest).await? {
        tracing::warn!("the feed does not reach the live list; the next turn goes on here");
        return Ok(Place {
            text: place.to_owned(),
            more: false,
        });
    }
    for (account_id, list) in &lists {
        guard(*account_id, look(backend, *account_id, list).await);
    }
    Ok(next(&accounts, ACCOUNTS))
}

/// Waits for the watermark, pulling along with the worker; false when it does not come in time.
async fn feed_reached(backend: &Backend, at: time::OffsetDateTime) -> Result<bool, Broken> {
    for _ in 0..WAITS {
        let mut db = backend.pool().acquire().await?;
        let cursor = feed::log::peek(&mut db, FEED).await?;
        drop(db);
        if cursor.is_some_and(|cursor| cursor.watermark_at.is_some_and(|mark| mark >= at)) {
            return Ok(true);
        }
        match pull::pull(backend).await? {
            pull::Pulled::Stored { .. } => {}
            pull::Pulled::Stopped | pull::Pulled::Unanswered(_) => return Ok(false),
            pull::Pulled::Raced => tokio::time::sleep(WAIT).await,
        }
    }
    Ok(false)
}

async fn look(backend: &Backend, account_id: AccountId, list: &LiveRuns) -> Result<(), Broken> {
    let mut tx = snapshot(backend).await?;
    let (looked_at, findings) = compare(&mut tx, account_id, list).await?;
    tx.commit().await?;
    let mut db = backend.pool().acquire().await?;
    let now = backend.clock().now();
    let report = (Scope::Only(&looked_at), findings.as_slice());
    findings::report(&mut db, NAME, Some(account_id), report, now).await?;
    let used: Vec<(&str, i64)> = list
        .runs
        .iter()
        .filter_map(|run| Some((run.id.as_str(), sandbox::cpu_ms(run.cpu_ms?)?)))
        .collect();
    running::note_cpu(&mut db, account_id, &used, list.as_of).await
}

/// Compares what can be compared; gives the sandboxes that were.
async fn compare(
    db: &mut PgConnection,
    account_id: AccountId,
    list: &LiveRuns,
) -> Result<(Vec<String>, Vec<Finding>), Broken> {
    let as_of = Moment::from(list.as_of);
    let listed: BTreeMap<&str, &LiveRun> =
        list.runs.iter().map(|run| (run.id.as_str(), run)).collect();
    let mut ids: BTreeSet<String> = store::evidence::live_ids(db, account_id, LIVE_MAX)
        .await?
        .into_iter()
        .collect();
    ids.extend(listed.keys().map(|id| (*id).to_owned()));
    // Open findings are looked at again, whether their sandbox is live or not.
    for (of, subject) in findings::open(db, NAME, LIVE_MAX).await? {
        if of == Some(account_id) {
            ids.insert(subject);
        }
    }
    let doubted = evidence::doubted(db, account_id).await?;
    let (doubted, ids): (Vec<String>, Vec<String>) =
        ids.into_iter().partition(|id| doubted.contains(id));
    let (mut looked_at, mut out) = (doubted, Vec::new());
    for ids in ids.chunks(usize::try_from(evidence::SANDBOXES_AT_ONCE)?) {
        let told = evidence::told(db, account_id, ids, i64::MAX).await?;
        for id in ids {
            let told = told.get(id);
            let last = told.and_then(|told| told.last.as_ref());
            if last.is_some_and(|last| last.occurred_at.max(last.recorded_at) >= as_of) {
                continue;
            }
            looked_at.push(id.clone());
            let run = listed.get(id.as_str()).copied();
            out.extend(judge(told, run).map(|(fault, expected, found)| Finding {
                account_id: Some(account_id),
                fault,
                subject: id.clone(),
                expected,
                found,
            }));
        }
    }
    Ok((looked_at, out))
}

/// What is wrong between the feed's word and the list's, if anything is.
fn judge(told: Option<&Told>, run: Option<&LiveRun>) -> Option<(&'static str, String, String)> {
    use SandboxState::{Destroyed, Hibernated, Running};
    let told_state = told.and_then(|told| told.history.state);
    let run_state = run.and_then(|run| SandboxState::parse(&run.status));
    let fault = match (told_state, run_state.or(run.map(|_| Destroyed))) {
        (None, Some(Running | Hibernated)) => "run_unknown",
        (Some(Running | Hibernated), None | Some(Destroyed)) => "run_gone",
        (Some(Hibernated | Destroyed), Some(Running)) => "run_unbilled",
        (Some(Running), Some(Hibernated)) => "run_billed_asleep",
        (Some(Destroyed), Some(Hibernated)) => "run_not_destroyed",
        (Some(_), Some(_)) if !is_same_size(told, run) => "run_size_off",
        _ => return None,
    };
    let word = |state: Option<SandboxState>| state.map_or("nothing", SandboxState::as_str);
    let size =
        |size: Option<(i32, i32)>| size.map_or_else(String::new, |(c, m)| format!(" {c} x {m}"));
    let told_size = told
        .and_then(Told::created)
        .map(|e| (e.size.vcpus, e.size.mem_mib));
    let expected = format!("feed: {}{}", word(told_state), size(told_size));
    let found = format!(
        "list: {}{}",
        word(run_state),
        size(run.map(|r| (r.vcpus, r.mem_mib)))
    );
    Some((fault, expected, found))
}

fn is_same_size(told: Option<&Told>, run: Option<&LiveRun>) -> bool {
    let told = told.and_then(Told::created).map(|event| event.size);
    told.zip(run)
        .is_none_or(|(size, run)| (size.vcpus, size.mem_mib) == (run.vcpus, run.mem_mib))
}
