//! The database for all subjects: the pool, migrations, and how amounts and moments are read and written. SQL is each
//! subject's own, in its `store`; a row that makes no sense becomes `Broken`.

use std::time::Duration;

use domain::moment::Moment;
use domain::money::Ticks;
use rust_decimal::Decimal;
use secrecy::ExposeSecret as _;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool, Row as _};
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::settings::Settings;

/// The embedded migrations.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// The role that the application works as: it may add to the ledger, the feed, prices and closed months, and change none
/// of them (migrations/0019_rights.sql). Who logs in and migrates owns the tables; what serves requests does not.
const ROLE: &str = "isorun_app";

/// Opens the pool. Every wait is bounded: 2 s for a connection, 5 s for a statement, 2 s for a lock.
/// The schema must be up to date: before it the role does not exist.
pub(crate) async fn open(settings: &Settings) -> Result<PgPool, Broken> {
    let options: PgConnectOptions = settings.database_url.expose_secret().parse()?;
    let options = as_application(options.application_name("isorun-dashboard")).options([
        ("statement_timeout", "5000"),
        ("lock_timeout", "2000"),
        ("idle_in_transaction_session_timeout", "30000"),
        // No statement here runs long enough to be worth compiling, which takes 200 ms.
        ("jit", "off"),
    ]);
    let pool = pool_options(settings).acquire_timeout(Duration::from_secs(2));
    Ok(pool.connect_with(options).await?)
}

/// A pool whose connections are looked at before each use, instead of the ping that sqlx would send. When the future that
/// begins a transaction is dropped halfway (a request's deadline, a lost lease), sqlx 0.9 puts the connection back with the
/// transaction open and does not know it: what is written there next would never be committed, and its locks never freed.
/// Outside a transaction both functions tell the same time; a connection on which they differ is closed. They are asked in
/// one message of the simple protocol: in the extended one the transaction begins with a message of its own, earlier.
pub(crate) fn pool_options(settings: &Settings) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(settings.pool_size)
        .test_before_acquire(false)
        .before_acquire(|db, _| {
            Box::pin(async move {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the macros speak the extended protocol only"
                )]
                let row = sqlx::raw_sql("SELECT statement_timestamp() = transaction_timestamp()")
                    .fetch_one(db)
                    .await?;
                row.try_get(0)
            })
        })
}

/// The same login with the rights of the application only. Set while connecting rather than by a statement after it, so
/// `RESET ROLE` leads back to it too.
pub(crate) fn as_application(options: PgConnectOptions) -> PgConnectOptions {
    options.options([("role", ROLE)])
}

/// For the rest of a transaction that reaches many rows by their keys: each statement is planned for what it is given, and
/// no table is read whole. Statistics lag behind a table that is being filled; a plan made by them takes minutes there.
pub(crate) async fn expect_keys(db: &mut PgConnection) -> Result<(), Broken> {
    sqlx::query!(
        "SELECT set_config('plan_cache_mode', 'force_custom_plan', true) AS plans,
                set_config('enable_seqscan', 'off', true) AS scans"
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// Until it is called with `false`, or the transaction ends: a join looks up each row of one side in an index of the other,
/// and never reads a side whole to hash or sort it. Which side is looked up stays the planner's choice: good for one range of
/// an index per account, not for many pairs, which a table that outgrows its statistics turns around. A fence inside the
/// statement (`OFFSET 0`) would settle that too, and would keep a database over several machines from sending each account's
/// part to the machine that has it.
pub(crate) async fn join_by_keys(db: &mut PgConnection, only: bool) -> Result<(), Broken> {
    let others = if only { "off" } else { "on" };
    sqlx::query!(
        "SELECT set_config('enable_hashjoin', $1, true) AS hashes, set_config('enable_mergejoin', $1, true) AS merges",
        others
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// Brings the schema up to date on a connection of its own, with the rights of the login.
pub(crate) async fn migrate(settings: &Settings) -> Result<(), Broken> {
    let options: PgConnectOptions = settings.database_url.expose_secret().parse()?;
    let options = options.application_name("isorun-dashboard migrate");
    let connecting = PgConnection::connect_with(&options);
    let mut db = tokio::time::timeout(Duration::from_secs(2), connecting)
        .await
        .map_err(|_| sqlx::Error::PoolTimedOut)??;
    MIGRATOR.run(&mut db).await.map_err(unfit)?;
    Ok(db.close().await?)
}

/// Says what to do with a database that these migrations did not make. A landed migration never changes, so one that differs
/// is of the time before the first of them landed.
fn unfit(error: MigrateError) -> Broken {
    let newest = MIGRATOR.iter().map(|migration| migration.version).max();
    match error {
        MigrateError::VersionMissing(version) if Some(version) > newest => Broken::from(error).context(
            "this database was brought up to date by a later version of this program: start that one, or give \
             DATABASE_URL another database",
        ),
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => Broken::from(error).context(
            "this database was made by an earlier layout of the schema, and no migration leads from there to this one: \
             `make clean`, then `make run` (what it holds is deleted), or give DATABASE_URL an empty database",
        ),
        other => other.into(),
    }
}

/// Ticks from a `NUMERIC(38,0)` column.
pub(crate) fn ticks(value: Decimal) -> Result<Ticks, Broken> {
    let whole = value.normalize();
    if whole.scale() != 0 {
        return Err(Broken::new("a tick column holds a fraction"));
    }
    Ticks::new(whole.mantissa()).ok_or_else(|| Broken::new("a tick column is out of range"))
}

/// Ticks as a `NUMERIC`. `Decimal` holds 28 digits, which is 21 trillion dollars; beyond that an amount is a defect.
pub(crate) fn numeric(ticks: Ticks) -> Result<Decimal, Broken> {
    Ok(Decimal::try_from_i128_with_scale(ticks.get(), 0)?)
}

/// A column of times as a moment.
pub(crate) fn moment(at: OffsetDateTime) -> Moment {
    Moment::from(at)
}

/// True when `error` is the violation of the named constraint: the race-free way to say "already taken".
pub(crate) fn violates(error: &sqlx::Error, constraint: &str) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.constraint() == Some(constraint))
}
