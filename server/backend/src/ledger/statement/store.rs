//! The ledger as its owner reads it: entries newest first, one page of work per page. What they mean is `statement`'s.

use domain::id::AccountId;
use domain::money::Ticks;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::ticks;
use crate::failure::Broken;

pub(super) struct EntryRow {
    pub transfer_id: Uuid,
    pub booked_at: OffsetDateTime,
    pub kind: String,
    pub service_hour: Option<OffsetDateTime>,
    /// As the customer sees it: credit up, usage down, overrun zero; in ticks.
    pub amount: Decimal,
    /// What was used and not charged, or is so no longer when below zero; in ticks.
    pub not_charged: Decimal,
    /// The grant that was given or ended.
    pub grant_id: Option<Uuid>,
    /// Why that grant was given.
    pub reason: Option<String>,
    /// The sandbox of the incident that the grant makes good.
    pub sandbox_id: Option<String>,
}

/// Entries older than `after`, newest first, at most `limit`; of one kind when one is named.
pub(super) async fn entries(
    db: &mut PgConnection,
    account_id: AccountId,
    kind: Option<&str>,
    after: Option<(OffsetDateTime, Uuid)>,
    limit: i64,
) -> Result<Vec<EntryRow>, Broken> {
    match kind {
        None | Some("usage") => usage_or_all(db, account_id, kind, after, limit).await,
        Some(kind) => beside_usage(db, account_id, kind, after, limit).await,
    }
}

async fn usage_or_all(
    db: &mut PgConnection,
    account_id: AccountId,
    kind: Option<&str>,
    after: Option<(OffsetDateTime, Uuid)>,
    limit: i64,
) -> Result<Vec<EntryRow>, Broken> {
    let (at, id) = after.unzip();
    Ok(sqlx::query_as!(
        EntryRow,
        r#"SELECT t.transfer_id, t.booked_at, t.kind, t.service_hour,
                  CASE WHEN c.kind = 'grant' THEN t.ticks WHEN d.kind = 'grant' THEN -t.ticks ELSE 0 END AS "amount!",
                  CASE WHEN d.kind = 'overrun' THEN t.ticks WHEN c.kind = 'overrun' THEN -t.ticks ELSE 0 END AS "not_charged!",
                  g.grant_id AS "grant_id?", g.reason AS "reason?", i.sandbox_id AS "sandbox_id?"
           FROM (SELECT * FROM transfers
                 WHERE account_id = $1 AND ($2::text IS NULL OR kind = $2)
                   AND ($3::timestamptz IS NULL OR (booked_at, transfer_id) < ($3, $4))
                 ORDER BY booked_at DESC, transfer_id DESC LIMIT $5) AS t
           JOIN ledger_accounts AS d ON d.account_id = $1 AND d.ledger_account_id = t.debit_id
           JOIN ledger_accounts AS c ON c.account_id = $1 AND c.ledger_account_id = t.credit_id
           LEFT JOIN grants AS g ON g.account_id = $1
                AND g.grant_id = CASE t.kind WHEN 'grant' THEN t.credit_id WHEN 'expiry' THEN t.debit_id END
           LEFT JOIN LATERAL (SELECT sandbox_id FROM incidents AS i
                              WHERE i.account_id = $1 AND i.grant_id = g.grant_id LIMIT 1) AS i ON true
           ORDER BY t.booked_at DESC, t.transfer_id DESC"#,
        account_id.0, kind, at, id, limit
    )
    .fetch_all(db)
    .await?)
}

/// The rare kinds, by their own index: found without walking the usage between them.
async fn beside_usage(
    db: &mut PgConnection,
    account_id: AccountId,
    kind: &str,
    after: Option<(OffsetDateTime, Uuid)>,
    limit: i64,
) -> Result<Vec<EntryRow>, Broken> {
    let (at, id) = after.unzip();
    Ok(sqlx::query_as!(
        EntryRow,
        r#"SELECT t.transfer_id, t.booked_at, t.kind, t.service_hour,
                  CASE WHEN c.kind = 'grant' THEN t.ticks WHEN d.kind = 'grant' THEN -t.ticks ELSE 0 END AS "amount!",
                  CASE WHEN d.kind = 'overrun' THEN t.ticks WHEN c.kind = 'overrun' THEN -t.ticks ELSE 0 END AS "not_charged!",
                  g.grant_id AS "grant_id?", g.reason AS "reason?", i.sandbox_id AS "sandbox_id?"
           FROM (SELECT * FROM transfers
                 WHERE account_id = $1 AND kind <> 'usage' AND kind = $2
                   AND ($3::timestamptz IS NULL OR (booked_at, transfer_id) < ($3, $4))
                 ORDER BY booked_at DESC, transfer_id DESC LIMIT $5) AS t
           JOIN ledger_accounts AS d ON d.account_id = $1 AND d.ledger_account_id = t.debit_id
           JOIN ledger_accounts AS c ON c.account_id = $1 AND c.ledger_account_id = t.credit_id
           LEFT JOIN grants AS g ON g.account_id = $1
                AND g.grant_id = CASE t.kind WHEN 'grant' THEN t.credit_id WHEN 'expiry' THEN t.debit_id END
           LEFT JOIN LATERAL (SELECT sandbox_id FROM incidents AS i
                              WHERE i.account_id = $1 AND i.grant_id = g.grant_id LIMIT 1) AS i ON true
           ORDER BY t.booked_at DESC, t.transfer_id DESC"#,
        account_id.0, kind, at, id, limit
    )
    .fetch_all(db)
    .await?)
}

/// Booked credit: the balance after the newest entry.
pub(super) async fn booked(db: &mut PgConnection, account_id: AccountId) -> Result<Ticks, Broken> {
    let sum = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(credit_ticks - debit_ticks), 0) AS "ticks!"
           FROM ledger_accounts WHERE account_id = $1 AND kind = 'grant'"#,
        account_id.0
    );
    ticks(sum.fetch_one(db).await?)
}
