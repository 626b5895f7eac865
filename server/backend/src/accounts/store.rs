//! Accounts, memberships and acceptances.

use domain::document::Document;
use domain::id::{AcceptanceId, AccountId, UserId};
use domain::role::Role;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;

pub(crate) async fn insert(
    db: &mut PgConnection,
    account_id: AccountId,
    name: &str,
    region: &str,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO accounts (account_id, name, region, created_at) VALUES ($1, $2, $3, $4)",
        account_id.0,
        name,
        region,
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

/// Accounts of one person that are looked at, and of which they are the owner.
const ACCOUNTS_MAX: i64 = 100;
const OWNED_MAX: usize = 10;

/// The accounts a person owns, at most ten: what a confirmation of their address activates. The directory knows which
/// accounts are theirs; what they are in one, only that account's cell knows.
pub(crate) async fn owned_by(
    db: &mut PgConnection,
    user_id: UserId,
) -> Result<Vec<AccountId>, Broken> {
    let accounts = sqlx::query_scalar!(
        "SELECT account_id FROM user_accounts WHERE user_id = $1 ORDER BY joined_at, account_id LIMIT $2",
        user_id.0,
        ACCOUNTS_MAX
    )
    .fetch_all(&mut *db)
    .await?;
    let mut owned = Vec::new();
    for account_id in accounts {
        let owner = sqlx::query!(
            "SELECT 1 AS one FROM memberships WHERE account_id = $1 AND user_id = $2 AND role = 'owner'",
            account_id,
            user_id.0
        );
        if owned.len() < OWNED_MAX && owner.fetch_optional(&mut *db).await?.is_some() {
            owned.push(account_id.into());
        }
    }
    Ok(owned)
}

/// Activates an account and gives the state to push its next generation; `None` when it is active already.
pub(crate) async fn activate(
    db: &mut PgConnection,
    account_id: AccountId,
    now: OffsetDateTime,
) -> Result<Option<i64>, Broken> {
    Ok(sqlx::query_scalar!(
        "UPDATE accounts SET activated_at = $2, generation = generation + 1
         WHERE account_id = $1 AND activated_at IS NULL RETURNING generation",
        account_id.0,
        now
    )
    .fetch_optional(db)
    .await?)
}

/// What the orchestrator is told of an account.
pub(super) struct TenantRow {
    /// Number of this state.
    pub generation: i64,
    /// Past this moment nothing of it runs; none while no end is in sight.
    pub run_until: Option<OffsetDateTime>,
}

/// The state to push; `None` for an account that is not active.
pub(super) async fn tenant(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Option<TenantRow>, Broken> {
    Ok(sqlx::query_as!(
        TenantRow,
        "SELECT generation, run_until FROM accounts WHERE account_id = $1 AND activated_at IS NOT NULL",
        account_id.0
    )
    .fetch_optional(db)
    .await?)
}

/// Moves the moment past which nothing of the account runs, and gives the state to push its next generation.
pub(crate) async fn set_run_until(
    db: &mut PgConnection,
    account_id: AccountId,
    run_until: Option<OffsetDateTime>,
) -> Result<i64, Broken> {
    Ok(sqlx::query_scalar!(
        "UPDATE accounts SET run_until = $2, generation = generation + 1 WHERE account_id = $1 RETURNING generation",
        account_id.0,
        run_until
    )
    .fetch_one(db)
    .await?)
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
