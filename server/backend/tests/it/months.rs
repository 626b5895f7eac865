//! Closed months: when they close, and that nothing changes a frozen row (invariant 18).

use backend::schedule;
use backend::testing;
use domain::forecast::{month_start, next_month};
use domain::id::AccountId;
use domain::moment::Moment;
use peers::orchestrator::{Appended, Kind, Stamp};
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use crate::checks::{open, run_all};
use crate::world::World;

const DAY_MS: i64 = 86_400_000;

/// One hourly turn later.
async fn close(world: &World) {
    world.backend.clock().advance(Duration::HOUR);
    schedule::turn(&world.backend).await.unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
}

async fn closed(world: &World) -> Vec<(OffsetDateTime, bool)> {
    let rows = sqlx::query!("SELECT month_at, is_forced FROM months ORDER BY month_at");
    let rows = rows.fetch_all(&world.owner).await.unwrap();
    rows.into_iter()
        .map(|row| (row.month_at, row.is_forced))
        .collect()
}

/// A statement of a month as one text.
async fn statement(world: &World, account_id: AccountId, month: OffsetDateTime) -> String {
    let mut db = world.owner.acquire().await.unwrap();
    let row = sqlx::query!(
        "SELECT usage_ticks, credit_ticks, overrun_ticks FROM account_months WHERE account_id = $1 AND month_at = $2",
        account_id.0,
        month
    );
    let row = row.fetch_one(&mut *db).await.unwrap();
    format!(
        "{} = {} + {}",
        row.usage_ticks, row.credit_ticks, row.overrun_ticks
    )
}

async fn spent(world: &World) -> String {
    let sum = sqlx::query_scalar!(r#"SELECT coalesce(sum(ticks), 0)::text AS "sum!" FROM slices"#);
    sum.fetch_one(&world.owner).await.unwrap()
}

/// Moves the orchestrator's clock to `at` and the backend's with it.
async fn go_to(world: &World, at: Moment) {
    let ms = at.since_ms(Moment::from_unix_ms(now_ms(world)));
    world.control().advance_ms(ms).unwrap();
    world.meter().await;
}

fn now_ms(world: &World) -> i64 {
    world.control().now().unwrap().0
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_month_closes_a_day_after_its_end_and_its_statement_never_changes(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let month = month_start(Moment::from_unix_ms(now_ms(&world)));
    let end = next_month(month);
    // From an hour before the end to an hour into the next month.
    go_to(&world, end.plus_ms(-3_600_000)).await;
    let id = world.start(&key).await;
    go_to(&world, end.plus_ms(3_600_000)).await;
    world.destroy(&key, &id).await;
    world.meter().await;
    close(&world).await;
    assert_eq!(closed(&world).await, [], "the grace is not over");
    go_to(&world, end.plus_ms(DAY_MS - 1)).await;
    close(&world).await;
    assert_eq!(closed(&world).await, []);
    go_to(&world, end.plus_ms(DAY_MS)).await;
    close(&world).await;
    close(&world).await;
    let month_at = OffsetDateTime::from(month);
    assert_eq!(closed(&world).await, [(month_at, false)]);
    let frozen = statement(&world, actor.account_id(), month_at).await;
    // One hour of the default size, and not the hour of the next month.
    assert_eq!(frozen, "151142400000000 = 151142400000000 + 0");

    // A late event takes half an hour off that month: the ledger follows, the statement stays.
    let before = spent(&world).await;
    let late = Appended {
        account: Some(actor.account_id().0),
        sandbox_id: Some("run-late".into()),
        kind: Some(Kind::Created),
        occurred_at: Some(Stamp(end.plus_ms(-1_800_000).unix_ms())),
        ..Appended::default()
    };
    let gone = Appended {
        kind: Some(Kind::Destroyed),
        occurred_at: Some(Stamp(end.unix_ms())),
        ..late.clone()
    };
    world.control().append(vec![late, gone]).unwrap();
    world.meter().await;
    close(&world).await;
    assert_ne!(spent(&world).await, before, "the ledger follows");
    assert_eq!(
        statement(&world, actor.account_id(), month_at).await,
        frozen
    );
    run_all(&world).await;
    assert_eq!(open(&world).await, []);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_feed_that_stands_still_closes_by_force_after_three_days(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("a month closed by force is a finding");
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let id = world.start(&key).await;
    world.control().advance_ms(90_000).unwrap();
    world.destroy(&key, &id).await;
    world.meter().await;
    let month = month_start(Moment::from_unix_ms(now_ms(&world)));
    let until = OffsetDateTime::from(next_month(month)) + Duration::hours(72);
    world
        .backend
        .clock()
        .advance(until - world.backend.clock().now() - Duration::hours(2));
    close(&world).await;
    assert_eq!(closed(&world).await, []);
    close(&world).await;
    assert_eq!(closed(&world).await, [(OffsetDateTime::from(month), true)]);
    assert_eq!(
        open(&world).await,
        [("month".to_owned(), "forced".to_owned())]
    );
    let frozen = statement(&world, actor.account_id(), OffsetDateTime::from(month)).await;
    assert_eq!(frozen, "3778560000000 = 3778560000000 + 0");
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_account_that_does_not_settle_holds_its_month_open(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let id = world.start(&key).await;
    world.control().advance_ms(90_000).unwrap();
    world.destroy(&key, &id).await;
    world.meter().await;
    let month = month_start(Moment::from_unix_ms(now_ms(&world)));
    sqlx::query!("UPDATE meters SET failed_at = now(), retry_at = 'infinity'")
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    go_to(&world, next_month(month).plus_ms(2 * DAY_MS)).await;
    close(&world).await;
    assert_eq!(closed(&world).await, []);
    sqlx::query!("UPDATE meters SET failed_at = NULL, retry_at = NULL")
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    close(&world).await;
    assert_eq!(closed(&world).await, [(OffsetDateTime::from(month), false)]);
}
