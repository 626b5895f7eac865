//! When it ends, as every page says it and as the orchestrator was told it: one moment, to the millisecond, also while a page
//! is computed from newer figures than what was told.

use backend::authority::actor::Actor;
use backend::credit::{self, Asked};
use backend::ledger::{NewGrant, NewTransfer, System, TransferKind};
use backend::overview::attention::Attention;
use backend::testing;
use backend::{limit, overview, watch};
use domain::forecast::Zero;
use domain::id::GrantId;
use domain::moment::{HOUR_MS, Moment};
use domain::money::{Cents, Ticks};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

use crate::outlook::{told, turn, with_seconds};
use crate::world::World;

/// What the pages say, after they were held against each other.
async fn said(world: &World, actor: &Actor) -> Option<Zero> {
    let read = credit::read(&mut world.view(actor).await).await.unwrap();
    let asked = Asked::default();
    let mut view = world.view(actor).await;
    let page = credit::page(&mut view, &asked).await.unwrap();
    let all = [
        page.credit.zero,
        page.burn_down.zero,
        page.what_if.now.zero,
        read.zero,
    ];
    assert!(all.iter().all(|zero| *zero == read.zero), "{all:?}");
    let overview = overview::read(&mut world.view(actor).await).await.unwrap();
    let named = overview.attention.iter().find_map(|one| match one {
        Attention::EndsSoon(cause, at) => Some((*cause, Moment::from(*at))),
        _ => None,
    });
    if let (Some(named), Some(zero)) = (named, read.zero) {
        assert_eq!(named, (zero.cause, zero.at), "what the overview warns of");
    }
    let is_never = overview.figures.runs_out == "never";
    assert_eq!(is_never, read.zero.is_none());
    read.zero
}

/// Both are the same now.
async fn agree(world: &World, actor: &Actor, when: &str) -> Option<Moment> {
    let said = said(world, actor).await.map(|zero| zero.at);
    let (told, _) = told(world, actor).await;
    assert_eq!(said.map(Moment::unix_ms), told, "{when}: said and told");
    said
}

/// Both are the same now and stay so while time goes on and nothing else happens: pages follow the feed at each of these steps,
/// and what was told is computed again only when it is due. The steps cross seconds, an hour and what a grant's hour changes.
async fn agree_for_long(world: &World, actor: &Actor, when: &str) -> Option<Moment> {
    turn(world).await;
    let first = agree(world, actor, when).await;
    for ms in [1, 333, 700, 61_007, 1_800_500, HOUR_MS] {
        world.control().advance_ms(ms).unwrap();
        world.meter().await;
        let now = Moment::from_unix_ms(world.control().now().unwrap().0);
        if first.is_some_and(|first| first <= now) {
            break;
        }
        assert_eq!(agree(world, actor, when).await, first, "{when}: {ms} later");
    }
    watch::round(&world.backend).await.unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    first
}

async fn start(world: &World, key: &str, vcpus: u32, mem_mib: u32) {
    let body = json!({ "image": "node:22", "vcpus": vcpus, "mem_mib": mem_mib, "timeout": 0 });
    let (status, answer) = world.call(Method::POST, "runs", key, Some(body)).await;
    assert!((200..300).contains(&status), "{status} {answer}");
}

/// Time stands, at an odd millisecond of the eleventh minute of the next hour: no test depends on when it is run.
fn stand_still(world: &World) -> Moment {
    world.control().set_speed(0).unwrap();
    let now = Moment::from_unix_ms(world.control().now().unwrap().0);
    let then = now.hour().plus_ms(HOUR_MS + 10 * 60_000 + 437);
    let advanced = world.control().advance_ms(then.since_ms(now)).unwrap();
    Moment::from_unix_ms(advanced.0)
}

