//! Lanes of jobs: what is slow in one delays nothing in another, and of one account one post is in flight.

use std::collections::BTreeSet;
use std::time::Duration;

use backend::testing;
use backend::testing::queue::{self, Lane, NewJob};
use backend::{keys, worker};
use domain::id::AccountId;
use serde_json::json;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::receiver::SlowReceiver;
use crate::world::World;

/// Waits until something is so, at most ten seconds; gives how long it took.
async fn until(is_so: impl AsyncFn() -> bool) -> Duration {
    let began = tokio::time::Instant::now();
    while began.elapsed() < Duration::from_secs(10) && !is_so().await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

/// So many accounts beside the one there is, each with a test of its webhook asked for, all to one receiver.
async fn tests_asked(world: &World, accounts: i32, url: &str) {
    for sql in [
        "INSERT INTO accounts (account_id, name, region, created_at)
         SELECT gen_random_uuid(), 'slow', 'us', now() FROM generate_series(1, $1::text::integer)",
        "INSERT INTO webhooks (account_id, webhook_id, url, set_at, test_asked_at)
         SELECT account_id, gen_random_uuid(), $1, now(), now() FROM accounts WHERE name = 'slow'",
        "INSERT INTO jobs (job_id, account_id, kind, lane, payload, unique_key, run_at, created_at)
         SELECT gen_random_uuid(), account_id, 'send-webhook', 'posts', jsonb_build_object('test', webhook_id, 'asked_ns', 1),
                $1::text || webhook_id, now() - interval '1 minute', now() FROM webhooks",
    ] {
        #[expect(
            clippy::disallowed_methods,
            reason = "sixty people who sign up would take longer than the rest of the test"
        )]
        let query = sqlx::query(sql);
        let value = if sql.contains("generate_series") {
            accounts.to_string()
        } else {
            url.to_owned()
        };
        query.bind(value).execute(&world.owner).await.unwrap();
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn receivers_that_hang_delay_no_revocation(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = keys::create(&world.backend, &actor, "ci").await.unwrap();
    world.work().await;
    let receiver = SlowReceiver::start().await;
    tests_asked(&world, 60, &receiver.url).await;
    let stop = CancellationToken::new();
    let working = tokio::spawn(worker::run(world.backend.clone(), stop.clone()));
    until(async || receiver.held() >= 40).await;
    assert!(receiver.held() >= 40, "{} posts wait", receiver.held());
    keys::revoke(&world.backend, &actor, key.key_id)
        .await
        .unwrap();
    let removed = async || {
        let at = sqlx::query_scalar!("SELECT removed_at FROM keys WHERE revoked_at IS NOT NULL");
        let at = at.fetch_one(testing::pool(&world.backend)).await.unwrap();
        at.is_some()
    };
    let took = until(removed).await;
    assert!(receiver.held() >= 40, "the receivers hang all the while");
    // A fifth of a second on a machine that does nothing else, and ten while the receivers are in the way.
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert!(receiver.most() <= 48, "{} slots", receiver.most());
    receiver.release();
    let ended = async || {
        let left = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM webhooks WHERE test_ended_at IS NULL"#
        );
        left.fetch_one(testing::pool(&world.backend)).await.unwrap() == 0
    };
    until(ended).await;
    stop.cancel();
    working.await.unwrap();
}

fn post(account_id: AccountId, number: usize) -> NewJob<'static> {
    NewJob {
        kind: "send-webhook",
        lane: Lane::Posts,
        account_id: Some(account_id),
        payload: json!({}),
        unique_key: format!("{account_id}:{number}"),
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_one_account_one_post_is_in_flight(pool: PgPool) {
    let mut db = pool.acquire().await.unwrap();
    let [ada, bob] = [1, 2].map(|number| AccountId(Uuid::from_u128(number)));
    let at = |second| OffsetDateTime::from_unix_timestamp(second).unwrap();
    for (second, number) in (0..).zip(0..3) {
        let job = post(ada, number);
        queue::enqueue(&mut db, &job, at(second)).await.unwrap();
    }
    queue::enqueue(&mut db, &post(bob, 0), at(9)).await.unwrap();
    let first = queue::claim_posts(&mut db, 10, 60).await.unwrap();
    let mut owners: Vec<_> = first.iter().map(|job| job.account_id.unwrap()).collect();
    owners.sort_unstable();
    assert_eq!(owners, [ada.0, bob.0], "one of each");
    let of_ada = first.iter().find(|job| job.account_id == Some(ada.0));
    let again = queue::claim_posts(&mut db, 10, 60).await.unwrap();
    assert!(again.is_empty(), "while it is in flight none follows");
    // One that is put off lets the next one go.
    let put_off = queue::retry(&mut db, of_ada.unwrap(), "x", 60_000).await;
    assert!(put_off.unwrap());
    let second = queue::claim_posts(&mut db, 10, 60).await.unwrap();
    assert_eq!(second.len(), 1);
    assert!(queue::finish(&mut db, &second[0]).await.unwrap());
    let third = queue::claim_posts(&mut db, 10, 60).await.unwrap();
    assert_eq!(third.len(), 1);
    let other = queue::claim(&mut db, Lane::Keys, 10, 60).await.unwrap();
    assert!(other.is_empty(), "each lane claims its own");
}

#[sqlx::test(migrations = "../../migrations")]
async fn workers_that_claim_at_once_get_no_two_posts_of_an_account(pool: PgPool) {
    let accounts: Vec<_> = (1..=6)
        .map(|number| AccountId(Uuid::from_u128(number)))
        .collect();
    let mut db = pool.acquire().await.unwrap();
    for account_id in &accounts {
        for number in 0..5 {
            let (job, now) = (post(*account_id, number), OffsetDateTime::UNIX_EPOCH);
            queue::enqueue(&mut db, &job, now).await.unwrap();
        }
    }
    drop(db);
    // Over and over: a round in which all looked before any had claimed is what it is about.
    for _ in 0..5 {
        let claim = async || {
            let mut db = pool.acquire().await.unwrap();
            queue::claim_posts(&mut db, 4, 60).await.unwrap()
        };
        let claimed = tokio::join!(claim(), claim(), claim(), claim());
        let claimed = [claimed.0, claimed.1, claimed.2, claimed.3].concat();
        let owners: Vec<_> = claimed.iter().map(|job| job.account_id.unwrap()).collect();
        let distinct: BTreeSet<_> = owners.iter().collect();
        assert_eq!(distinct.len(), owners.len(), "{owners:?}");
        assert!(!claimed.is_empty());
        let mut db = pool.acquire().await.unwrap();
        for job in &claimed {
            assert!(queue::finish(&mut db, job).await.unwrap());
        }
    }
}
