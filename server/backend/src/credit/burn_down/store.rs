//! What changed the credit of an account by day or hour: read from sums per hour or day and from the rare kinds of
//! transfers, so that a year of a busy account is thousands of rows. Putting it together is `credit::burn_down`'s.

use domain::burn_down::Grid;
use domain::id::{AccountId, GrantId};
use domain::moment::Moment;
use domain::money::Ticks;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{moment, ticks};
use crate::failure::Broken;

/// Sums read at most: 366 days of a hundred keys.
const ROWS_MAX: i64 = 40_000;

const fn bucket(grid: &Grid) -> &'static str {
    if grid.is_hourly() { "hour" } else { "day" }
}

/// Posted cost by bucket and key.
pub(super) async fn used(
    db: &mut PgConnection,
    account_id: AccountId,
    grid: &Grid,
) -> Result<Vec<(Moment, Option<Uuid>, Ticks)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT u.at AS "at!", c.key_id AS "key_id?", sum(u.ticks) AS "ticks!"
           FROM (SELECT hour_at AS at, cohort_id, ticks FROM usage_hours
                 WHERE $3 AND account_id = $1 AND hour_at >= $2
                 UNION ALL SELECT day_at, cohort_id, ticks FROM usage_days
                 WHERE NOT $3 AND account_id = $1 AND day_at >= $2) AS u
           JOIN cohorts AS c ON c.account_id = $1 AND c.cohort_id = u.cohort_id
           GROUP BY 1, 2 ORDER BY 1 LIMIT $4"#,
        account_id.0,
        OffsetDateTime::from(grid.start),
        grid.is_hourly(),
        ROWS_MAX
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| Ok((moment(row.at), row.key_id, ticks(row.ticks)?)))
        .collect()
}

/// Booked overrun by bucket of service, net of what was taken back.
pub(super) async fn overrun(
    db: &mut PgConnection,
    account_id: AccountId,
    grid: &Grid,
) -> Result<Vec<(Moment, Ticks)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT date_trunc($3::text, t.service_hour, 'UTC') AS "at!",
                  sum(CASE WHEN t.debit_id = la.ledger_account_id THEN t.ticks ELSE -t.ticks END) AS "ticks!"
           FROM ledger_accounts AS la
           JOIN transfers AS t ON t.account_id = $1 AND la.ledger_account_id IN (t.debit_id, t.credit_id)
           WHERE la.account_id = $1 AND la.kind = 'overrun' AND t.kind <> 'usage'
             AND t.kind IN ('overrun', 'correction') AND t.service_hour >= $2
           GROUP BY 1 ORDER BY 1 LIMIT $4"#,
        account_id.0,
        OffsetDateTime::from(grid.start),
        bucket(grid),
        ROWS_MAX
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| Ok((moment(row.at), ticks(row.ticks)?)))
        .collect()
}

/// What was left of each grant that ended and is booked out; at most 500, as grants are.
pub(in crate::credit) async fn expired(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Vec<(GrantId, Ticks)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT debit_id, sum(ticks) AS "ticks!" FROM transfers
           WHERE account_id = $1 AND kind <> 'usage' AND kind = 'expiry' GROUP BY debit_id LIMIT 500"#,
        account_id.0
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| Ok((row.debit_id.into(), ticks(row.ticks)?)))
        .collect()
}

/// Names of keys, revoked ones too.
pub(super) async fn key_names(
    db: &mut PgConnection,
    account_id: AccountId,
    keys: &[Uuid],
) -> Result<Vec<(Uuid, String)>, Broken> {
    let rows = sqlx::query!(
        "SELECT key_id, name FROM keys WHERE account_id = $1 AND key_id = ANY($2)",
        account_id.0,
        keys
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.key_id, row.name)).collect())
}
