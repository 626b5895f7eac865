//! Every table is classed in docs/data-map.toml, and the catalogue is as the class says. A new table fails here until
//! somebody has decided whose it is, where it lives and what becomes of its rows when an account closes.

use std::collections::{BTreeMap, BTreeSet};

use backend::alerts::{calendar, recipients};
use backend::keys;
use sqlx::PgPool;

use super::{AtClosing, Group, map, migrations, repository};
use crate::world::World;

async fn names(pool: &PgPool, sql: &'static str) -> BTreeSet<String> {
    pairs(pool, sql)
        .await
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

/// Rows of two words.
async fn pairs(pool: &PgPool, sql: &'static str) -> Vec<(String, String)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "asks the catalogue, which the macros do not know"
    )]
    sqlx::query_as(sql).fetch_all(pool).await.unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_table_is_classed(pool: PgPool) {
    let sql = "SELECT table_name::text, '' FROM information_schema.tables
               WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'";
    let classed: BTreeSet<String> = map().into_keys().collect();
    assert_eq!(
        names(&pool, sql).await,
        classed,
        "left: the database, right: docs/data-map.toml, which says in its head what to write"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_class_fits_the_columns(pool: PgPool) {
    let tables = map();
    let sql = "SELECT DISTINCT table_name::text, '' FROM information_schema.columns
               WHERE table_schema = 'public' AND column_name IN ('account_id', 'user_id')";
    let owned = names(&pool, sql).await;
    for (name, table) in &tables {
        assert_eq!(
            owned.contains(name),
            !matches!(table.at_closing, AtClosing::None | AtClosing::Expires),
            "{name} is {:?}",
            table.at_closing
        );
    }
    let sql = "SELECT DISTINCT table_name::text, '' FROM information_schema.columns
               WHERE table_schema = 'public' AND column_name IN ('email', 'canonical', 'password_hash', 'user_id', 'actor_id')";
    for name in names(&pool, sql).await {
        let class = tables.get(&name).map(|table| table.at_closing);
        let goes = matches!(class, Some(AtClosing::Deleted | AtClosing::Expires));
        assert!(goes, "{name} is about a person: {class:?}");
    }
    for (name, table) in &tables {
        let owner = repository().join("server/backend/src").join(&table.owner);
        assert!(
            owner.is_dir() || owner.with_extension("rs").is_file(),
            "{name}: nothing is called {}",
            table.owner
        );
        assert!(
            !table.tenant || table.group == Group::Cell,
            "{name} is of an account, so it is in a cell"
        );
    }
}

/// Each migration says in its first line which group it makes, so that a database of one group is made by its files.
#[test]
fn a_migration_makes_tables_of_one_group() {
    let tables = map();
    let migrations = migrations();
    let is_dropped = |name: &str| {
        let dropped = format!("DROP TABLE {name};");
        migrations
            .iter()
            .any(|(_, text)| text.lines().any(|line| line == dropped))
    };
    for (file, text) in &migrations {
        let said = [
            ("-- Directory.", Group::Directory),
            ("-- Cell.", Group::Cell),
        ]
        .into_iter()
        .find(|(word, _)| text.starts_with(word))
        .map(|(_, group)| group);
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("CREATE TABLE ") else {
                continue;
            };
            let name = rest.split_whitespace().next().unwrap();
            if is_dropped(name) {
                continue;
            }
            let group = tables.get(name).map(|table| table.group);
            assert_eq!(said, group, "{name} in {file}");
        }
    }
}

const FOREIGN_KEYS: &str =
    "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
     WHERE contype = 'f' AND connamespace = 'public'::regnamespace";

#[sqlx::test(migrations = "../../migrations")]
async fn no_foreign_key_leads_from_one_group_to_the_other(pool: PgPool) {
    let tables = map();
    for (from, to) in pairs(&pool, FOREIGN_KEYS).await {
        assert_eq!(
            tables[&from].group, tables[&to].group,
            "{from} refers to {to}: a bare id is all that one group knows of the other"
        );
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_of_the_cell_refers_to_no_account(pool: PgPool) {
    let tables = map();
    for (from, to) in pairs(&pool, FOREIGN_KEYS).await {
        assert!(
            tables[&from].tenant || !tables[&to].tenant,
            "{from} is not of an account and refers to {to}, which is"
        );
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn account_id_leads_every_key_of_an_accounts_table(pool: PgPool) {
    let sql = "SELECT i.indrelid::regclass::text, a.attname::text FROM pg_index AS i
               JOIN pg_class AS t ON t.oid = i.indrelid AND t.relnamespace = 'public'::regnamespace
               LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
               WHERE i.indisunique OR i.indisprimary OR i.indisexclusion";
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, first) in pairs(&pool, sql).await {
        keys.entry(table).or_default().push(first);
    }
    for (name, table) in map() {
        let firsts = keys.remove(&name).unwrap_or_default();
        assert!(!firsts.is_empty(), "{name} has no key");
        let leads = firsts.iter().all(|first| first == "account_id");
        assert!(
            leads || !table.tenant,
            "{name} has a key that begins with another column: {firsts:?}"
        );
    }
}

/// What each trigger that calls `refuse_change` fires at, in the bits of `pg_trigger.tgtype`.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_append_only_has_two_triggers(pool: PgPool) {
    const DELETE: i32 = 8;
    const UPDATE: i32 = 16;
    const TRUNCATE: i32 = 32;
    let sql = "SELECT tgrelid::regclass::text, (tgtype & 56)::text FROM pg_trigger
               WHERE NOT tgisinternal AND tgfoid = 'refuse_change'::regproc";
    let mut guards: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    for (table, events) in pairs(&pool, sql).await {
        guards
            .entry(table)
            .or_default()
            .insert(events.parse().unwrap());
    }
    let found: BTreeMap<String, BTreeSet<i32>> = map()
        .into_iter()
        .filter(|(_, table)| table.append_only)
        .map(|(name, _)| {
            // A price may be ended, which a trigger of its own watches.
            let changes = if name == "prices" {
                DELETE
            } else {
                UPDATE | DELETE
            };
            (name, BTreeSet::from([changes, TRUNCATE]))
        })
        .collect();
    assert_eq!(
        guards, found,
        "left: the triggers, right: docs/data-map.toml"
    );
}

/// Rows of the directory that stand for no row of the cell, or the other way round.
async fn astray(pool: &PgPool) -> i64 {
    let count = sqlx::query_scalar!(
        r#"SELECT (SELECT count(*) FROM user_accounts AS d FULL JOIN memberships AS c
                       ON c.account_id = d.account_id AND c.user_id = d.user_id
                   WHERE c.user_id IS NULL OR d.user_id IS NULL)
                + (SELECT count(*) FROM key_hashes AS d FULL JOIN keys AS c
                       ON c.account_id = d.account_id AND c.key_id = d.key_id
                   WHERE c.sha256 IS DISTINCT FROM d.sha256)
                + (SELECT count(*) FROM token_accounts AS d FULL JOIN (
                       SELECT 'recipient' AS kind, account_id, token_sha256 FROM alert_recipients
                       WHERE token_sha256 IS NOT NULL
                       UNION ALL SELECT 'calendar', account_id, token_sha256 FROM calendars WHERE revoked_at IS NULL) AS c
                       ON c.token_sha256 = d.sha256 AND c.kind = d.kind AND c.account_id = d.account_id
                   WHERE c.kind IS NULL OR d.kind IS NULL) AS "count!""#
    );
    count.fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_directory_leads_to_what_the_cell_holds(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let (backend, owner) = (&world.backend, &world.owner);
    keys::create(backend, &ada, "laptop").await.unwrap();
    recipients::add(backend, &ada, "bob@example.org")
        .await
        .unwrap();
    calendar::create(backend, &ada).await.unwrap();
    world.work().await;
    let links = || async {
        let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM token_accounts"#);
        count.fetch_one(owner).await.unwrap()
    };
    assert_eq!((links().await, astray(owner).await), (2, 0));
    calendar::revoke(backend, &ada).await.unwrap();
    assert_eq!((links().await, astray(owner).await), (1, 0));
    let bob =
        sqlx::query_scalar!("SELECT recipient_id FROM alert_recipients WHERE email IS NOT NULL");
    let bob = bob.fetch_one(owner).await.unwrap();
    recipients::remove(backend, &ada, bob.into()).await.unwrap();
    assert_eq!((links().await, astray(owner).await), (0, 0));
    // A second link after the first was revoked.
    calendar::create(backend, &ada).await.unwrap();
    assert_eq!((links().await, astray(owner).await), (1, 0));
}
