//! The moment of zero, from events to what the orchestrator was told; and who is warned of it, once.

use backend::authority::actor::Actor;
use backend::limit;
use backend::testing;
use backend::watch;
use domain::moment::Moment;
use domain::money::Ticks;
use peers::contract::Exchange;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::world::World;

/// Ticks that one second of the default size costs.
const SECOND: i128 = 41_000 * 1_024 * 1_000;

/// Pulls, settles, computes and pushes until nothing is left to do.
pub async fn turn(world: &World) {
    world.meter().await;
    watch::round(&world.backend).await.unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
}

/// An account whose credit pays for exactly so many seconds of the default size.
pub async fn with_seconds(world: &World, email: &str, seconds: i128) -> Actor {
    let actor = world.customer(email).await;
    leave(world, &actor, seconds * SECOND).await;
    turn(world).await;
    actor
}

/// Burns the sign-up credit down to `ticks`.
async fn leave(world: &World, actor: &Actor, ticks: i128) {
    world.expect_findings("usage is booked by hand, and no sandbox ran it");
    sqlx::query!(
        "WITH revenue AS (
             INSERT INTO ledger_accounts (account_id, ledger_account_id, kind, is_tracked)
             VALUES ($1, gen_random_uuid(), 'revenue', false) RETURNING ledger_account_id)
         INSERT INTO transfers (account_id, transfer_id, debit_id, credit_id, ticks, kind, key, service_hour, booked_at)
         SELECT $1, gen_random_uuid(), g.grant_id, r.ledger_account_id, g.amount_ticks - $2::text::numeric, 'usage',
                'usage:before', '2026-01-01 00:00:00+00', now()
         FROM grants AS g, revenue AS r WHERE g.account_id = $1",
        actor.account_id().0,
        ticks.to_string()
    )
    .execute(testing::pool(&world.backend))
    .await
    .unwrap();
    // Before anything looks, so that the epoch's base is what is left.
    sqlx::query!(
        "UPDATE forecasts SET due_at = '-infinity', epoch = 0 WHERE account_id = $1",
        actor.account_id().0
    )
    .execute(testing::pool(&world.backend))
    .await
    .unwrap();
}

/// `run_until` as the orchestrator was sent it last, in Unix milliseconds, and its generation: both as they are stored.
pub async fn told(world: &World, actor: &Actor) -> (Option<i64>, i64) {
    let row = sqlx::query!(
        "SELECT run_until, generation FROM accounts WHERE account_id = $1",
        actor.account_id().0
    )
    .fetch_one(testing::pool(&world.backend))
    .await
    .unwrap();
    let ms = row.run_until.map(|at| Moment::from(at).unix_ms());
    let tenant = format!("tenants/{}", actor.account_id());
    let is_push = |one: &&Exchange| one.method == "PUT" && one.path.ends_with(&tenant);
    let exchanges = world.control().exchanges();
    let pushed = exchanges.iter().rev().find(is_push);
    assert!(pushed.is_some(), "nothing was pushed");
    let sent: Value = serde_json::from_str(pushed.unwrap().request.as_deref().unwrap()).unwrap();
    let sent_ms = sent["run_until"].as_str().map(|text| {
        let at = OffsetDateTime::parse(text, &Rfc3339).unwrap();
        Moment::from(at).unix_ms()
    });
    let sent = (sent_ms, sent["generation"].as_i64());
    assert_eq!(sent, (ms, Some(row.generation)), "sent, and stored");
    (ms, row.generation)
}

/// When events of a kind happened, in Unix milliseconds.
fn events(world: &World, kind: &str) -> Vec<i64> {
    let events = world.control().events().unwrap();
    let of_kind = events
        .into_iter()
        .filter(|event| serde_json::to_value(event).unwrap()["kind"] == kind);
    of_kind.map(|event| event.occurred_at.0).collect()
}

