//! The computed future of each account: when it is due to be computed again, and what came out.
//! The computing is `domain::outlook`'s; who is told of it is `service::outlook`'s.

use domain::id::AccountId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::failure::Broken;

/// Has the outlook of these accounts computed again at once, in the transaction of what changed it.
pub async fn touch(db: &mut PgConnection, accounts: &[AccountId]) -> Result<(), Broken> {
    let ids: Vec<Uuid> = accounts.iter().map(|id| id.0).collect();
    sqlx::query!(
        "INSERT INTO outlooks (account_id, due_at)
         SELECT id, '-infinity'::timestamptz FROM unnest($1::uuid[]) AS u (id) ORDER BY id
         ON CONFLICT ON CONSTRAINT outlooks_pkey DO UPDATE SET due_at = excluded.due_at",
        &ids
    )
    .execute(db)
    .await?;
    Ok(())
}
