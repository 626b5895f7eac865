//! Kill -9 at random moments during the journey, twenty times; afterwards ledger, intervals and orchestrator agree to the
//! tick, and everything that was acknowledged is there. The peers outlive the kills, as the outside world does.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod customer;
mod program;
mod zero;

use std::collections::BTreeMap;
use std::time::Duration;

use customer::Customer;
use peers::orchestrator::Orchestrator;
use program::Dashboard;
use sqlx::PgPool;
use stand::outside::Outside;

const KILLS: u32 = 20;

#[sqlx::test(migrations = "../migrations")]
async fn twenty_kills_cost_nothing_and_charge_nothing(pool: PgPool) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outside = Outside::start().await.unwrap();
    let (orchestrator, mail) = (&outside.orchestrator, &outside.mail);
    // A minute of sandbox time in a second, so that hours pass and are posted while processes die.
    orchestrator.control().set_speed(120).unwrap();
    let mut program = Dashboard::new(&pool, &outside);

    let mut customers: Vec<Customer> = Vec::new();
    for kill in 0..KILLS {
        program.start();
        customers.push(Customer::new(kill));
        // From "still starting" to "long done": every step of the journey gets its share of the kills.
        let life = Duration::from_millis(300 + backend::random::jitter_ms(2_200).unsigned_abs());
        let url = program.url();
        let journey = async {
            loop {
                for customer in &mut customers {
                    customer.step(&url, orchestrator, mail).await;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(life, journey).await;
        program.kill();
    }

    program.start();
    let url = program.url();
    for round in 0.. {
        for customer in &mut customers {
            customer.step(&url, orchestrator, mail).await;
        }
        if customers.iter().all(Customer::is_done) {
            break;
        }
        let waiting: Vec<_> = customers
            .iter()
            .filter(|customer| !customer.is_done())
            .collect();
        assert!(round < 600, "journeys do not come to an end: {waiting:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    settled(&pool).await;
    program.kill();
    agree(&pool, orchestrator).await;
}

/// Waits until every event is settled and every job done.
async fn settled(pool: &PgPool) {
    // One pull after the last event is certain once the watermark has moved twice.
    tokio::time::sleep(Duration::from_secs(3)).await;
    // A job that a killed worker held is free again after its lease (20 s) and the reaper's turn (10 s).
    for _ in 0..600 {
        let row: (i64, i64) = ask(
            pool,
            "SELECT (SELECT count(*) FROM pending_events),
                    (SELECT count(*) FROM jobs WHERE finished_at IS NULL)",
        )
        .await;
        if row == (0, 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not settled in time");
}

/// What was posted equals what the orchestrator says ran, sandbox by sandbox and account by account.
async fn agree(pool: &PgPool, orchestrator: &Orchestrator) {
    let events = orchestrator.control().events().unwrap();
    let stored: (i64,) = ask(pool, "SELECT count(*) FROM feed_log").await;
    assert_eq!(
        stored.0,
        i64::try_from(events.len()).unwrap(),
        "every event once"
    );
    let mut sandboxes: Vec<&str> = events
        .iter()
        .map(|event| event.sandbox_id.as_str())
        .collect();
    sandboxes.sort_unstable();
    sandboxes.dedup();
    assert!(
        sandboxes.len() >= 20,
        "the journeys ran sandboxes: {}",
        sandboxes.len()
    );
    let posted = posted(pool).await;
    let mut due_all = 0_i128;
    for id in &sandboxes {
        let due = due(&events, id);
        due_all += due;
        assert_eq!(
            posted.get(*id).map_or("0", String::as_str),
            due.to_string(),
            "{id}"
        );
    }
    let (booked, grants, drift): (String, i64, i64) = ask(
        pool,
        "SELECT (SELECT coalesce(sum(CASE kind WHEN 'correction' THEN -ticks WHEN 'grant' THEN 0 ELSE ticks END), 0)::text
                 FROM transfers),
                (SELECT count(*) FROM grants),
                (SELECT count(*) FROM ledger_accounts AS la WHERE is_tracked AND
                    (debit_ticks, credit_ticks) IS DISTINCT FROM
                    ((SELECT coalesce(sum(ticks), 0) FROM transfers AS t
                      WHERE t.account_id = la.account_id AND t.debit_id = la.ledger_account_id),
                     (SELECT coalesce(sum(ticks), 0) FROM transfers AS t
                      WHERE t.account_id = la.account_id AND t.credit_id = la.ledger_account_id)))",
    )
    .await;
    assert_eq!(
        booked,
        due_all.to_string(),
        "the ledger holds exactly what ran"
    );
    assert_eq!(grants, i64::from(KILLS), "each account got its credit once");
    assert_eq!(drift, 0, "stored balances are the fold of their transfers");
}

/// Ticks posted per sandbox.
async fn posted(pool: &PgPool) -> BTreeMap<String, String> {
    #[expect(clippy::disallowed_methods, reason = "a test's own question")]
    let rows =
        sqlx::query_as("SELECT sandbox_id, sum(ticks)::text FROM slices GROUP BY sandbox_id");
    let rows: Vec<(String, String)> = rows.fetch_all(pool).await.unwrap();
    rows.into_iter().collect()
}

/// What a sandbox that has ended must have cost.
fn due(events: &[peers::orchestrator::Event], id: &str) -> i128 {
    let (ticks, is_running) = stand::world::due(events, id);
    assert!(!is_running, "{id} still runs");
    ticks
}

async fn ask<Row>(pool: &PgPool, sql: &'static str) -> Row
where
    Row: for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
{
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's own questions, about the schema as a whole"
    )]
    sqlx::query_as(sql).fetch_one(pool).await.unwrap()
}
