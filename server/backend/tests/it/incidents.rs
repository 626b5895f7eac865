//! What a sandbox cost while it was out of reach comes back, once, as a grant that names it.

use backend::authority::actor::Actor;
use backend::testing;
use domain::money::Ticks;
use peers::orchestrator::Kind;
use sqlx::PgPool;

use crate::meter::{event, unbind};
use crate::world::World;

/// One vCPU and one GiB for a millisecond, in ticks.
const PER_MS: i64 = 41_000 * 1_024;

struct Incident {
    billed_ms: i64,
    ticks: i64,
    notes: Vec<String>,
    keys: Vec<String>,
    remaining: i64,
}

async fn incident(world: &World) -> Incident {
    let pool = testing::pool(&world.backend);
    let row = sqlx::query!(
        r#"SELECT billed_ms, ticks::bigint AS "ticks!", credited_at IS NOT NULL AS "weighed!" FROM incidents"#
    );
    let row = row.fetch_one(pool).await.unwrap();
    assert!(row.weighed);
    let notes = sqlx::query_scalar!("SELECT note FROM grants WHERE reason = 'incident'");
    let keys =
        sqlx::query_scalar!("SELECT key FROM transfers WHERE key LIKE 'incident:%' ORDER BY key");
    let remaining = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(la.credit_ticks - la.debit_ticks), 0)::bigint AS "left!" FROM grants AS g
           JOIN ledger_accounts AS la ON la.ledger_account_id = g.grant_id WHERE g.reason = 'incident'"#
    );
    Incident {
        billed_ms: row.billed_ms,
        ticks: row.ticks,
        notes: notes.fetch_all(pool).await.unwrap(),
        keys: keys.fetch_all(pool).await.unwrap(),
        remaining: remaining.fetch_one(pool).await.unwrap(),
    }
}

/// A sandbox that runs on after 724 s out of reach; its account and id.
async fn lost_for_twelve_minutes(world: &World, before_ms: i64) -> (uuid::Uuid, String) {
    let actor = world.customer("ada@example.org").await;
    lost(world, &actor, before_ms).await
}

async fn lost(world: &World, actor: &Actor, before_ms: i64) -> (uuid::Uuid, String) {
    let account = actor.account_id().0;
    let key = world.key(actor).await;
    world.control().set_speed(0).unwrap();
    let id = world.start(&key).await;
    world.control().advance_ms(before_ms).unwrap();
    let lost = event(world, account, &id, Kind::Unreachable, 0);
    world.control().append(vec![lost]).unwrap();
    world.control().advance_ms(724_000).unwrap();
    let found = event(world, account, &id, Kind::Reachable, 0);
    world.control().append(vec![found]).unwrap();
    world.meter().await;
    (account, id)
}

async fn replay(world: &World) {
    sqlx::query!("UPDATE meters SET settled_seq = 0, settled_until = NULL")
        .execute(testing::pool(&world.backend))
        .await
        .unwrap();
    world.meter().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_incident_comes_back_once_its_hours_are_booked(pool: PgPool) {
    let world = World::new(pool).await;
    let (_, id) = lost_for_twelve_minutes(&world, 1_000_000).await;
    world.control().advance_ms(2 * 3_600_000).unwrap();
    world.meter().await;
    let first = incident(&world).await;
    assert_eq!((first.billed_ms, first.ticks), (724_000, 724_000 * PER_MS));
    assert_eq!(first.remaining, first.ticks);
    assert_eq!(first.keys.len(), 1);
    assert!(first.keys[0].starts_with(&format!("incident:{id}:")));
    let note = &first.notes[0];
    assert!(note.starts_with("Incident of "), "{note}");
    assert!(
        note.ends_with(&format!(" UTC: {id} was out of reach for 12 m 04 s")),
        "{note}"
    );

    replay(&world).await;
    let again = incident(&world).await;
    assert_eq!(
        (again.keys.len(), again.ticks),
        (1, first.ticks),
        "replays change nothing"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn overrun_was_never_paid_and_does_not_come_back(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("the account runs on without credit, which nobody watches here");
    let actor = world.customer("ada@example.org").await;
    unbind(&world, actor.account_id()).await;
    // Two hours more than $50 buys.
    lost(&world, &actor, 4_390_243_000 + 7_200_000).await;
    world.control().advance_ms(2 * 3_600_000).unwrap();
    world.meter().await;
    let nothing = incident(&world).await;
    assert_eq!((nothing.billed_ms, nothing.ticks), (724_000, 0));
    assert!(nothing.keys.is_empty() && nothing.notes.is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_incident_that_turns_out_longer_gives_back_the_difference(pool: PgPool) {
    let world = World::new(pool).await;
    let (_, id) = lost_for_twelve_minutes(&world, 1_000_000).await;
    world.control().advance_ms(2 * 3_600_000).unwrap();
    world.meter().await;
    // As if an earlier rule had seen a minute less of it.
    let minute = 60_000 * PER_MS;
    sqlx::query!(
        "UPDATE incidents SET ended_at = ended_at - interval '1 minute', ticks = ticks - $1::bigint",
        minute
    )
    .execute(testing::pool(&world.backend))
    .await
    .unwrap();
    replay(&world).await;
    let longer = incident(&world).await;
    assert_eq!(longer.ticks, 724_000 * PER_MS);
    assert_eq!(longer.remaining, 724_000 * PER_MS + minute);
    assert_eq!(longer.keys.len(), 2);
    assert!(
        longer.keys[1].starts_with(&format!("incident:{id}:")) && longer.keys[1].ends_with(":1")
    );
    let stated = sqlx::query_scalar!(
        r#"SELECT amount_ticks::bigint AS "stated!" FROM grants WHERE reason = 'incident'"#
    );
    let stated = stated
        .fetch_one(testing::pool(&world.backend))
        .await
        .unwrap();
    assert_eq!(stated, longer.remaining, "a grant states what filled it");
    assert!(Ticks::new(stated.into()).unwrap().is_positive());
}
