//! Planted faults (invariant 30 of docs/invariants.md): each is found by its check under its word, nothing else is raised,
//! and when it is mended the finding closes. The database's faults are planted with triggers and foreign keys off.

use peers::orchestrator::{Appended, Kind};
use serde_json::json;
use sqlx::PgPool;

use crate::checks::{busy, open, run_all};
use crate::world::World;

/// What is kept aside to mend the books after each fault.
const TABLES: [&str; 15] = [
    "feed_log",
    "feed_events",
    "ledger_head",
    "sandboxes",
    "cohorts",
    "intervals",
    "slices",
    "usage_hours",
    "usage_days",
    "transfers",
    "ledger_accounts",
    "grants",
    "ledger_days",
    "accounts",
    "forecasts",
];

#[expect(
    clippy::disallowed_methods,
    reason = "does by hand what no code of ours does"
)]
pub async fn as_owner(world: &World, sql: &str) {
    let sql =
        format!("SET session_replication_role = replica; {sql}; RESET session_replication_role");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(&world.owner)
        .await
        .unwrap();
}

/// The only sandbox of which nothing is posted yet.
const YOUNG: &str = "(SELECT sandbox_id FROM sandboxes WHERE state = 'running' AND sandbox_id NOT IN (SELECT sandbox_id FROM slices))";
/// A closed interval of a destroyed sandbox.
const CLOSED: &str = "(account_id, sandbox_id, ordinal) = (SELECT account_id, sandbox_id, ordinal FROM intervals
    JOIN sandboxes USING (account_id, sandbox_id) WHERE state = 'destroyed' ORDER BY sandbox_id LIMIT 1)";
const SLICE: &str =
    "(account_id, sandbox_id, hour_at) = (SELECT account_id, sandbox_id, hour_at FROM slices
    ORDER BY hour_at, sandbox_id LIMIT 1)";
/// A sum of a day.
const DAY: &str =
    "(account_id, day_at, cohort_id) = (SELECT account_id, day_at, cohort_id FROM usage_days
    ORDER BY day_at, account_id, cohort_id LIMIT 1)";
/// Usage booked today, so that its day is not sealed yet.
const FRESH: &str = "(SELECT t.* FROM transfers AS t WHERE t.kind = 'usage'
    AND t.booked_at >= (SELECT max(day_at) + 1 FROM ledger_days) ORDER BY t.booked_at, t.transfer_id LIMIT 1)";
/// An account in which something runs.
const RUNS: &str = "account_id IN (SELECT account_id FROM intervals WHERE ended_at IS NULL ORDER BY account_id LIMIT 1)";

/// Name, statements, and what is found.
fn faults() -> Vec<(&'static str, String, Vec<&'static str>)> {
    let of = &|name, sql: &str, found: &[&'static str]| {
        let sql = sql
            .replace("{YOUNG}", YOUNG)
            .replace("{CLOSED}", CLOSED)
            .replace("{SLICE}", SLICE)
            .replace("{DAY}", DAY)
            .replace("{FRESH}", FRESH)
            .replace("{RUNS}", RUNS);
        (name, sql, found.to_vec())
    };
    let mut all = of_the_feed(of);
    all.extend(of_the_fold(of));
    all.extend(of_what_runs(of));
    all.extend(of_the_ledger(of));
    all.extend(of_the_chain(of));
    all
}

type Fault = (&'static str, String, Vec<&'static str>);

/// The end of a sandbox that was billed.
const END: &str = "(account_id, seq) = (SELECT account_id, seq FROM feed_events WHERE kind = 'destroyed' ORDER BY seq LIMIT 1)";

