//! Marks forecasts as stale in the transaction of what changed them. Below the subjects, because nearly all of them call it;
//! computing a forecast is `forecast`'s.

use domain::id::AccountId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::failure::Broken;

/// Has the forecast of these accounts computed again at once, in the transaction of what changed it.
pub(crate) async fn mark_stale(
    db: &mut PgConnection,
    accounts: &[AccountId],
) -> Result<(), Broken> {
    let ids: Vec<Uuid> = accounts.iter().map(|id| id.0).collect();
    sqlx::query!(
        "INSERT INTO forecasts (account_id, due_at)
         SELECT id, '-infinity'::timestamptz FROM unnest($1::uuid[]) AS u (id) ORDER BY id
         ON CONFLICT ON CONSTRAINT forecasts_pkey DO UPDATE SET due_at = excluded.due_at",
        &ids
    )
    .execute(db)
    .await?;
    Ok(())
}
