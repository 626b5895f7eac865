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
        "UPDATE keys AS k SET last_used_at = greatest(k.last_used_at, used.at)
         FROM (SELECT account_id, key_id, max(at) AS at FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
                    AS u (account_id, key_id, at) GROUP BY account_id, key_id) AS used
         WHERE k.account_id = used.account_id AND k.key_id = used.key_id",
        &accounts,
        &keys,
        &times
    )
    .execute(db)
    .await?;
    Ok(())
}
