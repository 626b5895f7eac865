//! Per account: how far its events are settled. The meter's row is the lock that serialises settling.

use domain::id::AccountId;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::failure::Broken;

/// Notes the highest sequence number ingested per account, in the transaction of the events.
pub async fn ingested(
    db: &mut PgConnection,
    accounts: &[Uuid],
    seqs: &[i64],
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO meters (account_id, ingested_seq)
         SELECT account_id, max(seq) FROM unnest($1::uuid[], $2::bigint[]) AS u (account_id, seq)
         GROUP BY account_id ORDER BY account_id
         ON CONFLICT ON CONSTRAINT meters_pkey DO UPDATE
             SET ingested_seq = greatest(meters.ingested_seq, excluded.ingested_seq)",
        accounts,
        seqs
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Accounts with something to settle: events not settled yet, or open intervals with a whole hour behind them.
/// One that broke waits for its retry and does not hold up the others.
pub async fn behind(
    db: &mut PgConnection,
    horizon: OffsetDateTime,
    now: OffsetDateTime,
    limit: i64,
) -> Result<Vec<AccountId>, Broken> {
    let rows = sqlx::query_scalar!(
        "SELECT account_id FROM meters
         WHERE (ingested_seq > settled_seq OR (running > 0 AND (settled_until IS NULL OR settled_until < $1)))
           AND (retry_at IS NULL OR retry_at <= $2)
         ORDER BY account_id LIMIT $3",
        horizon, now, limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// A meter under lock.
pub struct MeterRow {
    /// Highest sequence number stored for the account.
    pub ingested_seq: i64,
    /// Highest sequence number settled.
    pub settled_seq: i64,
    /// The hour up to which open intervals are posted.
    pub settled_until: Option<OffsetDateTime>,
}

/// Locks a meter for settling. NO KEY: rows that refer to the account must not wait for it.
pub async fn lock(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Option<MeterRow>, Broken> {
    Ok(sqlx::query_as!(
        MeterRow,
        "SELECT ingested_seq, settled_seq, settled_until FROM meters WHERE account_id = $1 FOR NO KEY UPDATE",
        account_id.0
    )
    .fetch_optional(db)
    .await?)
}

/// A meter as pages read it.
pub struct MeterState {
    /// The hour up to which open intervals are posted.
    pub settled_until: Option<OffsetDateTime>,
    /// True while settling is broken.
    pub failed: bool,
}

/// Reads a meter without locking it.
pub async fn peek(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Option<MeterState>, Broken> {
    Ok(sqlx::query_as!(
        MeterState,
        r#"SELECT settled_until, failed_at IS NOT NULL AS "failed!" FROM meters WHERE account_id = $1"#,
        account_id.0
    )
    .fetch_optional(db)
    .await?)
}

/// Notes how far settling came.
pub async fn settled(
    db: &mut PgConnection,
    account_id: AccountId,
    seq: i64,
    until: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE meters SET settled_seq = $2, settled_until = $3, failed_at = NULL, retry_at = NULL,
                running = (SELECT count(*) FROM intervals AS i WHERE i.account_id = $1 AND i.ended_at IS NULL)
         WHERE account_id = $1",
        account_id.0, seq, until
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that settling broke: tried again in a minute, counted until then.
pub async fn failed(
    db: &mut PgConnection,
    account_id: AccountId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE meters SET failed_at = $2, retry_at = $2::timestamptz + interval '1 minute' WHERE account_id = $1",
        account_id.0, now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Accounts whose settling is broken now, for the alarm.
pub async fn count_failed(db: &mut PgConnection) -> Result<i64, Broken> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM meters WHERE failed_at IS NOT NULL"#
    )
    .fetch_one(db)
    .await?)
}
