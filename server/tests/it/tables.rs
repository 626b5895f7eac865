//! Every table says what becomes of its rows when an account closes. A new one fails here until somebody has decided.

use std::collections::BTreeSet;

use backend::testing;
use sqlx::PgPool;

use crate::world::World;

/// What becomes of the rows of an account when it is purged (decisions.md 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtClosing {
    /// Deleted with the person or the account.
    Deleted,
    /// Kept for seven years, without a person behind it.
    Archived,
    /// Kept as an empty row: what others point to, with nothing about a person.
    Emptied,
    /// Not about any account.
    NotOfAnAccount,
}

use AtClosing::{Archived, Deleted, Emptied, NotOfAnAccount};

const TABLES: &[(&str, AtClosing)] = &[
    ("acceptances", Deleted),
    ("account_months", Archived),
    ("accounts", Emptied),
    ("alert_deliveries", Deleted),
    ("alert_recipients", Deleted),
    ("alert_settings", Deleted),
    ("alerts", Deleted),
    ("audit_events", Deleted),
    ("calendars", Deleted),
    ("cohorts", Archived),
    ("feed_cursors", NotOfAnAccount),
    ("feed_events", Deleted),
    ("feed_log", Deleted),
    ("findings", Deleted),
    ("grants", Archived),
    ("incidents", Archived),
    ("intervals", Deleted),
    ("jobs", Deleted),
    ("key_hashes", Deleted),
    ("keys", Deleted),
    ("ledger_accounts", Archived),
    ("ledger_days", NotOfAnAccount),
    ("mails", Deleted),
    ("memberships", Deleted),
    ("meters", Deleted),
    ("months", NotOfAnAccount),
    ("news", Deleted),
    ("outlooks", Deleted),
    ("price_bindings", Archived),
    ("price_notices", Archived),
    ("prices", NotOfAnAccount),
    ("sandboxes", Deleted),
    ("schedules", NotOfAnAccount),
    ("sessions", Deleted),
    ("slices", Archived),
    ("spending_limits", Deleted),
    ("transfers", Archived),
    ("usage_days", Archived),
    ("usage_hours", Archived),
    ("user_emails", Deleted),
    ("users", Deleted),
    ("verifications", Deleted),
    ("webhooks", Deleted),
];

async fn names(world: &World, sql: &'static str) -> BTreeSet<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "asks the catalogue, which the macros do not know"
    )]
    let names: Vec<String> = sqlx::query_scalar(sql)
        .fetch_all(testing::pool(&world.backend))
        .await
        .unwrap();
    names.into_iter().collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn every_table_is_classed(pool: PgPool) {
    let world = World::new(pool).await;
    let sql = "SELECT table_name::text FROM information_schema.tables
               WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'";
    let found = names(&world, sql).await;
    let classed: BTreeSet<String> = TABLES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found, classed);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_class_fits_the_columns(pool: PgPool) {
    let world = World::new(pool).await;
    let sql = "SELECT DISTINCT table_name::text FROM information_schema.columns
               WHERE table_schema = 'public' AND column_name IN ('account_id', 'user_id')";
    let owned = names(&world, sql).await;
    for (name, class) in TABLES {
        assert_eq!(
            owned.contains(*name),
            *class != NotOfAnAccount,
            "{name} is {class:?}"
        );
    }
    let sql = "SELECT DISTINCT table_name::text FROM information_schema.columns
               WHERE table_schema = 'public' AND column_name IN ('email', 'canonical', 'password_hash', 'user_id', 'actor_id')";
    for name in names(&world, sql).await {
        let class = TABLES
            .iter()
            .find(|(table, _)| **table == name)
            .map(|(_, class)| *class);
        assert_eq!(class, Some(Deleted), "{name} is about a person");
    }
}
