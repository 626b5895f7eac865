//! Idle sandboxes: found by their processor time, never by a guess, and put on a short timer by one click.

use backend::failure::Failure;
use backend::overview;
use backend::overview::attention::Attention;
use backend::sandboxes;
use backend::sandboxes::waste;
use backend::sandboxes::waste::{Group, Kind};
use backend::testing;
use domain::act::{Act, Denial};
use domain::money::Ticks;
use domain::sandbox::{SandboxId, SandboxRefusal};
use sqlx::PgPool;

use crate::world::World;

const MINUTE: i64 = 60_000;

/// What the feed or the orchestrator's list said last.
async fn cpu(world: &World, sandbox: &str, cpu_ms: Option<i64>, age_ms: i64) {
    let seen = world.control().now().unwrap();
    let seen = serde_json::to_value(seen).unwrap();
    sqlx::query!(
        "UPDATE sandboxes SET cpu_ms = $2, cpu_seen_at = $3::text::timestamptz - $4::integer * interval '1 millisecond'
         WHERE sandbox_id = $1",
        sandbox,
        cpu_ms,
        seen.as_str().unwrap(),
        i32::try_from(age_ms).unwrap()
    )
    .execute(testing::pool(&world.backend))
    .await
    .unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_percent_for_ten_minutes_is_the_line(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(world.start(&key).await);
    }
    world.control().advance_ms(9 * MINUTE).unwrap();
    world.destroy(&key, &ids[0]).await;
    world.control().advance_ms(11 * MINUTE).unwrap();
    world.destroy(&key, &ids[1]).await;
    world.meter().await;
    // Short; idle and gone; at work; unknown; idle and running, though the figure is a minute old.
    cpu(&world, &ids[0], Some(0), 0).await;
    cpu(&world, &ids[1], Some(11_999), 0).await;
    cpu(&world, &ids[2], Some(12_000), 0).await;
    cpu(&world, &ids[3], None, 0).await;
    cpu(&world, &ids[4], Some(11_399), 60_000).await;
    let read = waste::read(&mut world.view(&actor).await, None)
        .await
        .unwrap();
    let mut found: Vec<&str> = read
        .rows
        .rows
        .iter()
        .map(|row| row.sandbox_id.as_str())
        .collect();
    let mut expected = vec![ids[1].as_str(), ids[4].as_str()];
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let mut cost = Ticks::ZERO;
    for sandbox in &expected {
        let id = SandboxId::parse(sandbox).unwrap();
        let row = sandboxes::get(&mut world.view(&actor).await, &id)
            .await
            .unwrap();
        cost = cost.saturating_add(row.unwrap().cost);
    }
    assert_eq!(read.cost, cost);
    let [of_key] = read.by_key.as_slice() else {
        panic!("{:?}", read.by_key);
    };
    assert!(matches!(&of_key.kind, Kind::Key(_, name) if name == "ci"));
    assert_eq!(
        (read.by_image[0].sandboxes, read.by_image[0].cost),
        (2, cost)
    );
    let page = overview::read(&mut world.view(&actor).await).await.unwrap();
    assert_eq!(page.attention, [Attention::Idle(1)]);
    // One more millisecond of work in the same time, and it is none.
    cpu(&world, &ids[4], Some(11_400), 60_000).await;
    assert_eq!(
        waste::read(&mut world.view(&actor).await, None)
            .await
            .unwrap()
            .sandboxes,
        1
    );
    let eve = world.customer("eve@example.org").await;
    assert_eq!(
        waste::read(&mut world.view(&eve).await, None)
            .await
            .unwrap()
            .sandboxes,
        0
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn groups_add_up_and_keys_of_one_name_are_two(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("sandboxes are put into the tables by hand");
    let actor = world.customer("ada@example.org").await;
    let keys = [world.key(&actor).await, world.key(&actor).await];
    world.control().set_speed(0).unwrap();
    for number in 0..23 {
        let id = world.start(&keys[number % 2]).await;
        world.control().advance_ms(MINUTE).unwrap();
        world.meter().await;
        let image = format!("image:{number}");
        sqlx::query!(
            "UPDATE sandboxes SET image = $2 WHERE sandbox_id = $1",
            id,
            image
        )
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    }
    world.control().advance_ms(20 * MINUTE).unwrap();
    world.meter().await;
    sqlx::query!(
        "UPDATE sandboxes SET cpu_ms = 0, cpu_seen_at = created_at + interval '20 minutes'"
    )
    .execute(testing::pool(&world.backend))
    .await
    .unwrap();
    let read = waste::read(&mut world.view(&actor).await, None)
        .await
        .unwrap();
    assert_eq!(read.by_key.len(), 2, "both are called ci");
    assert_eq!(read.by_image.len(), 21);
    assert_eq!(read.by_image[20].kind, Kind::Others(3));
    for groups in [&read.by_key, &read.by_image] {
        let sum = |of: fn(&Group) -> i128| groups.iter().map(of).sum::<i128>();
        assert_eq!(sum(|group| group.cost.get()), read.cost.get());
        assert_eq!(
            sum(|group| i128::from(group.billed.0)),
            i128::from(read.billed.0)
        );
        assert_eq!(
            groups.iter().map(|group| group.sandboxes).sum::<usize>(),
            23
        );
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_short_timer_ends_the_sandbox_once(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let eve = world.customer("eve@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let sandbox = world.start(&key).await;
    world.meter().await;
    let id = SandboxId::parse(&sandbox).unwrap();
    let refused = |outcome: Result<(), Failure<SandboxRefusal>>| match outcome {
        Err(Failure::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let set = |actor, minutes| sandboxes::set_timeout(&world.backend, actor, &id, minutes);
    assert_eq!(refused(set(&eve, 5).await), SandboxRefusal::NotFound);
    assert_eq!(
        refused(set(&actor, 6).await),
        SandboxRefusal::TimeoutUnknown
    );
    sqlx::query!(
        "UPDATE memberships SET role = 'billing' WHERE user_id = $1",
        actor.user_id().0
    )
    .execute(testing::pool(&world.backend))
    .await
    .unwrap();
    let biller = testing::actor(&world.backend, actor.user_id()).await;
    let biller = biller.unwrap();
    let forbidden = Denial::Forbidden(Act::SandboxSetTimeout);
    let outcome = set(&biller, 5).await;
    assert!(
        matches!(outcome, Err(backend::failure::Failure::Denied(denial)) if denial == forbidden)
    );
    set(&actor, 5).await.unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    world.control().advance_ms(4 * MINUTE).unwrap();
    // The same command, delivered again, does not start the timer anew.
    sqlx::query!("UPDATE jobs SET finished_at = NULL, attempt = 0 WHERE kind = 'set-timeout'")
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    world.control().advance_ms(10 * MINUTE).unwrap();
    world.meter().await;
    assert_eq!(
        world.control().billed_ms(&sandbox).unwrap(),
        Some(5 * MINUTE)
    );
    assert_eq!(refused(set(&actor, 5).await), SandboxRefusal::NotRunning);
}
