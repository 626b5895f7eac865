//! The chain of ledger days: digests over the transfers of a UTC day, and the links that were sealed.
//! How digests become a chain is the parent's.

use domain::id::AccountId;
use domain::money::Ticks;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::db::{numeric, ticks};
use crate::failure::Broken;

/// One account's transfers of one day.
pub(super) struct Digest {
    pub account_id: AccountId,
    pub transfers: i64,
    pub ticks: Ticks,
    /// SHA-256 over their lines, in the order of their ids.
    pub sha256: Vec<u8>,
}

/// Digests of the accounts after `after` that booked something on a day, at most `limit` accounts looked at; and the last
/// account looked at, none when there was none. Every column of a transfer is in its line.
pub(super) async fn digests(
    db: &mut PgConnection,
    day: Date,
    after: Uuid,
    limit: i64,
) -> Result<(Vec<Digest>, Option<Uuid>), Broken> {
    let accounts = sqlx::query_scalar!(
        "SELECT account_id FROM accounts WHERE account_id > $1 ORDER BY account_id LIMIT $2",
        after,
        limit
    )
    .fetch_all(&mut *db)
    .await?;
    let (from, until) = bounds(day);
    let rows = sqlx::query!(
        r#"SELECT account_id, count(*) AS "transfers!", sum(ticks) AS "ticks!",
                  sha256(convert_to(string_agg(concat_ws('|', transfer_id, debit_id, credit_id, ticks, kind, key,
                      coalesce(extract(epoch FROM service_hour)::bigint::text, '-'),
                      (extract(epoch FROM booked_at) * 1000000)::bigint), E'\n' ORDER BY transfer_id), 'UTF8')) AS "sha256!"
           FROM transfers WHERE account_id = ANY($1) AND booked_at >= $2 AND booked_at < $3
           GROUP BY account_id ORDER BY account_id"#,
        &accounts, from, until
    )
    .fetch_all(db)
    .await?;
    let digests: Result<Vec<Digest>, Broken> = rows
        .into_iter()
        .map(|row| {
            Ok(Digest {
                account_id: row.account_id.into(),
                transfers: row.transfers,
                ticks: ticks(row.ticks)?,
                sha256: row.sha256,
            })
        })
        .collect();
    Ok((digests?, accounts.last().copied()))
}

/// The moments between which a UTC day lies.
fn bounds(day: Date) -> (OffsetDateTime, OffsetDateTime) {
    let from = day.midnight().assume_utc();
    (from, from + time::Duration::DAY)
}

/// The day of the first transfer ever booked; none before it.
pub(super) async fn first_booked(db: &mut PgConnection) -> Result<Option<Date>, Broken> {
    // By account, because that is how transfers are indexed.
    let at = sqlx::query_scalar!(
        r#"SELECT min(first.booked_at) AS at FROM accounts AS a CROSS JOIN LATERAL (
               SELECT t.booked_at FROM transfers AS t WHERE t.account_id = a.account_id
               ORDER BY t.booked_at, t.transfer_id LIMIT 1) AS first"#
    )
    .fetch_one(db)
    .await?;
    Ok(at.map(OffsetDateTime::date))
}

/// A sealed day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DayRow {
    pub day: Date,
    pub transfers: i64,
    pub ticks: Ticks,
    /// Hash of the day before; 32 zero bytes for the first.
    pub previous: Vec<u8>,
    /// Hash over `previous` and the digests of this day.
    pub sha256: Vec<u8>,
}

/// Sealed days from `from` on, in order, at most `limit`.
pub(super) async fn since(
    db: &mut PgConnection,
    from: Date,
    limit: i64,
) -> Result<Vec<DayRow>, Broken> {
    let rows = sqlx::query!(
        "SELECT day_at, transfers, ticks, previous_sha256, sha256 FROM ledger_days
         WHERE day_at >= $1 ORDER BY day_at LIMIT $2",
        from,
        limit
    )
    .fetch_all(db)
    .await?;
    let row = |(day, transfers, sum, previous, sha256): (Date, i64, Decimal, Vec<u8>, Vec<u8>)| {
        Ok(DayRow {
            day,
            transfers,
            ticks: ticks(sum)?,
            previous,
            sha256,
        })
    };
    rows.into_iter()
        .map(|r| row((r.day_at, r.transfers, r.ticks, r.previous_sha256, r.sha256)))
        .collect()
}

/// A day and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub day: Date,
    pub sha256: Vec<u8>,
}

/// The newest sealed day.
pub(super) async fn last(db: &mut PgConnection) -> Result<Option<End>, Broken> {
    let row = sqlx::query_as!(
        End,
        "SELECT day_at AS day, sha256 FROM ledger_days ORDER BY day_at DESC LIMIT 1"
    );
    Ok(row.fetch_optional(db).await?)
}

/// The day that was sealed last, as it was noted beside the days.
pub(super) async fn head(db: &mut PgConnection) -> Result<Option<End>, Broken> {
    let row = sqlx::query_as!(End, "SELECT day_at AS day, sha256 FROM ledger_head");
    Ok(row.fetch_optional(db).await?)
}

/// Seals a day and notes it as the newest; the same day twice is once.
pub(super) async fn insert(
    db: &mut PgConnection,
    row: &DayRow,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO ledger_days (day_at, transfers, ticks, previous_sha256, sha256, sealed_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT ON CONSTRAINT ledger_days_pkey DO NOTHING",
        row.day,
        row.transfers,
        numeric(row.ticks)?,
        row.previous,
        row.sha256,
        now
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "INSERT INTO ledger_head (day_at, sha256) VALUES ($1, $2)
         ON CONFLICT ON CONSTRAINT ledger_head_pkey DO UPDATE SET day_at = excluded.day_at, sha256 = excluded.sha256
             WHERE ledger_head.day_at < excluded.day_at",
        row.day,
        row.sha256
    )
    .execute(db)
    .await?;
    Ok(())
}
