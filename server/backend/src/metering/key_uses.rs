//! When each key was last used to create a sandbox, as the feed tells it.

use domain::id::{AccountId, KeyId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::failure::Broken;

/// Notes when keys of these accounts were last used to create a sandbox.
pub(super) async fn note(
    db: &mut PgConnection,
    uses: &[(AccountId, KeyId, OffsetDateTime)],
) -> Result<(), Broken> {
    let accounts: Vec<Uuid> = uses.iter().map(|(account_id, ..)| account_id.0).collect();
    let keys: Vec<Uuid> = uses.iter().map(|(_, key_id, _)| key_id.0).collect();
    let times: Vec<OffsetDateTime> = uses.iter().map(|(.., at)| *at).collect();
    sqlx::query!(
        "INSERT INTO key_uses AS k (account_id, key_id, last_used_at)
         SELECT account_id, key_id, max(at) FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
              AS u (account_id, key_id, at) GROUP BY account_id, key_id ORDER BY account_id, key_id
         ON CONFLICT ON CONSTRAINT key_uses_pkey DO UPDATE SET last_used_at = greatest(k.last_used_at, excluded.last_used_at)",
        &accounts,
        &keys,
        &times
    )
    .execute(db)
    .await?;
    Ok(())
}
