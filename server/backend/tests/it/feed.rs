//! From feed to ledger over real HTTP: exact to the tick, unmoved by replays, stopped by contradictions.

use backend::credit;
use backend::metering::pull::{self, Pulled};
use backend::metering::recheck;
use backend::metering::settle;
use backend::overview;
use backend::sandboxes;
use backend::testing;
use backend::usage;
use domain::figures::Stage;
use domain::money::{Cents, Ticks};
use domain::sandbox::{SandboxId, SandboxState};
use domain::usage::query::{Query, Range};
use peers::orchestrator::{Appended, Fault, Kind, Plane, Switch};
use sqlx::PgPool;

use crate::world::World;

const FIFTY: Ticks = Ticks::from_cents(Cents(5_000));

/// Everything that billing rests on, as one text: equal texts are equal states.
async fn state(world: &World) -> String {
    let rows = sqlx::query_scalar!(
        r#"SELECT concat_ws(E'\n',
            (SELECT string_agg(t::text, ';' ORDER BY t.transfer_id) FROM transfers AS t),
            (SELECT string_agg(s::text, ';' ORDER BY s.sandbox_id, s.hour_at) FROM slices AS s),
            (SELECT string_agg(i::text, ';' ORDER BY i.sandbox_id, i.ordinal) FROM intervals AS i),
            (SELECT string_agg(l::text, ';' ORDER BY l.ledger_account_id) FROM ledger_accounts AS l)) AS "state!""#
    );
    rows.fetch_one(testing::pool(&world.backend)).await.unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn ninety_seconds_cost_exactly_their_ticks(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let id = world.start(&key).await;
    world.meter().await;
    let figures = overview::figures(&mut world.view(&actor).await)
        .await
        .unwrap();
    assert_eq!(
        (
            figures.stage,
            figures.running,
            figures.rate_per_hour.as_str()
        ),
        (Stage::Underway, 1, "$0.041")
    );

    world.control().advance_ms(90_000).unwrap();
    world.meter().await;
    let live = sandboxes::get(
        &mut world.view(&actor).await,
        &SandboxId::parse(&id).unwrap(),
    )
    .await
    .unwrap()
    .unwrap();
    assert_eq!(live.cost.get(), 3_778_560_000_000, "while it runs");
    assert_eq!(
        credit::read(&mut world.view(&actor).await)
            .await
            .unwrap()
            .remaining,
        FIFTY.saturating_sub(live.cost)
    );

    world.destroy(&key, &id).await;
    world.meter().await;
    let done = sandboxes::get(
        &mut world.view(&actor).await,
        &SandboxId::parse(&id).unwrap(),
    )
    .await
    .unwrap()
    .unwrap();
    assert_eq!(
        (done.state, done.cost.get()),
        (SandboxState::Destroyed, 3_778_560_000_000)
    );
    assert_eq!(
        credit::read(&mut world.view(&actor).await)
            .await
            .unwrap()
            .spent
            .get(),
        3_778_560_000_000,
        "once posted"
    );
    let drawn = usage::read(&mut world.view(&actor).await, &Query::default())
        .await
        .unwrap()
        .breakdown
        .total();
    assert_eq!((drawn.ms, drawn.ticks.get()), (90_000, 3_778_560_000_000));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_life_across_hours_is_posted_hourly_and_shown_live(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let id = world.start(&key).await;
    let mut shown = Ticks::ZERO;
    for step in [1_234_567, 3_600_000, 7_000_001, 999, 20_000_000] {
        world.control().advance_ms(step).unwrap();
        world.meter().await;
        let spent = credit::read(&mut world.view(&actor).await)
            .await
            .unwrap()
            .spent;
        assert!(spent > shown || step < 1_000, "it only grows");
        shown = spent;
        let asked = Query {
            range: Range::Month,
            ..Query::default()
        };
        let month = usage::read(&mut world.view(&actor).await, &asked)
            .await
            .unwrap()
            .breakdown
            .total()
            .ticks;
        assert_eq!(month, spent, "chart and balance agree while it runs");
    }
    let posted = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM slices"#)
        .fetch_one(testing::pool(&world.backend));
    assert!(
        posted.await.unwrap() >= 8,
        "whole hours are booked though it never stopped"
    );
    world.act(&key, &id, "hibernate").await;
    world.control().advance_ms(50_000_000).unwrap();
    world.meter().await;
    world.act(&key, &id, "resume").await;
    world.control().advance_ms(61_500).unwrap();
    world.destroy(&key, &id).await;
    world.meter().await;
    assert_eq!(
        credit::read(&mut world.view(&actor).await)
            .await
            .unwrap()
            .spent,
        world.due(&id),
        "sleep is free"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn replaying_the_feed_changes_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    for ms in [500, 61_000, 4_000_000] {
        let id = world.start(&key).await;
        world.control().advance_ms(ms).unwrap();
        world.destroy(&key, &id).await;
    }
    world.meter().await;
    let before = state(&world).await;
    // As if the cursor had been lost: the log refuses to take an event twice, and nothing is booked twice.
    sqlx::query!("UPDATE meters SET settled_seq = 0, settled_until = NULL")
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    world.meter().await;
    assert_eq!(state(&world).await, before);
    // Settling with the slices, their sums and the intervals thrown away rebuilds them to the letter.
    sqlx::query!("DELETE FROM slices")
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    sqlx::query!("DELETE FROM usage_hours")
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    sqlx::query!("DELETE FROM usage_days")
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    sqlx::query!("DELETE FROM intervals")
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    sqlx::query!("UPDATE meters SET settled_seq = 0, settled_until = NULL")
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    world.meter().await;
    assert_eq!(state(&world).await, before);
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_workers_at_once_store_and_book_once(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let id = world.start(&key).await;
    world.control().advance_ms(10_000_000).unwrap();
    world.destroy(&key, &id).await;
    let all = (0..6).map(|_| async {
        let _ = pull::pull(&world.backend).await.unwrap();
        settle::round(&world.backend).await.unwrap()
    });
    futures_util::future::join_all(all).await;
    world.meter().await;
    assert_eq!(
        credit::read(&mut world.view(&actor).await)
            .await
            .unwrap()
            .spent,
        world.due(&id)
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_gap_stops_the_feed_and_loses_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.start(&key).await;
    world.meter().await;
    let before = state(&world).await;
    world.control().skip().unwrap();
    world.start(&key).await;
    assert_eq!(pull::pull(&world.backend).await.unwrap(), Pulled::Stopped);
    assert_eq!(
        pull::pull(&world.backend).await.unwrap(),
        Pulled::Stopped,
        "until a person has looked"
    );
    assert_eq!(state(&world).await, before);
    assert!(
        overview::figures(&mut world.view(&actor).await)
            .await
            .unwrap()
            .stale
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_rewritten_event_stops_the_feed(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.start(&key).await;
    world.meter().await;
    world.control().rewrite(1).unwrap();
    assert_eq!(pull::pull(&world.backend).await.unwrap(), Pulled::Stopped);
    let reason = sqlx::query_scalar!("SELECT stop_reason FROM feed_cursors")
        .fetch_one(testing::pool(&world.backend))
        .await;
    assert_eq!(reason.unwrap().as_deref(), Some("rewritten"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn foreign_and_nonsense_events_are_set_aside_and_bill_nobody(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("an event comes decades late");
    let actor = world.customer("ada@example.org").await;
    let account = Some(actor.account_id().0);
    let early = serde_json::from_value(serde_json::json!("2001-01-01T00:00:00.000Z")).unwrap();
    let odd = vec![
        Appended::default(),
        Appended {
            account,
            vcpus: Some(0),
            ..Appended::default()
        },
        Appended {
            account,
            sandbox_id: Some("run/../x".into()),
            ..Appended::default()
        },
        Appended {
            account,
            sandbox_id: Some("runback".into()),
            ..Appended::default()
        },
        Appended {
            account,
            sandbox_id: Some("runback".into()),
            kind: Some(Kind::Destroyed),
            occurred_at: Some(early),
            ..Appended::default()
        },
    ];
    world.control().append(odd).unwrap();
    world.meter().await;
    let aside =
        sqlx::query!("SELECT set_aside FROM feed_log WHERE set_aside IS NOT NULL ORDER BY seq");
    let aside = aside
        .fetch_all(testing::pool(&world.backend))
        .await
        .unwrap();
    let reasons: Vec<_> = aside
        .iter()
        .filter_map(|row| row.set_aside.as_deref())
        .collect();
    assert_eq!(reasons, ["unknown_account", "malformed", "malformed"]);
    assert_eq!(
        credit::read(&mut world.view(&actor).await)
            .await
            .unwrap()
            .spent,
        Ticks::ZERO,
        "a negative duration costs nothing"
    );
    let fine = world.key(&actor).await;
    let id = world.start(&fine).await;
    world.control().advance_ms(5_000).unwrap();
    world.destroy(&fine, &id).await;
    world.meter().await;
    assert_eq!(
        credit::read(&mut world.view(&actor).await)
            .await
            .unwrap()
            .spent,
        world.due(&id),
        "and the feed goes on"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_orchestrator_in_trouble_delays_and_never_loses(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    let id = world.start(&key).await;
    for fault in [
        Fault::Refuse,
        Fault::Error,
        Fault::DropAnswer,
        Fault::Garbage,
    ] {
        world
            .control()
            .fault(Switch {
                plane: Plane::Feed,
                fault,
                times: 1,
            })
            .unwrap();
        assert!(
            matches!(
                pull::pull(&world.backend).await.unwrap(),
                Pulled::Unanswered(_)
            ),
            "{fault:?}"
        );
    }
    world.control().advance_ms(5_000).unwrap();
    world.destroy(&key, &id).await;
    world.meter().await;
    assert_eq!(
        credit::read(&mut world.view(&actor).await)
            .await
            .unwrap()
            .spent,
        world.due(&id)
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_event_rewritten_long_ago_is_found_too(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    for _ in 0..3 {
        world.start(&key).await;
    }
    world.meter().await;
    let whole = Pulled::Stored {
        events: 0,
        more: false,
    };
    assert_eq!(recheck::recheck(&world.backend).await.unwrap(), whole);
    world.control().rewrite(1).unwrap();
    let seam = pull::pull(&world.backend).await.unwrap();
    assert_eq!(seam, whole, "the seam does not show it");
    assert_eq!(
        recheck::recheck(&world.backend).await.unwrap(),
        Pulled::Stopped
    );
    let reason = sqlx::query_scalar!("SELECT stop_reason FROM feed_cursors");
    let reason = reason
        .fetch_one(testing::pool(&world.backend))
        .await
        .unwrap();
    assert_eq!(reason.as_deref(), Some("rewritten"));
}
