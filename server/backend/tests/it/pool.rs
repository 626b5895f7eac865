//! Connections are used again, but never with a transaction that somebody left open.

use std::collections::BTreeSet;

use backend::testing;
use sqlx::{Connection as _, Executor as _, PgPool};

use crate::world::World;

async fn backend_pid(pool: &PgPool) -> i32 {
    let pid = sqlx::query_scalar!(r#"SELECT pg_backend_pid() AS "pid!""#);
    pid.fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn free_connections_are_used_again(pool: PgPool) {
    let world = World::new(pool).await;
    let pool = testing::pool(&world.backend);
    let mut pids = BTreeSet::new();
    for _ in 0..50 {
        pids.insert(backend_pid(pool).await);
    }
    // Several are open and take turns; none is closed after a use, for opening one costs more than most pages.
    let most = usize::try_from(pool.options().get_max_connections()).unwrap();
    assert!(pids.len() <= most, "{}", pids.len());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_connection_with_an_open_transaction_is_not(pool: PgPool) {
    let world = World::new(pool).await;
    let pool = testing::pool(&world.backend);
    let mut db = pool.acquire().await.unwrap();
    // Behind the back of sqlx, as a dropped BEGIN leaves it.
    db.execute("BEGIN").await.unwrap();
    assert!(!db.is_in_transaction());
    let left = sqlx::query_scalar!(r#"SELECT pg_backend_pid() AS "pid!""#)
        .fetch_one(&mut *db)
        .await
        .unwrap();
    drop(db);
    assert_ne!(backend_pid(pool).await, left);
}