async fn start(world: &World, key: &str, vcpus: u32) -> (u16, Value) {
    let body = json!({ "image": "node:22", "vcpus": vcpus, "mem_mib": 1_024, "timeout": 0 });
    world.call(Method::POST, "runs", key, Some(body)).await
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_runs_hibernates_at_the_computed_moment_and_nothing_starts_after_it(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let actor = with_seconds(&world, "ada@example.org", 1_000).await;
    let key = world.key(&actor).await;
    assert_eq!(
        told(&world, &actor).await.0,
        None,
        "nothing runs: no end in sight"
    );
    world.start(&key).await;
    let started = world.control().now().unwrap().0;
    turn(&world).await;
    let zero = started.div_euclid(1_000) * 1_000 + 1_000_000;
    let (run_until, generation) = told(&world, &actor).await;
    assert_eq!(run_until, Some(zero));
    turn(&world).await;
    assert_eq!(
        told(&world, &actor).await,
        (Some(zero), generation),
        "the same answer is not pushed again"
    );

    world.control().advance_ms(2_000_000).unwrap();
    assert_eq!(events(&world, "hibernated"), [zero]);
    turn(&world).await;
    turn(&world).await;
    assert_eq!(
        told(&world, &actor).await,
        (Some(zero), generation + 1),
        "at its end and stays there; told once more, because what stopped is counted now"
    );
    let (status, body) = start(&world, &key, 1).await;
    assert_eq!((status, &body["error"]), (402, &json!("credit_exhausted")));
    let overrun =
        sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM transfers WHERE kind = 'overrun'"#);
    assert_eq!(
        overrun
            .fetch_one(testing::pool(&world.backend))
            .await
            .unwrap(),
        0,
        "not a tick beyond the credit"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_change_of_rate_moves_the_moment(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let actor = with_seconds(&world, "ada@example.org", 3_600).await;
    let key = world.key(&actor).await;
    let one = world.start(&key).await;
    let base = world.control().now().unwrap().0.div_euclid(1_000) * 1_000;
    turn(&world).await;
    world.control().advance_ms(600_000).unwrap();
    world.start(&key).await;
    turn(&world).await;
    // 3,000 seconds are left for two.
    assert_eq!(
        told(&world, &actor).await.0,
        Some(base + 600_000 + 1_500_000)
    );
    world.control().advance_ms(500_000).unwrap();
    world.act(&key, &one, "hibernate").await;
    turn(&world).await;
    assert_eq!(
        told(&world, &actor).await.0,
        Some(base + 1_100_000 + 2_000_000)
    );
    world.control().advance_ms(3_000_000).unwrap();
    assert_eq!(
        events(&world, "hibernated").last(),
        Some(&(base + 3_100_000))
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_limit_ends_what_runs_and_its_removal_lets_it_go_on(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let actor = with_seconds(&world, "ada@example.org", 1_000_000).await;
    let key = world.key(&actor).await;
    limit::set(&world.backend, &actor, "$0.01").await.unwrap();
    let id = world.start(&key).await;
    let started = world.control().now().unwrap().0.div_euclid(1_000);
    turn(&world).await;
    // One cent pays for 878.04 seconds; the 879th reaches it.
    let zero = (started + 879) * 1_000;
    assert_eq!(told(&world, &actor).await.0, Some(zero));
    world.control().advance_ms(1_000_000).unwrap();
    assert_eq!(events(&world, "hibernated"), [zero]);
    turn(&world).await;
    assert_eq!(start(&world, &key, 1).await.0, 402);
    limit::remove(&world.backend, &actor).await.unwrap();
    turn(&world).await;
    world.act(&key, &id, "resume").await;
    let spent = world.due(&id);
    assert!(spent >= Ticks::from_cents(domain::money::Cents(1)));
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_account_without_credit_starts_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = with_seconds(&world, "ada@example.org", 0).await;
    let key = world.key(&actor).await;
    assert_eq!(start(&world, &key, 1).await.0, 402);
}
