//! A database that these migrations did not make is refused with a sentence that says what to do, and stays as it is.

use backend::{Backend, testing};
use sqlx::{ConnectOptions as _, Executor as _, PgPool};

/// What `migrate` says of the database after a change to the record of what was applied to it.
async fn said_after(pool: &PgPool, change: &'static str) -> String {
    pool.execute(change).await.unwrap();
    let mut settings = testing::settings("http://127.0.0.1:9", "smtp://127.0.0.1:9").unwrap();
    settings.database_url = pool.connect_options().to_url_lossy().to_string().into();
    let outcome = Backend::migrate(&settings).await;
    outcome
        .err()
        .map_or_else(String::new, |broken| broken.to_string())
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_database_of_an_earlier_layout_is_told_to_begin_anew(pool: PgPool) {
    let again = said_after(&pool, "SELECT 1").await;
    assert_eq!(again, "", "what is up to date stays so");
    for change in [
        // The first layout had eleven files, each with the number of another one of today.
        "DELETE FROM _sqlx_migrations WHERE version > 11; UPDATE _sqlx_migrations SET checksum = sha256('before')",
        "INSERT INTO _sqlx_migrations SELECT 0, 'before', installed_on, success, checksum, execution_time
         FROM _sqlx_migrations WHERE version = 1",
    ] {
        let said = said_after(&pool, change).await;
        assert!(said.contains("earlier layout of the schema"), "{said}");
        assert!(said.contains("make clean") && said.contains("make run"), "{said}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_database_of_a_later_program_is_told_to_run_that_one(pool: PgPool) {
    let later = "INSERT INTO _sqlx_migrations SELECT 9999, 'after', installed_on, success, checksum, execution_time
                 FROM _sqlx_migrations WHERE version = 1";
    let said = said_after(&pool, later).await;
    assert!(said.contains("later version of this program"), "{said}");
    assert!(!said.contains("make clean"), "{said}");
}
