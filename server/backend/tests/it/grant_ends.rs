//! What is left of a grant at its end goes, after every hour it may pay for is settled, and goes again if it comes back.

use backend::ledger::{GrantReason, NewGrant, NewTransfer, System, TransferKind};
use backend::testing::{self, ledger};
use domain::id::{AccountId, GrantId};
use domain::moment::{HOUR_MS, Moment};
use domain::money::{Cents, Ticks};
use peers::orchestrator::Kind;
use sqlx::PgPool;

use crate::meter::event;
use crate::world::World;

const DOLLAR: Ticks = Ticks::from_cents(Cents(100));

/// A dollar for `hours` whole hours after this one.
async fn give(world: &World, account_id: AccountId, hours: i64) -> GrantId {
    let now = world.backend.clock().now();
    let hour = Moment::from(now).hour();
    let grant_id = GrantId(backend::random::id(now));
    let mut db = testing::pool(&world.backend).acquire().await.unwrap();
    let grant = NewGrant {
        grant_id,
        reason: GrantReason::Goodwill,
        amount: DOLLAR,
        priority: 0,
        starts_at: hour,
        ends_at: Some(hour.plus_ms(hours * HOUR_MS)),
        note: "",
    };
    ledger::insert_grant(&mut db, account_id, &grant, now)
        .await
        .unwrap();
    let goodwill = ledger::system_account(&mut db, account_id, System::Goodwill, now)
        .await
        .unwrap();
    let fill = NewTransfer {
        debit: goodwill,
        credit: grant_id.0.into(),
        ticks: DOLLAR,
        kind: TransferKind::Grant,
        key: format!("grant:{grant_id}"),
        service_hour: None,
    };
    ledger::append(&mut db, account_id, &[fill], now)
        .await
        .unwrap();
    grant_id
}

async fn expiries(world: &World, grant_id: GrantId) -> Vec<(String, i64)> {
    let rows = sqlx::query!(
        r#"SELECT key, ticks::bigint AS "ticks!" FROM transfers WHERE kind = 'expiry' AND debit_id = $1 ORDER BY key"#,
        grant_id.0
    );
    let rows = rows.fetch_all(testing::pool(&world.backend)).await.unwrap();
    rows.into_iter().map(|row| (row.key, row.ticks)).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_rest_of_a_grant_goes_at_its_end_and_again_after_a_correction(pool: PgPool) {
    let world = World::new(pool).await;
    let actor = world.customer("ada@example.org").await;
    let account = actor.account_id();
    let idle = world.customer("bob@example.org").await.account_id();
    world.control().set_speed(0).unwrap();
    let (grant, unused) = (give(&world, account, 3).await, give(&world, idle, 3).await);
    let began = event(&world, account.0, "runlong", Kind::Created, 0);
    world.control().append(vec![began]).unwrap();
    world.control().advance_ms(HOUR_MS).unwrap();
    world.meter().await;
    assert!(expiries(&world, grant).await.is_empty(), "it has not ended");
    assert!(expiries(&world, unused).await.is_empty());

    world.control().advance_ms(4 * HOUR_MS).unwrap();
    world.meter().await;
    let first = expiries(&world, grant).await;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].0, format!("expiry:{grant}"));
    let paid = sqlx::query_scalar!(
        r#"SELECT sum(ticks)::bigint AS "paid!" FROM transfers WHERE kind = 'usage' AND debit_id = $1"#,
        grant.0
    );
    let paid = paid.fetch_one(testing::pool(&world.backend)).await.unwrap();
    assert_eq!(i128::from(first[0].1 + paid), DOLLAR.get());
    let whole = i64::try_from(DOLLAR.get()).unwrap();
    let idle_expiry = (format!("expiry:{unused}"), whole);
    assert_eq!(
        expiries(&world, unused).await,
        [idle_expiry],
        "an account that never ran too"
    );

    // It had ended long before: what it did not cost comes back to the ended grant, and ends there again.
    let late = event(
        &world,
        account.0,
        "runlong",
        Kind::Destroyed,
        4 * HOUR_MS + 1_800_000,
    );
    world.control().append(vec![late]).unwrap();
    world.meter().await;
    let again = expiries(&world, grant).await;
    assert_eq!(again.len(), 2);
    assert_eq!(again[1].0, format!("expiry:{grant}:1"));
    world.meter().await;
    assert_eq!(expiries(&world, grant).await, again);
    let left = sqlx::query_scalar!(
        r#"SELECT (credit_ticks - debit_ticks)::bigint AS "left!" FROM ledger_accounts WHERE ledger_account_id = $1"#,
        grant.0
    );
    assert_eq!(
        left.fetch_one(testing::pool(&world.backend)).await.unwrap(),
        0
    );
}
