//! Events whose time cannot be: what counts is bounded, and a person is told once.

use backend::testing;
use domain::moment::DAY_MS;
use peers::orchestrator::Kind;
use sqlx::PgPool;

use crate::meter::event;
use crate::world::World;

async fn faults(world: &World) -> Vec<String> {
    let faults = sqlx::query_scalar!(
        "SELECT fault FROM findings WHERE check_name = 'skew' AND resolved_at IS NULL ORDER BY fault"
    );
    faults
        .fetch_all(testing::pool(&world.backend))
        .await
        .unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn odd_clocks_are_found_once_and_bounded(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("odd clocks are what is found");
    let account = world.customer("ada@example.org").await.account_id().0;
    world.control().set_speed(0).unwrap();
    let fine = event(&world, account, "runfine", Kind::Created, 1_000);
    let ahead = event(&world, account, "runahead", Kind::Created, -6_000);
    let long = event(&world, account, "runlate", Kind::Created, 34 * DAY_MS);
    world.control().append(vec![fine, ahead, long]).unwrap();
    world.control().advance_ms(20 * DAY_MS).unwrap();
    let moved = event(
        &world,
        account,
        "runfine",
        Kind::Hibernated,
        20 * DAY_MS + 9_000,
    );
    let late = event(&world, account, "runlate", Kind::Destroyed, 50 * DAY_MS);
    world.control().append(vec![moved, late]).unwrap();
    world.meter().await;
    assert_eq!(
        faults(&world).await,
        ["ahead", "late_beyond_35_days", "moved"]
    );
    world.meter().await;
    assert_eq!(faults(&world).await.len(), 3);
    let billed = sqlx::query_scalar!(
        r#"SELECT sum(billed_ms)::bigint AS "ms!" FROM slices WHERE sandbox_id = 'runlate'"#
    );
    let billed = billed
        .fetch_one(testing::pool(&world.backend))
        .await
        .unwrap();
    assert_eq!(
        billed,
        19 * DAY_MS,
        "it ended 35 days before it was told, no earlier"
    );
}