/// A grant for whole hours of the feed, given by our clock now.
async fn give(world: &World, actor: &Actor, amount: Ticks, hours: (Moment, Option<Moment>)) {
    let (account_id, now) = (actor.account_id(), world.backend.clock().now());
    let grant_id = GrantId(backend::random::id(now));
    let grant = NewGrant {
        grant_id,
        reason: backend::credit::GrantReason::Goodwill,
        amount,
        priority: 0,
        starts_at: hours.0,
        ends_at: hours.1,
        note: "",
    };
    let mut tx = testing::pool(&world.backend).begin().await.unwrap();
    testing::ledger::insert_grant(&mut tx, account_id, &grant, now)
        .await
        .unwrap();
    let goodwill = System::Goodwill;
    let debit = testing::ledger::system_account(&mut tx, account_id, goodwill, now);
    let fill = NewTransfer {
        debit: debit.await.unwrap(),
        credit: grant_id.0.into(),
        ticks: amount,
        kind: TransferKind::Grant,
        key: format!("grant:{grant_id}"),
        service_hour: None,
    };
    testing::ledger::append(&mut tx, account_id, &[fill], now)
        .await
        .unwrap();
    testing::mark_stale(&mut tx, &[account_id]).await.unwrap();
    tx.commit().await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn whatever_runs_the_page_and_the_orchestrator_know_one_moment(pool: PgPool) {
    let world = World::new(pool).await;
    stand_still(&world);
    let actor = with_seconds(&world, "ada@example.org", 40_000).await;
    let key = world.key(&actor).await;
    let nothing = agree_for_long(&world, &actor, "nothing runs").await;
    assert_eq!(nothing, None, "no end in sight");
    let mut before = Moment::MAX;
    for (vcpus, mem_mib) in [(1, 1_024), (4, 512), (2, 8_192)] {
        start(&world, &key, vcpus, mem_mib).await;
        let when = format!("{vcpus} processors and {mem_mib} MiB more");
        let end = agree_for_long(&world, &actor, &when).await.unwrap();
        assert!(end < before, "more runs, so it ends earlier");
        before = end;
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_limit_ends_it_at_one_moment_too(pool: PgPool) {
    let world = World::new(pool).await;
    stand_still(&world);
    let actor = with_seconds(&world, "ada@example.org", 4_000_000).await;
    let key = world.key(&actor).await;
    start(&world, &key, 1, 1_024).await;
    start(&world, &key, 2, 2_048).await;
    let by_credit = agree_for_long(&world, &actor, "no limit").await.unwrap();
    // Seven days of this pace, where credit lasts for fifteen: reached in this month, or in the next if that begins before.
    limit::set(&world.backend, &actor, "$20").await.unwrap();
    let by_limit = agree_for_long(&world, &actor, "$20 a month").await;
    assert!(by_limit.unwrap() < by_credit);
    limit::set(&world.backend, &actor, "$0.01").await.unwrap();
    turn(&world).await;
    let over = said(&world, &actor).await.unwrap();
    let as_of = Moment::from_unix_ms(world.control().now().unwrap().0);
    assert!(over.at <= as_of && told(&world, &actor).await.0.unwrap() <= as_of.unix_ms());
    limit::remove(&world.backend, &actor).await.unwrap();
    assert_eq!(
        agree_for_long(&world, &actor, "removed").await,
        None,
        "all of it hibernates, and the credit has no end of its own"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn grants_that_start_later_and_end_soon_count_in_their_hours_on_both_sides(pool: PgPool) {
    let world = World::new(pool).await;
    let hour = stand_still(&world).hour();
    let actor = with_seconds(&world, "ada@example.org", 12 * 3_600).await;
    let key = world.key(&actor).await;
    start(&world, &key, 1, 1_024).await;
    start(&world, &key, 1, 1_024).await;
    let hours = |n: i64| hour.plus_ms(n * HOUR_MS);
    let alone = agree_for_long(&world, &actor, "six hours of credit").await;
    // Ends before its dollar is used up: what is left of it goes.
    let dollar = Ticks::from_cents(Cents(100));
    give(&world, &actor, dollar, (hours(0), Some(hours(3)))).await;
    let with_more = agree_for_long(&world, &actor, "a grant that ends soon").await;
    assert!(with_more > alone, "{with_more:?} {alone:?}");
    // Starts after all else has ended: no hour of it is ever reached.
    give(&world, &actor, dollar, (hours(90), None)).await;
    let too_late = agree_for_long(&world, &actor, "a grant that starts too late").await;
    assert_eq!(too_late, with_more);
    // Starts before that.
    give(&world, &actor, dollar, (hours(6), None)).await;
    let in_time = agree_for_long(&world, &actor, "a grant that starts in time").await;
    assert!(in_time > too_late, "{in_time:?} {too_late:?}");
}

/// Settles what was started, and leaves the watermark where it is while settling is under way: so far behind the feed.
async fn settled_but_for(world: &World, behind_ms: i64) {
    world.meter().await;
    #[expect(
        clippy::disallowed_methods,
        reason = "the state between two commits of settling, which no service can be asked for"
    )]
    let back = sqlx::query(
        "WITH back AS (UPDATE feed_cursors SET settled_at = watermark_at - $1 * interval '1 millisecond' RETURNING settled_at)
         UPDATE meters SET settled_at = back.settled_at FROM back",
    );
    let back = back.bind(behind_ms).execute(&world.owner).await.unwrap();
    assert_eq!(back.rows_affected(), 1);
    watch::round(&world.backend).await.unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_start_on_either_side_of_the_settled_watermark_moves_both_alike(pool: PgPool) {
    let world = World::new(pool).await;
    stand_still(&world);
    let actor = with_seconds(&world, "ada@example.org", 400_000).await;
    let key = world.key(&actor).await;
    // Just before the watermark, at it, and after it by less and by more than a second; each while the others run.
    for (passed_ms, behind_ms) in [(1, 0), (0, 0), (0, 350), (0, 2_900)] {
        world.start(&key).await;
        world.control().advance_ms(passed_ms).unwrap();
        settled_but_for(&world, behind_ms).await;
        let when = format!("started {behind_ms} ms after the watermark, {passed_ms} before");
        let first = agree(&world, &actor, &when).await;
        assert_eq!(agree_for_long(&world, &actor, &when).await, first);
    }
    // Two, neither of which is settled.
    world.start(&key).await;
    world.control().advance_ms(1_300).unwrap();
    start(&world, &key, 2, 512).await;
    settled_but_for(&world, 2_000).await;
    let two = agree(&world, &actor, "two after the watermark").await;
    let later = agree_for_long(&world, &actor, "two after the watermark").await;
    assert_eq!(later, two);
}

#[sqlx::test(migrations = "../../migrations")]
async fn while_the_feed_stands_still_a_grant_of_later_changes_nothing_that_was_told(pool: PgPool) {
    let world = World::new(pool).await;
    let hour = stand_still(&world).hour();
    // Credit ends in the next hour; the grant starts after that.
    let actor = with_seconds(&world, "ada@example.org", 3_600).await;
    let key = world.key(&actor).await;
    start(&world, &key, 1, 1_024).await;
    let later = (hour.plus_ms(3 * HOUR_MS), None);
    give(&world, &actor, Ticks::from_cents(Cents(100)), later).await;
    turn(&world).await;
    let before = agree(&world, &actor, "before").await.unwrap();
    world.backend.clock().advance(time::Duration::hours(4));
    let after = agree(&world, &actor, "our clock is ahead").await;
    assert_eq!(after, Some(before));
    let read = credit::read(&mut world.view(&actor).await).await.unwrap();
    assert!(read.balance.waiting.is_positive(), "its hour has not come");
    // Whatever else has it computed again.
    limit::set(&world.backend, &actor, "$500").await.unwrap();
    watch::round(&world.backend).await.unwrap();
    testing::drain_jobs(&world.backend).await.unwrap();
    let again = agree(&world, &actor, "computed again").await;
    assert_eq!(again, Some(before), "no hour is paid by what starts later");
}
