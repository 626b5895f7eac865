//! The customer's own monthly limit. What counts against it is `usage::days`', whether it is reached `domain::forecast`'s.

use domain::id::AccountId;
use domain::money::Cents;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;

/// The limit of an account; none when it set none.
pub(crate) async fn get(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Option<Cents>, Broken> {
    let cents = sqlx::query_scalar!(
        "SELECT monthly_cents FROM spending_limits WHERE account_id = $1",
        account_id.0
    );
    Ok(cents.fetch_optional(db).await?.map(Cents))
}

pub(super) async fn put(
    db: &mut PgConnection,
    account_id: AccountId,
    monthly: Cents,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO spending_limits (account_id, monthly_cents, set_at) VALUES ($1, $2, $3)
         ON CONFLICT ON CONSTRAINT spending_limits_pkey DO UPDATE
             SET monthly_cents = excluded.monthly_cents, set_at = excluded.set_at",
        account_id.0,
        monthly.0,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes the limit; false when there was none.
pub(super) async fn remove(db: &mut PgConnection, account_id: AccountId) -> Result<bool, Broken> {
    let done = sqlx::query!(
        "DELETE FROM spending_limits WHERE account_id = $1",
        account_id.0
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
