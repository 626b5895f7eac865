//! The ledger as the checks add it up: hours rated, summed and booked; balances beside their transfers; who runs though
//! nothing is left. Days are `days`'. Reads only, one account at a time or a page of them; what follows from a
//! difference is `checks`'.

use domain::id::AccountId;
use domain::moment::Moment;
use domain::money::Ticks;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{moment, ticks};
use crate::failure::Broken;

/// Accounts in the order of their ids, after one.
pub(in crate::checks) async fn accounts_after(
    db: &mut PgConnection,
    after: Uuid,
    limit: i64,
) -> Result<Vec<AccountId>, Broken> {
    let rows = sqlx::query_scalar!(
        "SELECT account_id FROM accounts WHERE account_id > $1 ORDER BY account_id LIMIT $2",
        after,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The first hour in which an account has anything rated, summed or booked.
pub(in crate::checks) async fn first_hour(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Option<Moment>, Broken> {
    let hour = sqlx::query_scalar!(
        "SELECT least((SELECT min(hour_at) FROM slices WHERE account_id = $1),
                      (SELECT min(hour_at) FROM usage_hours WHERE account_id = $1),
                      (SELECT min(day_at) FROM usage_days WHERE account_id = $1),
                      (SELECT min(service_hour) FROM transfers WHERE account_id = $1))",
        account_id.0
    )
    .fetch_one(db)
    .await?;
    Ok(hour.map(moment))
}

/// Hours of `[from, until)` in which slices, their sums by cohort and what is booked do not agree, oldest first.
pub(in crate::checks) async fn uneven_hours(
    db: &mut PgConnection,
    account_id: AccountId,
    (from, until): (Moment, Moment),
    limit: i64,
) -> Result<Vec<Moment>, Broken> {
    let rows = sqlx::query_scalar!(
        r#"SELECT hour_at AS "hour_at!" FROM (
               SELECT hour_at, sum(ticks) AS rated, sum(billed_ms) AS rated_ms, 0 AS summed, 0 AS summed_ms, 0 AS booked
               FROM slices WHERE account_id = $1 AND hour_at >= $2 AND hour_at < $3 GROUP BY hour_at
               UNION ALL SELECT hour_at, 0, 0, sum(ticks), sum(billed_ms), 0 FROM usage_hours
               WHERE account_id = $1 AND hour_at >= $2 AND hour_at < $3 GROUP BY hour_at
               UNION ALL SELECT service_hour, 0, 0, 0, 0, sum(CASE kind WHEN 'correction' THEN -ticks ELSE ticks END)
               FROM transfers WHERE account_id = $1 AND service_hour >= $2 AND service_hour < $3
                   AND kind IN ('usage', 'overrun', 'correction') GROUP BY service_hour) AS hours
           GROUP BY hour_at
           HAVING sum(rated) <> sum(summed) OR sum(rated) <> sum(booked) OR sum(rated_ms) <> sum(summed_ms)
           ORDER BY hour_at LIMIT $4"#,
        account_id.0, OffsetDateTime::from(from), OffsetDateTime::from(until), limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(moment).collect())
}

pub(in crate::checks) struct SumRow {
    pub hour: Moment,
    pub cohort_id: Uuid,
    pub billed_ms: i64,
    pub ticks: Ticks,
}

pub(in crate::checks) async fn sums(
    db: &mut PgConnection,
    account_id: AccountId,
    hours: &[OffsetDateTime],
) -> Result<Vec<SumRow>, Broken> {
    let rows = sqlx::query!(
        "SELECT hour_at, cohort_id, billed_ms, ticks FROM usage_hours WHERE account_id = $1 AND hour_at = ANY($2)
         ORDER BY hour_at, cohort_id LIMIT 100000",
        account_id.0, hours
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(SumRow {
                hour: moment(row.hour_at),
                cohort_id: row.cohort_id,
                billed_ms: row.billed_ms,
                ticks: ticks(row.ticks)?,
            })
        })
        .collect()
}

/// What is booked for these hours, net; an hour without postings is zero.
pub(in crate::checks) async fn booked(
    db: &mut PgConnection,
    account_id: AccountId,
    hours: &[OffsetDateTime],
) -> Result<Vec<(Moment, Ticks)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT h.hour_at AS "hour_at!", (
                  SELECT coalesce(sum(CASE t.kind WHEN 'correction' THEN -t.ticks ELSE t.ticks END), 0) FROM transfers AS t
                  WHERE t.account_id = $1 AND t.service_hour = h.hour_at AND t.kind IN ('usage', 'overrun', 'correction')
                  ) AS "net!"
           FROM unnest($2::timestamptz[]) AS h (hour_at) ORDER BY h.hour_at"#,
        account_id.0, hours
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| Ok((moment(row.hour_at), ticks(row.net)?)))
        .collect()
}

