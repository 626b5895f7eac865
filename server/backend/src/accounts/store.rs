//! Accounts, memberships and acceptances.

use domain::document::Document;
use domain::forecast::Cause;
use domain::id::{AcceptanceId, AccountId, UserId};
use domain::role::Role;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;

/// The number of the first state of an account that the orchestrator is told.
pub(crate) const FIRST_GENERATION: i64 = 1;

pub(crate) async fn insert(
    db: &mut PgConnection,
    account_id: AccountId,
    name: &str,
    region: &str,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO accounts (account_id, name, region, generation, created_at) VALUES ($1, $2, $3, $4, $5)",
        account_id.0,
        name,
        region,
        FIRST_GENERATION,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Joins a person to an account: the directory leads from the person to it, the membership says as what.
pub(crate) async fn insert_membership(
    db: &mut PgConnection,
    account_id: AccountId,
    user_id: UserId,
    role: Role,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO memberships (account_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)",
        account_id.0,
        user_id.0,
        role.as_str(),
        now
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "INSERT INTO user_accounts (user_id, account_id, joined_at) VALUES ($1, $2, $3)",
        user_id.0,
        account_id.0,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) struct Acceptance<'a> {
    pub acceptance_id: AcceptanceId,
    pub account_id: AccountId,
    pub user_id: UserId,
    pub document: Document,
    pub version: &'a str,
}

pub(crate) async fn insert_acceptance(
    db: &mut PgConnection,
    acceptance: &Acceptance<'_>,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO acceptances (account_id, acceptance_id, user_id, document, version, accepted_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        acceptance.account_id.0, acceptance.acceptance_id.0, acceptance.user_id.0,
        acceptance.document.as_str(), acceptance.version, now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What the orchestrator is told of an account.
pub(super) struct TenantRow {
    /// Number of this state.
    pub generation: i64,
    /// Past this moment nothing of it runs; none while no end is in sight.
    pub run_until: Option<OffsetDateTime>,
    /// What ends then.
    pub run_until_cause: Option<String>,
    /// What it is computed from; none before the first forecast.
    pub allowance: Option<serde_json::Value>,
}

/// The state to push; `None` when there is no such account.
pub(super) async fn tenant(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Option<TenantRow>, Broken> {
    Ok(sqlx::query_as!(
        TenantRow,
        "SELECT generation, run_until, run_until_cause, allowance FROM accounts WHERE account_id = $1",
        account_id.0
    )
    .fetch_optional(db)
    .await?)
}

/// What the orchestrator is told of the end of an account.
pub(crate) struct Told {
    /// Past this moment nothing runs, and what ends then.
    pub end: Option<(OffsetDateTime, Cause)>,
    /// What the end is computed from, as it travels. Stored with its generation, which must not be sent with other content.
    pub allowance: serde_json::Value,
    /// A hash of what the orchestrator cannot derive from an older allowance.
    pub basis: [u8; 32],
}

/// Moves the end of an account, and gives the state to push its next generation.
pub(crate) async fn tell(
    db: &mut PgConnection,
    account_id: AccountId,
    told: &Told,
) -> Result<i64, Broken> {
    let (run_until, cause) = told.end.unzip();
    Ok(sqlx::query_scalar!(
        "UPDATE accounts SET run_until = $2, run_until_cause = $3, allowance = $4, allowance_basis = $5,
                generation = generation + 1
         WHERE account_id = $1 RETURNING generation",
        account_id.0,
        run_until,
        cause.map(Cause::as_str),
        told.allowance,
        &told.basis
    )
    .fetch_one(db)
    .await?)
}

/// The same with the generation that activated the account, before anything of it was pushed.
pub(crate) async fn tell_first(
    db: &mut PgConnection,
    account_id: AccountId,
    told: &Told,
) -> Result<(), Broken> {
    let (run_until, cause) = told.end.unzip();
    sqlx::query!(
        "UPDATE accounts SET run_until = $2, run_until_cause = $3, allowance = $4, allowance_basis = $5
         WHERE account_id = $1 AND allowance IS NULL",
        account_id.0,
        run_until,
        cause.map(Cause::as_str),
        told.allowance,
        &told.basis
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Documents accepted for an account with version and time, newest first, at most twenty.
pub(super) async fn acceptances(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Vec<(String, String, OffsetDateTime)>, Broken> {
    let rows = sqlx::query!(
        "SELECT document, version, accepted_at FROM acceptances WHERE account_id = $1
         ORDER BY accepted_at DESC, document LIMIT 20",
        account_id.0
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.document, row.version, row.accepted_at))
        .collect())
}
