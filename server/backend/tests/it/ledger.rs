//! What the database itself refuses, and what the ledger always adds up to.

use backend::credit;
use backend::ledger::statement;
use backend::testing;
use domain::money::{Cents, Ticks};
use sqlx::PgPool;

use crate::world::World;

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_booked_can_be_changed_or_removed(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    let pool = testing::pool(&world.backend);
    assert!(
        sqlx::query!("UPDATE transfers SET ticks = ticks + 1")
            .execute(pool)
            .await
            .is_err()
    );
    assert!(
        sqlx::query!("DELETE FROM transfers")
            .execute(pool)
            .await
            .is_err()
    );
    assert!(
        sqlx::query!("TRUNCATE transfers")
            .execute(pool)
            .await
            .is_err()
    );
    assert!(
        sqlx::query!("DELETE FROM audit_events")
            .execute(pool)
            .await
            .is_err()
    );
    assert!(
        sqlx::query!("DELETE FROM feed_log")
            .execute(pool)
            .await
            .is_err()
    );
    assert!(
        sqlx::query!("UPDATE prices SET vcpu_hour_microusd = 0")
            .execute(pool)
            .await
            .is_err()
    );
    let again = sqlx::query!(
        "INSERT INTO transfers (account_id, transfer_id, debit_id, credit_id, ticks, kind, key, booked_at)
         SELECT account_id, gen_random_uuid(), debit_id, credit_id, ticks, kind, key, booked_at FROM transfers"
    );
    assert!(
        again.execute(pool).await.is_err(),
        "the same key books once"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_price_needs_thirty_days_notice_whole_hours_and_its_own_time(pool: PgPool) {
    let insert = |announced: &'static str, from: &'static str| {
        let pool = pool.clone();
        async move {
            sqlx::query!(
                "INSERT INTO prices (price_id, sku, vcpu_hour_microusd, gib_hour_microusd, grain_ms, announced_at, during)
                 VALUES (gen_random_uuid(), 'other', 1, 1, 1000, $1::text::timestamptz, tstzrange($2::text::timestamptz, NULL))",
                announced, from
            )
            .execute(&pool)
            .await
        }
    };
    assert!(
        insert("2026-01-01 00:00Z", "2026-01-18 00:00Z")
            .await
            .is_err(),
        "17 days"
    );
    assert!(
        insert("2026-01-01 00:00Z", "2026-02-01 00:30Z")
            .await
            .is_err(),
        "half an hour"
    );
    assert!(
        insert("2026-01-01 00:00Z", "2026-01-31 00:00Z")
            .await
            .is_ok(),
        "30 days"
    );
    assert!(
        insert("2026-01-01 00:00Z", "2026-03-01 00:00Z")
            .await
            .is_err(),
        "overlap"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_price_is_ended_once_thirty_days_ahead_and_then_has_a_successor(pool: PgPool) {
    let end = |days: i32| {
        let pool = pool.clone();
        async move {
            sqlx::query!(
                "UPDATE prices SET during = tstzrange(lower(during),
                        date_trunc('hour', now(), 'UTC') + interval '1 hour' + $1::integer * interval '1 day')
                 WHERE sku = 'sandbox'",
                days
            )
            .execute(&pool)
            .await
        }
    };
    assert!(end(29).await.is_err(), "29 days ahead");
    assert!(
        sqlx::query!("UPDATE prices SET vcpu_hour_microusd = 1")
            .execute(&pool)
            .await
            .is_err(),
        "the price itself"
    );
    assert!(
        sqlx::query!("DELETE FROM prices")
            .execute(&pool)
            .await
            .is_err()
    );
    assert!(end(30).await.is_ok());
    assert!(end(40).await.is_err(), "a second time");
    let successor = sqlx::query!(
        "INSERT INTO prices (price_id, sku, vcpu_hour_microusd, gib_hour_microusd, grain_ms, announced_at, during)
         SELECT gen_random_uuid(), sku, 30000, 15000, 1000, now(), tstzrange(upper(during), NULL) FROM prices WHERE sku = 'sandbox'"
    );
    assert!(successor.execute(&pool).await.is_ok());
}

#[sqlx::test(migrations = "../../migrations")]
async fn credit_runs_to_zero_then_overrun_is_measured_and_not_charged(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let id = world.start(&key).await;
    // Two hours more than $50 buys.
    world
        .control()
        .advance_ms(4_390_243_000 + 7_200_000)
        .unwrap();
    world.destroy(&key, &id).await;
    world.meter().await;
    let read = credit::read(&mut world.view(&actor).await).await.unwrap();
    assert_eq!(
        (read.remaining, read.spent),
        (Ticks::ZERO, Ticks::from_cents(Cents(5_000)))
    );
    assert_eq!(read.overrun, world.due(&id).saturating_sub(read.spent));

    let rows = sqlx::query!(
        r#"SELECT la.kind, la.debit_ticks AS debit, la.credit_ticks AS credit,
                  coalesce((SELECT sum(ticks) FROM transfers AS t WHERE t.debit_id = la.ledger_account_id), 0) AS "debits!",
                  coalesce((SELECT sum(ticks) FROM transfers AS t WHERE t.credit_id = la.ledger_account_id), 0) AS "credits!"
           FROM ledger_accounts AS la"#
    );
    let rows = rows.fetch_all(testing::pool(&world.backend)).await.unwrap();
    let grant = rows.iter().find(|row| row.kind == "grant").unwrap();
    assert_eq!(
        (grant.debit, grant.credit),
        (grant.debits, grant.credits),
        "balance row = fold of transfers"
    );
    let sum: rust_decimal::Decimal = rows.iter().map(|row| row.debits - row.credits).sum();
    assert!(sum.is_zero(), "all entries sum to zero");
    let statement = statement::read(&mut world.view(&actor).await, None, None, 50)
        .await
        .unwrap();
    assert_eq!(statement.rows[0].balance, Some(Ticks::ZERO));
    assert!(statement.next.is_some(), "1,222 hours do not fit one page");
}
