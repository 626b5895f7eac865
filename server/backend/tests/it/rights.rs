//! The rights of the application (invariant 19): what is booked cannot be changed by what serves requests, though every
//! trigger were gone; and what it must do, it may.

use backend::testing;
use sqlx::{Executor as _, PgPool};

use crate::checks::busy;

/// Tables to which the application may add and nothing else.
const APPEND_ONLY: [(&str, &str); 12] = [
    ("transfers", "ticks = ticks + 1"),
    ("feed_log", "seq = seq + 1"),
    ("feed_events", "vcpus = 1"),
    ("prices", "vcpu_hour_microusd = 0"),
    ("price_bindings", "sku = 'free'"),
    ("price_notices", "told_at = now()"),
    ("audit_events", "action = ''"),
    ("months", "is_forced = true"),
    ("account_months", "usage_ticks = 0"),
    ("ledger_days", "ticks = 0"),
    ("acceptances", "version = '2020-01-01'"),
    ("alerts", "raised_at = now()"),
];

/// Tables of which the application may change these columns and no other, and remove nothing: each is proof but for what
/// moves.
const MOVES: [(&str, &[&str]); 2] = [
    ("grants", &["amount_ticks", "expiries"]),
    ("ledger_accounts", &["credit_ticks", "debit_ticks"]),
];

async fn refused(pool: &PgPool, sql: String) -> String {
    let outcome = pool.execute(sqlx::AssertSqlSafe(sql.clone())).await;
    let code = outcome.err().and_then(|error| {
        let database = error.as_database_error()?;
        database.code().map(std::borrow::Cow::into_owned)
    });
    code.unwrap_or_else(|| format!("{sql} was done"))
}

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_append_only_can_be_changed_even_without_triggers(pool: PgPool) {
    let world = busy(pool).await;
    let app = testing::pool(&world.backend);
    for (table, change) in APPEND_ONLY {
        let triggers_off = format!("ALTER TABLE {table} DISABLE TRIGGER ALL");
        world
            .owner
            .execute(sqlx::AssertSqlSafe(triggers_off))
            .await
            .unwrap();
        for sql in [
            format!("UPDATE {table} SET {change}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
        ] {
            assert_eq!(refused(app, sql.clone()).await, "42501", "{sql}");
        }
        let read = format!("SELECT * FROM {table} LIMIT 1");
        app.execute(sqlx::AssertSqlSafe(read)).await.unwrap();
    }
    for sql in [
        "SET session_replication_role = replica",
        "CREATE TABLE mine (x int)",
        "CREATE ROLE other",
    ] {
        assert_eq!(refused(app, sql.to_owned()).await, "42501", "{sql}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_pool_works_as_the_application_and_comes_back_to_it(pool: PgPool) {
    let world = crate::world::World::new(pool).await;
    let mut db = testing::pool(&world.backend).acquire().await.unwrap();
    db.execute("RESET ROLE").await.unwrap();
    let role = sqlx::query_scalar!(r#"SELECT current_user::text AS "role!""#);
    assert_eq!(role.fetch_one(&mut *db).await.unwrap(), "isorun_app");
    let owner = sqlx::query_scalar!(r#"SELECT current_user::text AS "role!""#);
    assert_ne!(owner.fetch_one(&world.owner).await.unwrap(), "isorun_app");
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_table_has_its_rights(pool: PgPool) {
    let rows = sqlx::query!(
        r#"SELECT c.relname::text AS "name!", has_table_privilege('isorun_app', c.oid, 'SELECT')
                      AND has_table_privilege('isorun_app', c.oid, 'INSERT') AS "adds!",
                  has_table_privilege('isorun_app', c.oid, 'UPDATE')
                      OR has_table_privilege('isorun_app', c.oid, 'DELETE') AS "changes!",
                  has_table_privilege('isorun_app', c.oid, 'TRUNCATE') AS "empties!",
                  EXISTS (SELECT 1 FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
                          WHERE t.tgrelid = c.oid AND p.proname = 'refuse_change') AS "guarded!"
           FROM pg_class AS c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"#
    );
    for row in rows.fetch_all(&pool).await.unwrap() {
        let append_only = APPEND_ONLY.iter().any(|(name, _)| *name == row.name);
        let moves = MOVES.iter().any(|(name, _)| *name == row.name);
        let migrations = row.name == "_sqlx_migrations";
        let free = !append_only && !moves && !migrations;
        assert_eq!(row.changes, free, "{}", row.name);
        assert_eq!(
            row.guarded, append_only,
            "{}: trigger and right go together",
            row.name
        );
        assert!(row.adds != migrations && !row.empties, "{}", row.name);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_credit_that_was_given_only_what_moves_can_be_changed(pool: PgPool) {
    let world = busy(pool).await;
    let app = testing::pool(&world.backend);
    for (table, moves) in MOVES {
        let columns = sqlx::query_scalar!(
            r#"SELECT a.attname::text AS "name!" FROM pg_attribute AS a
               WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attname"#,
            table
        );
        let columns = columns.fetch_all(&world.owner).await.unwrap();
        let mut free = Vec::new();
        for column in &columns {
            let sql = format!("UPDATE {table} SET {column} = {column} WHERE false");
            if refused(app, sql).await != "42501" {
                free.push(column.as_str());
            }
        }
        assert_eq!(free, moves, "{table}");
        let sql = format!("DELETE FROM {table}");
        assert_eq!(refused(app, sql).await, "42501", "{table}");
    }
}
