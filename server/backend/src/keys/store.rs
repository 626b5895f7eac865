//! API keys by account. The key text is nowhere; its hash decides uniqueness in `key_hashes`.

use domain::ceilings::{KEYS_PER_ACCOUNT_MAX, PAGE_ROWS};
use domain::id::{AccountId, KeyId, UserId};
use domain::name::Name;
use domain::search::Search;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;

pub(super) struct NewKey<'a> {
    pub key_id: KeyId,
    pub account_id: AccountId,
    pub name: &'a Name,
    pub region: &'a str,
    /// Twelve characters.
    pub public_id: &'a str,
    /// For recognising it in a list.
    pub last_four: &'a str,
    /// SHA-256 of the whole text.
    pub sha256: [u8; 32],
    pub created_by: UserId,
}

/// Inserts a key and claims its hash.
pub(super) async fn insert(
    db: &mut PgConnection,
    key: &NewKey<'_>,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO key_hashes (sha256, account_id, key_id) VALUES ($1, $2, $3)",
        &key.sha256,
        key.account_id.0,
        key.key_id.0
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "INSERT INTO keys (account_id, key_id, name, region, public_id, last_four, sha256, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        key.account_id.0, key.key_id.0, key.name.as_str(), key.region, key.public_id, key.last_four,
        &key.sha256, key.created_by.0, now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Serialises the changes to an account's keys, so that a count holds until the commit.
pub(super) async fn lock(db: &mut PgConnection, account_id: AccountId) -> Result<(), Broken> {
    sqlx::query!(
        "SELECT 1 AS one FROM accounts WHERE account_id = $1 FOR NO KEY UPDATE",
        account_id.0
    )
    .fetch_optional(db)
    .await?;
    Ok(())
}

/// The names of the live keys, which are all there may be.
pub(super) async fn live_names(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Vec<String>, Broken> {
    let names = sqlx::query_scalar!(
        "SELECT name FROM keys WHERE account_id = $1 AND revoked_at IS NULL ORDER BY key_id LIMIT $2",
        account_id.0,
        i64::try_from(KEYS_PER_ACCOUNT_MAX)?
    );
    Ok(names.fetch_all(db).await?)
}

/// Revokes a key; false when there is no such live key in the account.
pub(super) async fn revoke(
    db: &mut PgConnection,
    account_id: AccountId,
    key_id: KeyId,
    now: OffsetDateTime,
) -> Result<bool, Broken> {
    let done = sqlx::query!(
        "UPDATE keys SET revoked_at = $3 WHERE account_id = $1 AND key_id = $2 AND revoked_at IS NULL",
        account_id.0, key_id.0, now
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) struct KeyRow {
    pub key_id: KeyId,
    pub name: String,
    pub region: String,
    /// Twelve characters.
    pub public_id: String,
    pub last_four: String,
    pub created_by: UserId,
    pub creator_email: String,
    pub created_at: OffsetDateTime,
    /// When a sandbox was last created with it.
    pub last_used_at: Option<OffsetDateTime>,
    pub revoked_at: Option<OffsetDateTime>,
    /// When the orchestrator accepted it.
    pub pushed_at: Option<OffsetDateTime>,
}

/// One page of keys, newest first, or one key when `only` is given; one row more than a page tells that more follow. A search
/// finds a name that has it, an id or the text of a key that begins with it, and the last four signs of a key.
pub(super) async fn list(
    db: &mut PgConnection,
    account_id: AccountId,
    only: Option<KeyId>,
    search: Option<&Search>,
    after: Option<(OffsetDateTime, KeyId)>,
) -> Result<Vec<KeyRow>, Broken> {
    let (at, id) = after.unzip();
    let rows = sqlx::query_as!(
        KeyRow,
        r#"SELECT k.key_id, k.name, k.region, k.public_id, k.last_four, k.created_by, u.email AS creator_email, k.created_at,
                used.last_used_at AS "last_used_at?", k.revoked_at, k.pushed_at
         FROM keys AS k JOIN users AS u ON u.user_id = k.created_by
         LEFT JOIN key_uses AS used ON used.account_id = $1 AND used.key_id = k.key_id
         WHERE k.account_id = $1 AND ($2::uuid IS NULL OR k.key_id = $2)
           AND ($3::timestamptz IS NULL OR (k.created_at, k.key_id) < ($3, $4))
           AND ($6::text IS NULL OR k.name ILIKE $6 OR k.key_id::text ILIKE $7 OR k.last_four = $8
                OR 'sk_live_' || k.region || '_' || k.public_id LIKE $7)
         ORDER BY k.created_at DESC, k.key_id DESC LIMIT $5"#,
        account_id.0, only.map(|id| id.0), at, id.map(|id| id.0), PAGE_ROWS + 1,
        search.map(Search::inside), search.map(Search::start), search.map(Search::as_str)
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// What the orchestrator is told of a key.
pub(super) struct PushRow {
    /// SHA-256 of the whole text.
    pub sha256: Vec<u8>,
    pub region: String,
    /// Revoked keys are not pushed any more.
    pub is_revoked: bool,
}

pub(super) async fn for_push(
    db: &mut PgConnection,
    account_id: AccountId,
    key_id: KeyId,
) -> Result<Option<PushRow>, Broken> {
    let row = sqlx::query!(
        "SELECT sha256, region, revoked_at FROM keys WHERE account_id = $1 AND key_id = $2",
        account_id.0,
        key_id.0
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| PushRow {
        sha256: row.sha256,
        region: row.region,
        is_revoked: row.revoked_at.is_some(),
    }))
}

pub(super) async fn mark_pushed(
    db: &mut PgConnection,
    account_id: AccountId,
    key_id: KeyId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE keys SET pushed_at = coalesce(pushed_at, $3) WHERE account_id = $1 AND key_id = $2",
        account_id.0,
        key_id.0,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn mark_removed(
    db: &mut PgConnection,
    account_id: AccountId,
    key_id: KeyId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE keys SET removed_at = coalesce(removed_at, $3) WHERE account_id = $1 AND key_id = $2",
        account_id.0, key_id.0, now
    )
    .execute(db)
    .await?;
    Ok(())
}
