//! The job table: leases fence, reapers free, repeats converge, and every kind survives running twice.

use backend::alerts::webhook;
use backend::keys;
use backend::registry::KINDS;
use backend::sandboxes;
use backend::testing;
use backend::testing::queue::{self, Lane, NewJob};
use domain::key::KeyRefusal;
use domain::sandbox::SandboxId;
use peers::orchestrator::{Fault, Plane, Switch};
use serde_json::json;
use sqlx::PgPool;

use crate::receiver::Receiver;
use crate::world::World;

#[sqlx::test(migrations = "../../migrations")]
async fn a_lease_that_was_lost_writes_nothing(pool: PgPool) {
    let now = time::OffsetDateTime::from_unix_timestamp(0).unwrap();
    let mut db = pool.acquire().await.unwrap();
    let job = NewJob {
        kind: "push-key",
        lane: Lane::Keys,
        account_id: None,
        payload: json!({}),
        unique_key: "one".into(),
    };
    queue::enqueue(&mut db, &job, now).await.unwrap();
    queue::enqueue(&mut db, &job, now).await.unwrap();
    let first = queue::claim(&mut db, Lane::Keys, 10, 60).await.unwrap();
    assert_eq!(first.len(), 1, "the same effect is one job");
    assert!(
        queue::claim(&mut db, Lane::Keys, 10, 60)
            .await
            .unwrap()
            .is_empty(),
        "a leased job is nobody else's"
    );
    sqlx::query!("UPDATE jobs SET leased_until = now() - interval '1 second'")
        .execute(&mut *db)
        .await
        .unwrap();
    assert_eq!(queue::reap(&mut db, 40).await.unwrap(), (1, 0));
    let second = queue::claim(&mut db, Lane::Keys, 10, 60).await.unwrap();
    assert_eq!(second[0].attempt, 2);
    assert!(!queue::extend(&mut db, &first[0], 60).await.unwrap());
    assert!(!queue::finish(&mut db, &first[0]).await.unwrap(), "fenced");
    assert!(
        !queue::retry(&mut db, &first[0], "x", 0).await.unwrap(),
        "fenced"
    );
    assert!(
        !queue::bury(&mut db, &first[0], "x").await.unwrap(),
        "fenced"
    );
    assert!(queue::finish(&mut db, &second[0]).await.unwrap());
    assert!(
        !queue::finish(&mut db, &second[0]).await.unwrap(),
        "finished once"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_job_that_kills_its_worker_ends_on_the_dead_list(pool: PgPool) {
    let now = time::OffsetDateTime::from_unix_timestamp(0).unwrap();
    let mut db = pool.acquire().await.unwrap();
    let job = NewJob {
        kind: "push-key",
        lane: Lane::Keys,
        account_id: None,
        payload: json!({}),
        unique_key: "one".into(),
    };
    queue::enqueue(&mut db, &job, now).await.unwrap();
    for attempt in 1..=3 {
        assert_eq!(
            queue::claim(&mut db, Lane::Keys, 1, 60)
                .await
                .unwrap()
                .len(),
            1
        );
        sqlx::query!("UPDATE jobs SET leased_until = now() - interval '1 second'")
            .execute(&mut *db)
            .await
            .unwrap();
        let expected = if attempt == 3 { (0, 1) } else { (1, 0) };
        assert_eq!(queue::reap(&mut db, 3).await.unwrap(), expected);
    }
    let depth = queue::depth(&mut db).await.unwrap();
    assert_eq!((depth.live, depth.dead), (0, 1));
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_kind_of_job_runs_twice_to_the_same_end(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = keys::create(&world.backend, &actor, "ci").await.unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    let sandbox = world.start(key.text.expose()).await;
    world.meter().await;
    let sandbox = SandboxId::parse(&sandbox).unwrap();
    sandboxes::set_timeout(&world.backend, &actor, &sandbox, 60)
        .await
        .unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    keys::revoke(&world.backend, &actor, key.key_id)
        .await
        .unwrap();
    let receiver = Receiver::start().await;
    webhook::set(&world.backend, &actor, &receiver.url)
        .await
        .unwrap();
    webhook::test(&world.backend, &actor).await.unwrap();
    backend::schedule::turn(&world.backend).await.unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    assert_eq!(receiver.posts().len(), 1);
    let (mails, events) = (
        world.mail.mails().len(),
        world.control().events().unwrap().len(),
    );
    // Everything that ever ran, once more, as after a crash between effect and verdict.
    let rows = sqlx::query!(
        "UPDATE jobs SET finished_at = NULL, attempt = 0, run_at = now() RETURNING kind"
    );
    let rerun = rows.fetch_all(testing::pool(&world.backend)).await.unwrap();
    for kind in KINDS {
        assert!(
            rerun.iter().any(|row| row.kind == kind.name()),
            "no test runs {} twice yet: add it above",
            kind.name()
        );
    }
    testing::drain_jobs(&world.backend).await.unwrap();
    assert_eq!(testing::queue(&world.backend).await.unwrap(), (0, 0));
    assert_eq!(
        (
            world.mail.mails().len(),
            world.control().events().unwrap().len()
        ),
        (mails, events)
    );
    assert_eq!(receiver.posts().len(), 1);
    let (status, _) = world
        .call(reqwest::Method::GET, "runs", key.text.expose(), None)
        .await;
    assert_eq!(status, 401, "a revoked key stays dead");
}

#[sqlx::test(migrations = "../../migrations")]
async fn lost_answers_and_outages_of_the_control_plane_end_well(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    for fault in [
        Fault::DropAnswer,
        Fault::Refuse,
        Fault::Error,
        Fault::Garbage,
    ] {
        let name = format!("{fault:?}");
        let key = keys::create(&world.backend, &actor, &name).await.unwrap();
        world
            .control()
            .fault(Switch {
                plane: Plane::Control,
                fault,
                times: 1,
            })
            .unwrap();
        testing::drain_jobs(&world.backend).await.unwrap();
        world.control().clear_faults();
        sqlx::query!("UPDATE jobs SET run_at = now() WHERE finished_at IS NULL")
            .execute(testing::pool(&world.backend))
            .await
            .unwrap();
        testing::drain_jobs(&world.backend).await.unwrap();
        let (status, _) = world
            .call(reqwest::Method::GET, "runs", key.text.expose(), None)
            .await;
        if fault != Fault::Garbage {
            assert_eq!(status, 200, "{fault:?}");
        }
    }
    assert_eq!(testing::queue(&world.backend).await.unwrap(), (0, 0));
}

#[sqlx::test(migrations = "../../migrations")]
async fn keys_are_refused_in_plain_words_and_never_cross_accounts(pool: PgPool) {
    use backend::failure::Failure::Refused;
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let bob = world.customer("bob@example.org").await;
    for (name, expected) in [
        ("  ", KeyRefusal::NameEmpty),
        (&*"x".repeat(61), KeyRefusal::NameTooLong),
        ("a\u{7}b", KeyRefusal::NameUnprintable),
        ("c\u{200b}i", KeyRefusal::NameInvisible),
    ] {
        let outcome = keys::create(&world.backend, &ada, name).await;
        assert!(matches!(outcome, Err(Refused(refusal)) if refusal == expected));
    }
    let key = keys::create(&world.backend, &ada, "ci").await.unwrap();
    assert!(
        keys::get(&mut world.view(&bob).await, key.key_id)
            .await
            .unwrap()
            .is_none()
    );
    assert!(matches!(
        keys::revoke(&world.backend, &bob, key.key_id).await,
        Err(Refused(KeyRefusal::NotFound))
    ));
    assert!(
        keys::list(&mut world.view(&bob).await, None, None)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    let shown = keys::get(&mut world.view(&ada).await, key.key_id)
        .await
        .unwrap()
        .unwrap();
    assert!(shown.revoked_at.is_none() && !key.text.expose().contains(&shown.masked));
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_we_send_and_receive_is_what_the_contract_says(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = keys::create(&world.backend, &actor, "ci").await.unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    world.start(key.text.expose()).await;
    world.meter().await;
    keys::revoke(&world.backend, &actor, key.key_id)
        .await
        .unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    let exchanges = world.control().exchanges();
    assert!(exchanges.len() >= 5, "tenant, key, feed twice, removal");
    for exchange in exchanges {
        assert_eq!(
            peers::contract::check(&exchange),
            Ok(()),
            "{} {}",
            exchange.method,
            exchange.path
        );
    }
}
