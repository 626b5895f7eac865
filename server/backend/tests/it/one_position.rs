//! An account is settled in a transaction of its own, and the feed's settled moment moves when all of them are. In between, and
//! after a gap of hours, nobody may read what is booked up to one moment with another moment: zero would come early by the gap.

use backend::authority::actor::Actor;
use backend::{credit, limit, overview, testing, watch};
use domain::forecast::Cause;
use domain::moment::{HOUR_MS, Moment};
use domain::money::{Cents, Ticks};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::outlook::{told, turn, with_seconds};
use crate::world::World;

const GAP_MS: i64 = 20 * HOUR_MS;

/// The state between two commits: the account is settled up to the watermark, the feed still where it was before the gap.
async fn settle_all_but_the_feed(world: &World) {
    let settled = sqlx::query_scalar!("SELECT settled_at FROM feed_cursors");
    let before: Option<OffsetDateTime> = settled.fetch_one(&world.owner).await.unwrap();
    world.meter().await;
    set_settled(world, before).await;
}

async fn set_settled(world: &World, at: Option<OffsetDateTime>) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the state between two commits of settling, which no service can be asked for"
    )]
    let back = sqlx::query("UPDATE feed_cursors SET settled_at = $1").bind(at);
    assert_eq!(back.execute(&world.owner).await.unwrap().rows_affected(), 1);
}

/// What three pages and the orchestrator hold to be the end, after they were compared.
async fn end(world: &World, actor: &Actor, when: &str) -> (Option<i64>, Option<Cause>) {
    let (told, _) = told(world, actor).await;
    let read = credit::read(&mut world.view(actor).await).await.unwrap();
    let said = read.zero.map(|zero| zero.at.unix_ms());
    assert_eq!(said, told, "{when}: said and told");
    (told, read.zero.map(|zero| zero.cause))
}

async fn round(world: &World) {
    watch::round(&world.backend).await.unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
}

/// Runs one sandbox, lets twenty hours pass in which nothing is settled, and gives the end between the two commits and after.
async fn ends_across_a_gap(world: &World, actor: &Actor) -> [(Option<i64>, Option<Cause>); 2] {
    world.control().advance_ms(GAP_MS).unwrap();
    settle_all_but_the_feed(world).await;
    round(world).await;
    let between = end(world, actor, "settled, and the feed not yet").await;
    world.meter().await;
    round(world).await;
    [between, end(world, actor, "settled").await]
}

#[sqlx::test(migrations = "../../migrations")]
async fn credit_does_not_end_early_by_the_gap(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let actor = with_seconds(&world, "ada@example.org", 40 * 3_600).await;
    let key = world.key(&actor).await;
    world.start(&key).await;
    let started = world.control().now().unwrap().0.div_euclid(1_000) * 1_000;
    turn(&world).await;
    let zero = (Some(started + 40 * HOUR_MS), Some(Cause::Credit));
    assert_eq!(end(&world, &actor, "before").await, zero);
    assert_eq!(ends_across_a_gap(&world, &actor).await, [zero, zero]);
    world.control().advance_ms(GAP_MS - 60_000).unwrap();
    let stops = |world: &World| {
        let events = world.control().events().unwrap().into_iter();
        events
            .filter(|event| serde_json::to_value(&event.kind).unwrap() == "hibernated")
            .map(|event| event.occurred_at.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(stops(&world), [] as [i64; 0], "stopped with credit left");
    world.control().advance_ms(120_000).unwrap();
    assert_eq!(stops(&world), [zero.0.unwrap()]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_limit_is_not_reached_early_by_the_gap(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    // Within one month, whenever this is run: the clock stands at its second day.
    let now = Moment::from_unix_ms(world.control().now().unwrap().0);
    let then = domain::forecast::next_month(now).plus_ms(24 * HOUR_MS + 437);
    world.control().advance_ms(then.since_ms(now)).unwrap();
    let actor = with_seconds(&world, "ada@example.org", 1_000_000).await;
    let key = world.key(&actor).await;
    limit::set(&world.backend, &actor, "1.64").await.unwrap();
    world.start(&key).await;
    let started = world.control().now().unwrap().0.div_euclid(1_000) * 1_000;
    turn(&world).await;
    // $1.64 are forty hours at $0.041.
    let zero = (Some(started + 40 * HOUR_MS), Some(Cause::Limit));
    assert_eq!(end(&world, &actor, "before").await, zero);
    assert_eq!(ends_across_a_gap(&world, &actor).await, [zero, zero]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_pages_figures_are_of_one_moment_too(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.start(&key).await;
    world.meter().await;
    world.control().advance_ms(GAP_MS).unwrap();
    settle_all_but_the_feed(&world).await;
    let now = Moment::from_unix_ms(world.control().now().unwrap().0);
    let cost = Ticks::new(41_000 * 1_024 * i128::from(GAP_MS)).unwrap();
    let left = Ticks::from_cents(Cents(5_000)).saturating_sub(cost);
    let read = credit::read(&mut world.view(&actor).await).await.unwrap();
    assert_eq!(Moment::from(read.feed.as_of), now, "exact up to here");
    assert_eq!((read.balance.left, read.spent), (left, cost));
    let page = overview::read(&mut world.view(&actor).await).await.unwrap();
    assert_eq!(page.balance, left);
    assert_eq!(Moment::from(page.feed.as_of), now);
    // Who had nothing to settle stands where the feed does.
    let idle = world.customer("eve@example.org").await;
    world.meter().await;
    let read = credit::read(&mut world.view(&idle).await).await.unwrap();
    assert_eq!(Moment::from(read.feed.as_of), now);
}