fn of_the_feed(of: impl Fn(&'static str, &str, &[&'static str]) -> Fault) -> Vec<Fault> {
    let of_end =
        |name, sql: &str, found: &[&'static str]| of(name, &sql.replace("{END}", END), found);
    vec![
        of_end("event removed", "DELETE FROM feed_events WHERE {END}", &["feed event_missing"]),
        of(
            "all events of a sandbox removed",
            "DELETE FROM feed_events WHERE sandbox_id = {YOUNG}",
            &["feed event_missing"],
        ),
        of_end(
            "event a day later",
            "UPDATE feed_events SET occurred_at = occurred_at + interval '1 day', recorded_at = recorded_at + interval '1 day'
             WHERE {END}",
            &["feed event_altered"],
        ),
        of_end("event of another kind", "UPDATE feed_events SET kind = 'reachable' WHERE {END}", &["feed event_altered"]),
        of_end("event that nothing can read", "UPDATE feed_events SET image = '', vcpus = 0 WHERE {END}", &["feed event_altered"]),
        of("create of another size", "UPDATE feed_events SET vcpus = 2 WHERE sandbox_id = {YOUNG}", &["feed event_altered"]),
        of_end(
            "event of another account",
            "UPDATE feed_events SET account_id = (SELECT max(account_id::text)::uuid FROM accounts
             WHERE account_id <> feed_events.account_id) WHERE {END}",
            &["feed event_extra", "feed event_missing"],
        ),
        of_end(
            "event nobody told",
            "INSERT INTO feed_events SELECT account_id, feed, epoch, (SELECT min(o.seq) FROM feed_events AS o
             WHERE o.account_id <> e.account_id), gen_random_uuid(), sandbox_id, key_id, parent_id, 'resumed', occurred_at,
             recorded_at, image, region, vcpus, mem_mib, cpu_ms FROM feed_events AS e WHERE {END}",
            &["feed event_extra"],
        ),
        of_end(
            "line of the log removed",
            "DELETE FROM feed_log WHERE seq = (SELECT min(seq) FROM feed_log)",
            &["feed line_missing"],
        ),
    ]
}

fn of_the_fold(of: impl Fn(&'static str, &str, &[&'static str]) -> Fault) -> Vec<Fault> {
    vec![
        of("interval missing", "DELETE FROM intervals WHERE {CLOSED}", &["r1 interval_missing"]),
        of(
            "interval extra",
            "INSERT INTO intervals SELECT account_id, sandbox_id, ordinal + 1, ended_at, ended_at + interval '1 hour'
             FROM intervals WHERE {CLOSED}",
            &["r1 interval_extra"],
        ),
        of("interval longer", "UPDATE intervals SET ended_at = ended_at + interval '1 ms' WHERE {CLOSED}", &["r1 interval_off"]),
        of("interval never closed", "UPDATE intervals SET ended_at = NULL WHERE {CLOSED}", &["r1 interval_off"]),
        of("sandbox missing", "DELETE FROM sandboxes WHERE sandbox_id = {YOUNG}", &["r1 sandbox_missing"]),
        of(
            "sandbox nobody made",
            "INSERT INTO sandboxes SELECT account_id, 'run-invented', state, image, region, vcpus, mem_mib, key_id, parent_id,
             created_at, destroyed_at, cohort_id, cpu_ms, cpu_seen_at FROM sandboxes WHERE sandbox_id = {YOUNG}",
            &["r1 sandbox_extra"],
        ),
        of("sandbox of another size", "UPDATE sandboxes SET vcpus = 8 WHERE sandbox_id = {YOUNG}", &["r1 sandbox_off"]),
        of("sandbox in another state", "UPDATE sandboxes SET state = 'destroyed' WHERE sandbox_id = {YOUNG}", &["r1 sandbox_off"]),
        of(
            "sandbox in a wrong cohort",
            "INSERT INTO cohorts SELECT account_id, gen_random_uuid(), key_id, 'other', region, vcpus, mem_mib FROM cohorts
             WHERE account_id = (SELECT account_id FROM sandboxes WHERE sandbox_id = {YOUNG});
             UPDATE sandboxes SET cohort_id = (SELECT cohort_id FROM cohorts WHERE image = 'other') WHERE sandbox_id = {YOUNG}",
            &["r1 cohort_off"],
        ),
        of("slice costs a tick more", "UPDATE slices SET ticks = ticks + 1 WHERE {SLICE}", &["r3 slice_off"]),
        of("slice a second longer", "UPDATE slices SET billed_ms = billed_ms - 1000 WHERE {SLICE}", &["r3 slice_off"]),
        of("slice at another price", "UPDATE slices SET price_id = gen_random_uuid() WHERE {SLICE}", &["r3 slice_off"]),
        of("slice missing", "DELETE FROM slices WHERE {SLICE}", &["r3 slice_missing"]),
        of(
            "slice of an hour in which it did not run",
            "INSERT INTO slices SELECT account_id, sandbox_id, hour_at - interval '5 hours', price_id, billed_ms, ticks
             FROM slices WHERE {SLICE}",
            &["r3 slice_extra"],
        ),
        of(
            "sum of an hour off",
            "UPDATE usage_hours SET ticks = ticks - 1 WHERE hour_at = (SELECT min(hour_at) FROM usage_hours)",
            &["r3 usage_hour_off"],
        ),
        of(
            "sum of an hour missing",
            "DELETE FROM usage_hours WHERE hour_at = (SELECT min(hour_at) FROM usage_hours)",
            &["r3 usage_hour_off"],
        ),
        of(
            "sum of an hour in which nothing ran",
            "INSERT INTO usage_hours SELECT account_id, hour_at - interval '5 hours', cohort_id, billed_ms, ticks FROM usage_hours
             ORDER BY hour_at LIMIT 1",
            &["r3 usage_hour_off"],
        ),
        of(
            "sum of a day off",
            "UPDATE usage_days SET ticks = ticks - 1 WHERE {DAY}",
            &["r3 usage_day_off"],
        ),
        of(
            "sum of a day missing",
            "DELETE FROM usage_days WHERE {DAY}",
            &["r3 usage_day_off"],
        ),
        of(
            "sum of a day in which nothing ran",
            "INSERT INTO usage_days SELECT account_id, day_at - interval '120 hours', cohort_id, billed_ms, ticks FROM usage_days
             ORDER BY day_at LIMIT 1",
            &["r3 usage_day_off"],
        ),
    ]
}