/// A ledger account: what its row says, and what its transfers add up to.
pub(in crate::checks) struct BalanceRow {
    pub ledger_account_id: Uuid,
    /// True when its row keeps a balance.
    pub is_tracked: bool,
    /// Debits and credits as the row has them.
    pub stored: (Ticks, Ticks),
    /// Debits and credits as the transfers have them.
    pub folded: (Ticks, Ticks),
    /// For a grant: what was granted, and what filled it.
    pub granted: Option<(Ticks, Ticks)>,
}

/// Ledger accounts of an account with both sides of the question, at most ten thousand.
pub(in crate::checks) async fn balances(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Vec<BalanceRow>, Broken> {
    let rows = sqlx::query!(
        r#"WITH sides AS (
               SELECT id, sum(debit) AS debit, sum(credit) AS credit, sum(filled) AS filled FROM (
                   SELECT debit_id AS id, ticks AS debit, 0 AS credit, 0 AS filled FROM transfers WHERE account_id = $1
                   UNION ALL SELECT credit_id, 0, ticks, CASE kind WHEN 'grant' THEN ticks ELSE 0 END
                   FROM transfers WHERE account_id = $1) AS side
               GROUP BY id)
           SELECT la.ledger_account_id, la.is_tracked, la.debit_ticks, la.credit_ticks,
                  coalesce(s.debit, 0) AS "debit!", coalesce(s.credit, 0) AS "credit!",
                  g.amount_ticks AS "amount?", coalesce(s.filled, 0) AS "filled!"
           FROM ledger_accounts AS la
           LEFT JOIN sides AS s ON s.id = la.ledger_account_id
           LEFT JOIN grants AS g ON g.account_id = $1 AND g.grant_id = la.ledger_account_id
           WHERE la.account_id = $1 ORDER BY la.ledger_account_id LIMIT 10000"#,
        account_id.0
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let filled = ticks(row.filled)?;
            Ok(BalanceRow {
                ledger_account_id: row.ledger_account_id,
                is_tracked: row.is_tracked,
                stored: (ticks(row.debit_ticks)?, ticks(row.credit_ticks)?),
                folded: (ticks(row.debit)?, ticks(row.credit)?),
                granted: row
                    .amount
                    .map(|amount| Ok::<_, Broken>((ticks(amount)?, filled)))
                    .transpose()?,
            })
        })
        .collect()
}

/// An account in which something runs, by the settled feed.
pub(in crate::checks) struct RunningRow {
    pub account_id: AccountId,
    /// Since when one of its sandboxes runs: the earliest start.
    pub started_at: OffsetDateTime,
    /// What the orchestrator was told: past this nothing runs.
    pub run_until: Option<OffsetDateTime>,
    /// What was computed; none when nothing was computed yet.
    pub zero_at: Option<OffsetDateTime>,
    /// Booked credit that is usable at `as_of`.
    pub credit: Ticks,
}

/// Accounts after one in which something runs, with what they may run on at `as_of`.
pub(in crate::checks) async fn running(
    db: &mut PgConnection,
    after: Uuid,
    as_of: OffsetDateTime,
    limit: i64,
) -> Result<Vec<RunningRow>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT i.account_id, i.started_at AS "started_at!", a.run_until, o.zero_at AS "zero_at?", (
                  SELECT coalesce(sum(la.credit_ticks - la.debit_ticks), 0) FROM grants AS g
                  JOIN ledger_accounts AS la ON la.account_id = g.account_id AND la.ledger_account_id = g.grant_id
                  WHERE g.account_id = i.account_id AND g.starts_at <= $2 AND (g.ends_at IS NULL OR g.ends_at > $2)
                  ) AS "credit!"
           FROM (SELECT account_id, min(started_at) AS started_at FROM intervals
                 WHERE ended_at IS NULL AND account_id > $1 GROUP BY account_id ORDER BY account_id LIMIT $3) AS i
           JOIN accounts AS a USING (account_id) LEFT JOIN forecasts AS o USING (account_id) ORDER BY i.account_id"#,
        after, as_of, limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(RunningRow {
                account_id: row.account_id.into(),
                started_at: row.started_at,
                run_until: row.run_until,
                zero_at: row.zero_at,
                credit: ticks(row.credit)?,
            })
        })
        .collect()
}
