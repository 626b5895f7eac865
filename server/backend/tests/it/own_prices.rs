//! An account is rated by its own book: what was agreed with it, from the hour on from which it was agreed.

use backend::testing;
use domain::moment::HOUR_MS;
use sqlx::PgPool;

use crate::world::World;

#[sqlx::test(migrations = "../../migrations")]
async fn a_binding_rates_its_own_account_and_hours_only(pool: PgPool) {
    let world = World::new(pool).await;
    let (ada, bob) = (
        world.customer("ada@example.org").await,
        world.customer("bob@example.org").await,
    );
    let (of_ada, of_bob) = (world.key(&ada).await, world.key(&bob).await);
    world.control().set_speed(0).unwrap();
    let pool = testing::pool(&world.backend);
    sqlx::query!(
        "INSERT INTO prices (price_id, sku, vcpu_hour_microusd, gib_hour_microusd, grain_ms, is_first, announced_at, during)
         VALUES (gen_random_uuid(), 'deal', 13000, 7500, 1000, true, now(),
                 tstzrange(date_trunc('hour', now(), 'UTC') - interval '1 day', NULL))"
    )
    .execute(pool)
    .await
    .unwrap();
    sqlx::query!(
        "INSERT INTO price_bindings (account_id, sku, during, bound_at)
         VALUES ($1, 'deal', tstzrange(date_trunc('hour', now(), 'UTC') + interval '2 hours', NULL), now())",
        ada.account_id().0
    )
    .execute(pool)
    .await
    .unwrap();
    let (first, second) = (world.start(&of_ada).await, world.start(&of_bob).await);
    world.control().advance_ms(5 * HOUR_MS).unwrap();
    world.destroy(&of_ada, &first).await;
    world.destroy(&of_bob, &second).await;
    world.meter().await;
    let rows = sqlx::query!(
        r#"SELECT s.account_id, p.sku, sum(s.ticks)::bigint AS "ticks!", sum(s.billed_ms)::bigint AS "ms!"
           FROM slices AS s JOIN prices AS p USING (price_id) GROUP BY s.account_id, p.sku ORDER BY s.account_id, p.sku"#
    );
    let rows = rows.fetch_all(pool).await.unwrap();
    let of = |account: uuid::Uuid, sku: &str| {
        let row = rows
            .iter()
            .find(|row| row.account_id == account && row.sku == sku);
        row.map_or((0, 0), |row| (row.ms, row.ticks))
    };
    let (deal_ms, deal) = of(ada.account_id().0, "deal");
    let (list_ms, list) = of(ada.account_id().0, "sandbox");
    assert!(
        deal_ms >= 3 * HOUR_MS && list_ms >= HOUR_MS,
        "{deal_ms} {list_ms}"
    );
    assert_eq!(deal, deal_ms * 20_500 * 1_024, "half the price");
    assert_eq!(list, list_ms * 41_000 * 1_024);
    assert_eq!(of(bob.account_id().0, "deal"), (0, 0));
    assert_eq!(of(bob.account_id().0, "sandbox").0, deal_ms + list_ms);
}