fn of_what_runs(of: impl Fn(&'static str, &str, &[&'static str]) -> Fault) -> Vec<Fault> {
    vec![
        of(
            "stopped account runs",
            "UPDATE accounts SET run_until = (SELECT settled_at - interval '1 hour' FROM feed_cursors) WHERE {RUNS}",
            &["r7 runs_past_end"],
        ),
        of(
            "account runs without credit",
            "UPDATE accounts SET run_until = NULL WHERE {RUNS};
             INSERT INTO forecasts (account_id, due_at, zero_at, cause)
             SELECT account_id, now(), (SELECT settled_at - interval '1 hour' FROM feed_cursors), 'credit' FROM accounts WHERE {RUNS}
             ON CONFLICT (account_id) DO UPDATE SET zero_at = excluded.zero_at, cause = excluded.cause",
            &["r7 runs_without_credit"],
        ),
    ]
}

fn of_the_ledger(of: impl Fn(&'static str, &str, &[&'static str]) -> Fault) -> Vec<Fault> {
    vec![
        of(
            "usage never booked",
            "UPDATE ledger_accounts AS la SET debit_ticks = debit_ticks - t.ticks FROM {FRESH} AS t
             WHERE la.account_id = t.account_id AND la.ledger_account_id = t.debit_id;
             DELETE FROM transfers WHERE transfer_id = (SELECT transfer_id FROM {FRESH} AS t)",
            &["r3 hour_underbooked"],
        ),
        of(
            "usage booked twice",
            "SET session_replication_role = origin; INSERT INTO transfers
             SELECT account_id, gen_random_uuid(), debit_id, credit_id, ticks, kind, key || ':again', service_hour, booked_at
             FROM {FRESH} AS t",
            &["r3 hour_overbooked"],
        ),
        of(
            "sealed transfer removed",
            "DELETE FROM transfers WHERE transfer_id = (SELECT transfer_id FROM transfers WHERE kind = 'usage'
             AND booked_at < (SELECT max(day_at) + 1 FROM ledger_days) ORDER BY booked_at, transfer_id LIMIT 1)",
            &["r3 hour_underbooked", "r4 balance_off", "r4 day_altered"],
        ),
        of(
            "sealed transfer renamed",
            "UPDATE transfers SET key = key || 'x' WHERE transfer_id = (SELECT transfer_id FROM transfers
             WHERE booked_at < (SELECT max(day_at) + 1 FROM ledger_days) ORDER BY booked_at, transfer_id LIMIT 1)",
            &["r4 day_altered"],
        ),
        of(
            "balance a tick off",
            "UPDATE ledger_accounts SET credit_ticks = credit_ticks + 1 WHERE ledger_account_id = (
             SELECT grant_id FROM grants ORDER BY grant_id LIMIT 1)",
            &["r4 balance_off"],
        ),
        of(
            "grant says more than filled it",
            "UPDATE grants SET amount_ticks = amount_ticks + 1 WHERE grant_id = (SELECT grant_id FROM grants ORDER BY grant_id LIMIT 1)",
            &["r4 grant_off"],
        ),
        of(
            "transfer from nobody",
            "INSERT INTO transfers SELECT account_id, gen_random_uuid(), gen_random_uuid(), credit_id, 1, 'grant', 'nobody', NULL,
             booked_at FROM {FRESH} AS t",
            &["r4 ledger_uneven"],
        ),
    ]
}

