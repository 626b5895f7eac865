//! Credit that a late event gives back pays what nobody paid meanwhile: told late is in the end as told in time, down to what is
//! not charged.

use backend::authority::actor::Actor;
use backend::credit;
use backend::ledger::statement::{self, EntryKind};
use domain::moment::HOUR_MS;
use domain::money::{Cents, Ticks};
use peers::orchestrator::{Appended, Kind, Stamp};
use sqlx::PgPool;

use crate::world::World;

/// $4.10 an hour: the sign-up credit lasts a little over twelve.
const SIZE: (i64, i64) = (100, 102_400);

fn told(world: &World, actor: &Actor, name: &str, kind: Kind, hour: i64) {
    let began = world.control().now().unwrap().0.div_euclid(HOUR_MS) * HOUR_MS;
    let event = Appended {
        account: Some(actor.account_id().0),
        sandbox_id: Some(format!("{name}-{}", actor.account_id().0.simple())),
        kind: Some(kind),
        occurred_at: Some(Stamp(began + hour * HOUR_MS)),
        vcpus: Some(SIZE.0),
        mem_mib: Some(SIZE.1),
        ..Appended::default()
    };
    world.control().append(vec![event]).unwrap();
}

/// What is left, what was spent, and what is not charged.
async fn stands(world: &World, actor: &Actor) -> (Ticks, Ticks, Ticks) {
    let read = credit::read(&mut world.view(actor).await).await.unwrap();
    (read.remaining, read.spent, read.overrun)
}

/// What the statement says is not charged, line by line.
async fn lines_not_charged(world: &World, actor: &Actor) -> Ticks {
    let mut view = world.view(actor).await;
    let all = statement::read(&mut view, None, None, 1_000).await.unwrap();
    assert!(all.next.is_none());
    for row in &all.rows {
        let is_it = row.kind == EntryKind::Overrun;
        assert!(!is_it || (row.amount == Ticks::ZERO && row.not_charged.is_positive()));
    }
    all.rows.iter().map(|row| row.not_charged).sum()
}

#[sqlx::test(migrations = "../../migrations")]
async fn credit_that_comes_back_pays_what_nobody_paid(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("accounts run on without credit, which nobody watches here");
    world.control().set_speed(0).unwrap();
    let now = world.control().now().unwrap().0;
    world
        .control()
        .advance_ms(HOUR_MS - now.rem_euclid(HOUR_MS))
        .unwrap();
    let punctual = world.customer("punctual@example.org").await;
    let late = world.customer("late@example.org").await;
    for actor in [&punctual, &late] {
        told(&world, actor, "run-a", Kind::Created, 0);
    }
    world.control().advance_ms(10 * HOUR_MS).unwrap();
    told(&world, &punctual, "run-a", Kind::Destroyed, 0);
    for actor in [&punctual, &late] {
        told(&world, actor, "run-b", Kind::Created, 0);
    }
    world.meter().await;
    world.control().advance_ms(10 * HOUR_MS).unwrap();
    world.meter().await;
    let before = stands(&world, &late).await;
    assert_eq!(before.2, Ticks::from_cents(Cents(12_300 - 5_000)));
    told(&world, &late, "run-a", Kind::Destroyed, -10);
    for actor in [&punctual, &late] {
        told(&world, actor, "run-b", Kind::Destroyed, 0);
    }
    world.meter().await;
    let fifty = Ticks::from_cents(Cents(5_000));
    let same = (Ticks::ZERO, fifty, Ticks::from_cents(Cents(3_200)));
    assert_eq!(stands(&world, &punctual).await, same);
    assert_eq!(stands(&world, &late).await, same);
    for actor in [&punctual, &late] {
        assert_eq!(lines_not_charged(&world, actor).await, same.2);
    }
    // The same hours, by whom they were paid.
    let mut paid = Vec::new();
    for actor in [&punctual, &late] {
        let rows = sqlx::query!(
            r#"SELECT t.service_hour AS "hour!", la.kind,
                      sum(CASE t.kind WHEN 'correction' THEN -t.ticks ELSE t.ticks END)::text AS "net!"
               FROM transfers AS t JOIN ledger_accounts AS la ON la.account_id = $1 AND la.kind IN ('grant', 'overrun')
                    AND la.ledger_account_id = CASE t.kind WHEN 'correction' THEN t.credit_id ELSE t.debit_id END
               WHERE t.account_id = $1 AND t.service_hour IS NOT NULL
               GROUP BY 1, 2 HAVING sum(CASE t.kind WHEN 'correction' THEN -t.ticks ELSE t.ticks END) <> 0 ORDER BY 1, 2"#,
            actor.account_id().0
        );
        let rows = rows.fetch_all(&world.owner).await.unwrap();
        paid.push(
            rows.into_iter()
                .map(|row| (row.hour, row.kind, row.net))
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(paid[0], paid[1]);
    // Again from the first event on: nothing moves.
    sqlx::query!("UPDATE meters SET settled_seq = 0, settled_until = NULL")
        .execute(&world.owner)
        .await
        .unwrap();
    world.meter().await;
    assert_eq!(stands(&world, &late).await, same);
}

/// Nobody had paid the hour of an incident, so nothing came back; once credit pays that hour after all, the incident gives it back.
#[sqlx::test(migrations = "../../migrations")]
async fn an_incident_comes_back_once_its_hour_is_paid_after_all(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("accounts run on without credit, which nobody watches here");
    world.control().set_speed(0).unwrap();
    let now = world.control().now().unwrap().0;
    world
        .control()
        .advance_ms(HOUR_MS - now.rem_euclid(HOUR_MS))
        .unwrap();
    let ada = world.customer("ada@example.org").await;
    told(&world, &ada, "run-a", Kind::Created, 0);
    told(&world, &ada, "run-b", Kind::Created, 0);
    world.control().advance_ms(8 * HOUR_MS).unwrap();
    told(&world, &ada, "run-b", Kind::Unreachable, -1);
    told(&world, &ada, "run-b", Kind::Reachable, 0);
    world.control().advance_ms(2 * HOUR_MS).unwrap();
    world.meter().await;
    let given_back = async || {
        let ticks = sqlx::query_scalar!(
            r#"SELECT ticks::text AS "ticks!" FROM incidents WHERE credited_at IS NOT NULL"#
        );
        ticks.fetch_one(&world.owner).await.unwrap()
    };
    assert_eq!(given_back().await, "0", "its hour is not charged");
    told(&world, &ada, "run-a", Kind::Destroyed, -10);
    world.meter().await;
    let an_hour = Ticks::from_cents(Cents(410));
    assert_eq!(given_back().await, an_hour.to_string());
}
