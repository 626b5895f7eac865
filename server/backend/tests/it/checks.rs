//! The checks over a world in which nothing is wrong, and how often they run. What each finds is in `checks_faults`.

use backend::checks::{self, Round};
use backend::metering::pull::Pulled;
use backend::metering::recheck;
use backend::schedule;
use backend::testing;
use sqlx::PgPool;
use time::Duration;

use crate::checks_faults::as_owner;
use crate::world::World;

/// Every round of every check, from its start to its end, after the feed was read again.
pub async fn run_all(world: &World) {
    while matches!(
        recheck::recheck(&world.backend).await.unwrap(),
        Pulled::Stored { more: true, .. }
    ) {}
    for round in Round::ALL {
        let mut place = String::new();
        for _ in 0..1_000 {
            let next = checks::turn(&world.backend, round, &place).await.unwrap();
            if !next.more {
                break;
            }
            place = next.text;
        }
    }
}

/// Open findings as (check, fault), in order.
pub async fn open(world: &World) -> Vec<(String, String)> {
    let rows = sqlx::query!(
        "SELECT check_name, fault FROM findings WHERE resolved_at IS NULL ORDER BY check_name, fault, subject"
    );
    let rows = rows.fetch_all(&world.owner).await.unwrap();
    rows.into_iter()
        .map(|row| (row.check_name, row.fault))
        .collect()
}

/// Two customers with sandboxes that ended, slept, woke and run, some hours posted, two ledger days sealed, and a sandbox
/// so young that nothing of it is posted.
pub async fn busy(pool: PgPool) -> World {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    // A day is sealed an hour after its end: within that hour the second day would not be over yet.
    if world.backend.clock().now().hour() == 0 {
        world.backend.clock().advance(Duration::HOUR);
    }
    let mut keys = Vec::new();
    for email in ["ada@example.org", "bob@example.org"] {
        let actor = world.customer(email).await;
        keys.push(world.key(&actor).await);
    }
    for day in 0..3 {
        for key in &keys {
            let ended = world.start(key).await;
            let sleeps = world.start(key).await;
            world.control().advance_ms(5_000_123).unwrap();
            world.destroy(key, &ended).await;
            world.act(key, &sleeps, "hibernate").await;
            world.control().advance_ms(1_000_777).unwrap();
            if day == 2 {
                world.act(key, &sleeps, "resume").await;
            }
        }
        world.control().advance_ms(8_000_999).unwrap();
        world.meter().await;
        if day < 2 {
            world.backend.clock().advance(Duration::DAY);
        }
    }
    world.start(&keys[0]).await;
    world.control().advance_ms(1).unwrap();
    world.meter().await;
    schedule::turn(&world.backend).await.unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    world
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_world_in_order_raises_nothing(pool: PgPool) {
    let world = busy(pool).await;
    assert_eq!(open(&world).await, [], "the jobs themselves");
    run_all(&world).await;
    run_all(&world).await;
    assert_eq!(open(&world).await, []);
    let days = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM ledger_days"#);
    assert_eq!(days.fetch_one(&world.owner).await.unwrap(), 2);
    let cpu = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM sandboxes WHERE state <> 'destroyed' AND cpu_ms > 0 AND cpu_seen_at IS NOT NULL"#
    );
    assert!(
        cpu.fetch_one(&world.owner).await.unwrap() >= 6,
        "the live list brings it"
    );
}

/// Sealed anew, the newest day would say what the transfers are now.
#[sqlx::test(migrations = "../../migrations")]
async fn a_newest_day_that_is_gone_is_found_and_not_sealed_anew(pool: PgPool) {
    let world = busy(pool).await;
    world.expect_findings("a sealed day is removed");
    let days = || async {
        let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM ledger_days"#);
        count.fetch_one(&world.owner).await.unwrap()
    };
    as_owner(
        &world,
        "CREATE TABLE kept AS TABLE ledger_days;
         DELETE FROM ledger_days WHERE day_at = (SELECT max(day_at) FROM ledger_days)",
    )
    .await;
    let an_hour_later = || async {
        world.backend.clock().advance(Duration::HOUR);
        testing::recur(&world.backend).await.unwrap();
    };
    an_hour_later().await;
    assert_eq!(days().await, 1, "not sealed anew");
    let missing = [("r4".to_owned(), "day_missing".to_owned())];
    assert_eq!(open(&world).await, missing, "sealing says so at once");
    world.backend.clock().advance(Duration::DAY);
    an_hour_later().await;
    run_all(&world).await;
    assert_eq!((days().await, open(&world).await), (1, missing.to_vec()));
    // Put back as the log says it, the chain goes on where it was.
    as_owner(
        &world,
        "DELETE FROM ledger_days; INSERT INTO ledger_days SELECT * FROM kept",
    )
    .await;
    an_hour_later().await;
    run_all(&world).await;
    assert_eq!((days().await, open(&world).await), (3, Vec::new()));
}

#[sqlx::test(migrations = "../../migrations")]
async fn checks_are_silent_while_everything_moves(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(2_000).unwrap();
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    let customer = async {
        for _ in 0..15 {
            let id = world.start(&key).await;
            world.act(&key, &id, "hibernate").await;
            world.act(&key, &id, "resume").await;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            world.destroy(&key, &id).await;
            world.start(&key).await;
        }
    };
    let worker = async {
        for _ in 0..30 {
            backend::worker::meter(&world.backend).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        }
    };
    let checker = async {
        for _ in 0..12 {
            run_all(&world).await;
        }
    };
    tokio::join!(customer, worker, checker);
    world.meter().await;
    run_all(&world).await;
    let ever = sqlx::query!("SELECT check_name, fault, subject, expected, found FROM findings");
    let ever = ever.fetch_all(&world.owner).await.unwrap();
    assert!(ever.is_empty(), "{ever:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn each_turn_runs_once_over_all_replicas(pool: PgPool) {
    let world = World::new(pool).await;
    // Ten past some hour, so that no other period ends inside this test.
    let clock = world.backend.clock();
    clock.advance(Duration::minutes(70 - i64::from(clock.now().minute())));
    let all = (0..6).map(|_| schedule::turn(&world.backend));
    for turned in futures_util::future::join_all(all).await {
        turned.unwrap();
    }
    let jobs = || async {
        let rows = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM jobs WHERE kind IN ('check', 'seal-day', 'close-month')"#
        );
        rows.fetch_one(&world.owner).await.unwrap()
    };
    assert_eq!(jobs().await, 11, "nine rounds, the day and the month");
    testing::drain_jobs(&world.backend).await.unwrap();
    schedule::turn(&world.backend).await.unwrap();
    assert_eq!(jobs().await, 11, "none is due again at once");
    world.backend.clock().advance(Duration::minutes(6));
    schedule::turn(&world.backend).await.unwrap();
    assert_eq!(jobs().await, 13, "R2 and R7");
    schedule::turn(&world.backend).await.unwrap();
    assert_eq!(jobs().await, 13, "a turn that still waits is not overtaken");
    testing::drain_jobs(&world.backend).await.unwrap();
    assert_eq!(testing::queue(&world.backend).await.unwrap(), (0, 0));
}