fn of_the_chain(of: impl Fn(&'static str, &str, &[&'static str]) -> Fault) -> Vec<Fault> {
    vec![
        of(
            "link of a day altered",
            "UPDATE ledger_days SET sha256 = sha256('x') WHERE day_at = (SELECT min(day_at) FROM ledger_days)",
            &["r4 day_altered"],
        ),
        of(
            "sum of a day altered",
            "UPDATE ledger_days SET ticks = ticks + 1 WHERE day_at = (SELECT max(day_at) FROM ledger_days)",
            &["r4 day_altered"],
        ),
        of(
            "newest day removed",
            "DELETE FROM ledger_days WHERE day_at = (SELECT max(day_at) FROM ledger_days)",
            &["r4 day_missing"],
        ),
        of(
            "a day that was never sealed",
            "INSERT INTO ledger_days SELECT day_at + 1, 0, 0, sha256, sha256('x'), sealed_at FROM ledger_days
             ORDER BY day_at DESC LIMIT 1",
            &["r4 day_altered", "r4 head_off"],
        ),
        of(
            "first day removed",
            "DELETE FROM ledger_days WHERE day_at = (SELECT min(day_at) FROM ledger_days)",
            &["r4 chain_broken"],
        ),
    ]
}

fn words(findings: Vec<(String, String)>) -> Vec<String> {
    findings
        .into_iter()
        .map(|(check, fault)| format!("{check} {fault}"))
        .collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_planted_fault_is_found_and_nothing_else(pool: PgPool) {
    let world = busy(pool).await;
    let keep: String = TABLES
        .iter()
        .map(|name| format!("CREATE TABLE kept_{name} AS TABLE {name};"))
        .collect();
    as_owner(&world, &keep).await;
    let mend: String = TABLES
        .iter()
        .map(|name| format!("DELETE FROM {name}; INSERT INTO {name} SELECT * FROM kept_{name};"))
        .collect();
    let faults = faults();
    assert!(faults.len() >= 30);
    for (name, sql, found) in faults {
        as_owner(&world, &sql).await;
        run_all(&world).await;
        assert_eq!(words(open(&world).await), found, "{name}");
        // That it closes is seen in the next turn, which finds its own fault and nothing of this one.
        as_owner(&world, &mend).await;
    }
    run_all(&world).await;
    assert_eq!(open(&world).await, []);
}

/// A create that could not be read, and one that says another size than runs: the list knows better.
#[sqlx::test(migrations = "../../migrations")]
async fn what_runs_otherwise_than_the_feed_said_is_found(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("the feed says other things than what runs");
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    for (field, value) in [("vcpus", json!("many")), ("vcpus", json!(2))] {
        world.start(&key).await;
        let event = world.control().events().unwrap().pop().unwrap();
        let mut line = serde_json::to_value(&event).unwrap();
        line[field] = value;
        world.control().damage(event.seq, line.to_string());
    }
    world.control().advance_ms(10).unwrap();
    world.meter().await;
    run_all(&world).await;
    let found = ["r2 run_size_off", "r2 run_unknown"];
    assert_eq!(words(open(&world).await), found);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_orchestrator_that_does_not_do_what_its_feed_says_is_found(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("the orchestrator lies about what runs");
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let (runs, sleeps, dead) = (
        world.start(&key).await,
        world.start(&key).await,
        world.start(&key).await,
    );
    world.act(&key, &sleeps, "hibernate").await;
    world.act(&key, &dead, "hibernate").await;
    world.control().advance_ms(10).unwrap();
    run_all(&world).await;
    assert_eq!(open(&world).await, []);
    let say = |id: Option<&str>, kind| Appended {
        account: Some(actor.account_id().0),
        sandbox_id: id.map(str::to_owned),
        kind: Some(kind),
        ..Appended::default()
    };
    let mut expected = Vec::new();
    for (event, word) in [
        (say(None, Kind::Created), "r2 run_gone"),
        (say(Some(&runs), Kind::Hibernated), "r2 run_unbilled"),
        (say(Some(&sleeps), Kind::Resumed), "r2 run_billed_asleep"),
        (say(Some(&dead), Kind::Destroyed), "r2 run_not_destroyed"),
    ] {
        world.control().append(vec![event]).unwrap();
        world.meter().await;
        run_all(&world).await;
        assert_eq!(
            words(open(&world).await),
            expected,
            "an event of this very moment is left for later"
        );
        world.control().advance_ms(10).unwrap();
        world.meter().await;
        expected.push(word.to_owned());
        expected.sort();
        run_all(&world).await;
        assert_eq!(words(open(&world).await), expected);
    }
}
