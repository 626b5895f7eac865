//! Failed sign-ins in a row, by keyed hash of the address.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;

/// Where an address stands on the ladder.
pub(super) struct TriesRow {
    pub(super) failures: i32,
    pub(super) tried_at: OffsetDateTime,
    pub(super) next_at: OffsetDateTime,
}

/// The row of an address, made if there is none, locked until the transaction ends.
pub(super) async fn locked(
    db: &mut PgConnection,
    address_hmac: &[u8],
    now: OffsetDateTime,
) -> Result<TriesRow, Broken> {
    // An update of nothing locks a row that is there, which reading it after a plain insert would not: it may be gone by then.
    let row = sqlx::query_as!(
        TriesRow,
        "INSERT INTO sign_in_tries AS t (address_hmac, failures, tried_at, next_at) VALUES ($1, 0, $2, $2)
         ON CONFLICT ON CONSTRAINT sign_in_tries_pkey DO UPDATE SET failures = t.failures
         RETURNING failures, tried_at, next_at",
        address_hmac,
        now
    );
    Ok(row.fetch_one(db).await?)
}

/// One step up.
pub(super) async fn climb(
    db: &mut PgConnection,
    address_hmac: &[u8],
    failures: i32,
    (now, next_at): (OffsetDateTime, OffsetDateTime),
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE sign_in_tries SET failures = $2, tried_at = $3, next_at = $4 WHERE address_hmac = $1",
        address_hmac,
        failures,
        now,
        next_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// One step down, and no wait.
pub(super) async fn step_down(
    db: &mut PgConnection,
    address_hmac: &[u8],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE sign_in_tries SET failures = greatest(failures - 1, 0), next_at = $2 WHERE address_hmac = $1",
        address_hmac,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that a try has ended in failure.
pub(super) async fn touch(
    db: &mut PgConnection,
    address_hmac: &[u8],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE sign_in_tries SET tried_at = $2 WHERE address_hmac = $1",
        address_hmac,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn forget(db: &mut PgConnection, address_hmac: &[u8]) -> Result<(), Broken> {
    sqlx::query!(
        "DELETE FROM sign_in_tries WHERE address_hmac = $1",
        address_hmac
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes the rows of addresses that were not tried since a moment; at most `limit`.
pub(crate) async fn delete_at_rest(
    db: &mut PgConnection,
    before: OffsetDateTime,
    limit: i64,
) -> Result<u64, Broken> {
    let done = sqlx::query!(
        "DELETE FROM sign_in_tries WHERE address_hmac IN (
             SELECT address_hmac FROM sign_in_tries WHERE tried_at < $1 ORDER BY tried_at LIMIT $2)",
        before, limit
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
