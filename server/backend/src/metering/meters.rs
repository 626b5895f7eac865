//! Per account: how far its events are settled. The meter's row is the lock that serialises settling.

use domain::id::AccountId;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::failure::Broken;

/// An account with something to settle.
#[derive(Clone, Debug)]
pub struct BehindRow {
    pub account_id: AccountId,
    pub settled_seq: i64,
    /// The hour up to which open intervals are posted.
    pub settled_until: Option<OffsetDateTime>,
    pub running: i32,
    /// Events to settle, at most as many as were asked for.
    pub pending: i64,
    pub last_seq: Option<i64>,
}

/// What is behind, and how much of it is asked for at once.
pub struct BehindQuery<'a> {
    pub feed: &'a str,
    pub epoch: &'a str,
    /// The whole hour that the watermark has passed.
    pub horizon: OffsetDateTime,
    /// Events of one account.
    pub events: i64,
    pub accounts: i64,
}

/// Makes the meters of accounts that have none and have pending events, or a grant that ended: its end is booked under the meter.
pub(super) async fn open(db: &mut PgConnection, horizon: OffsetDateTime) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO meters (account_id)
         SELECT account_id FROM (SELECT account_id FROM pending_events
                                 UNION SELECT account_id FROM grants WHERE ends_at <= $1 AND expiries = 0) AS due
         WHERE NOT EXISTS (SELECT 1 FROM meters AS m WHERE m.account_id = due.account_id)
         ORDER BY 1 LIMIT 10000 ON CONFLICT DO NOTHING",
        horizon
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Accounts with something to settle: events not settled yet, open intervals with a whole hour behind them, grants that
/// ended, incidents whose hours are over, and those never settled. The one settled longest ago comes first. One that broke waits for its retry and
/// does not hold up the others.
pub(super) async fn behind(
    db: &mut PgConnection,
    asked: &BehindQuery<'_>,
    now: OffsetDateTime,
) -> Result<Vec<BehindRow>, Broken> {
    let rows = sqlx::query!(
        r#"WITH candidate AS (
               SELECT account_id FROM pending_events
               UNION SELECT account_id FROM meters WHERE settled_until IS NULL
               UNION SELECT account_id FROM meters WHERE running > 0 AND settled_until < $1
               UNION SELECT account_id FROM grants WHERE ends_at <= $1 AND expiries = 0
               UNION SELECT account_id FROM incidents WHERE ended_at <= $1 AND credited_at IS NULL),
           chosen AS (
               SELECT m.account_id, m.settled_seq, m.settled_until, m.running
               FROM candidate JOIN meters AS m USING (account_id)
               WHERE m.retry_at IS NULL OR m.retry_at <= $2 ORDER BY m.settled_seq, m.account_id LIMIT $3)
           SELECT chosen.account_id AS "account_id!", chosen.settled_seq AS "settled_seq!", chosen.settled_until,
                  chosen.running AS "running!", fresh.pending AS "pending!", fresh.last_seq
           FROM chosen CROSS JOIN LATERAL (
               SELECT count(*) AS pending, max(e.seq) AS last_seq FROM (
                   SELECT seq FROM feed_events AS e
                   WHERE e.account_id = chosen.account_id AND e.feed = $4 AND e.epoch = $5 AND e.seq > chosen.settled_seq
                   ORDER BY seq LIMIT $6) AS e) AS fresh
           ORDER BY chosen.settled_seq, chosen.account_id"#,
        asked.horizon,
        now,
        asked.accounts,
        asked.feed,
        asked.epoch,
        asked.events
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| BehindRow {
            account_id: row.account_id.into(),
            settled_seq: row.settled_seq,
            settled_until: row.settled_until,
            running: row.running,
            pending: row.pending,
            last_seq: row.last_seq,
        })
        .collect())
}

/// Locks the meters of these accounts that nobody else holds, in the order of their ids, and gives those that stand where
/// they were seen. NO KEY: rows that refer to the account must not wait for it.
pub(super) async fn lock(
    db: &mut PgConnection,
    seen: &[BehindRow],
) -> Result<Vec<AccountId>, Broken> {
    let ids: Vec<Uuid> = seen.iter().map(|row| row.account_id.0).collect();
    let rows = sqlx::query!(
        "SELECT account_id, settled_seq, settled_until FROM meters WHERE account_id = ANY($1)
         ORDER BY account_id FOR NO KEY UPDATE SKIP LOCKED",
        &ids
    )
    .fetch_all(db)
    .await?;
    let stands = |row: &BehindRow| {
        rows.iter().any(|held| {
            held.account_id == row.account_id.0
                && held.settled_seq == row.settled_seq
                && held.settled_until == row.settled_until
        })
    };
    Ok(seen
        .iter()
        .filter(|row| stands(row))
        .map(|row| row.account_id)
        .collect())
}

/// A meter as pages read it.
pub struct MeterState {
    /// Highest sequence number settled.
    pub settled_seq: i64,
    /// The hour up to which open intervals are posted.
    pub settled_until: Option<OffsetDateTime>,
    /// The watermark up to which it was settled when it last was.
    pub settled_at: Option<OffsetDateTime>,
    /// True while settling is broken.
    pub failed: bool,
}

impl MeterState {
    /// Up to when the postings of the account are exact, where the feed as a whole is settled up to `feed`. An account that is
    /// ahead of it was settled before the others were; one that is behind had nothing to settle since, unless it is broken:
    /// then it stands where it was.
    #[must_use]
    pub fn position(&self, feed: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
        let own = self.settled_at.max(self.settled_until);
        if self.failed && own.is_some() {
            own
        } else {
            own.max(feed)
        }
    }
}

/// Reads a meter without locking it.
pub(crate) async fn peek(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Option<MeterState>, Broken> {
    Ok(sqlx::query_as!(
        MeterState,
        r#"SELECT settled_seq, settled_until, settled_at, failed_at IS NOT NULL AS "failed!" FROM meters WHERE account_id = $1"#,
        account_id.0
    )
    .fetch_optional(db)
    .await?)
}

/// How far an account is settled now.
pub struct Settled {
    /// Whose meter moves.
    pub account_id: AccountId,
    /// Highest sequence number settled.
    pub seq: i64,
    /// The hour up to which open intervals are posted.
    pub until: OffsetDateTime,
    /// The watermark up to which all of it is settled; none while some of its events are left.
    pub at: Option<OffsetDateTime>,
}

/// Notes how far settling came.
pub(super) async fn settled(db: &mut PgConnection, rows: &[Settled]) -> Result<(), Broken> {
    let accounts: Vec<Uuid> = rows.iter().map(|row| row.account_id.0).collect();
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let until: Vec<OffsetDateTime> = rows.iter().map(|row| row.until).collect();
    let at: Vec<Option<OffsetDateTime>> = rows.iter().map(|row| row.at).collect();
    sqlx::query!(
        "UPDATE meters AS m SET settled_seq = u.seq, settled_until = u.until, failed_at = NULL, retry_at = NULL,
                settled_at = greatest(m.settled_at, u.at),
                running = (SELECT count(*) FROM intervals AS i WHERE i.account_id = u.account_id AND i.ended_at IS NULL)
         FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::timestamptz[]) AS u (account_id, seq, until, at)
         WHERE m.account_id = u.account_id",
        &accounts,
        &seqs,
        &until,
        &at as &[Option<OffsetDateTime>]
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that settling broke: tried again in a minute, counted until then. Up to `settled_at`, where the feed stood, it was
/// settled with all others; when it breaks again that moment says nothing of it any more.
pub(super) async fn failed(
    db: &mut PgConnection,
    account_id: AccountId,
    settled_at: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE meters SET failed_at = $2, retry_at = $2::timestamptz + interval '1 minute',
                settled_at = CASE WHEN failed_at IS NULL THEN greatest(settled_at, $3) ELSE settled_at END
         WHERE account_id = $1",
        account_id.0, now, settled_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Accounts whose settling is broken now, for the alarm.
pub(crate) async fn count_failed(db: &mut PgConnection) -> Result<i64, Broken> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM meters WHERE failed_at IS NOT NULL"#
    )
    .fetch_one(db)
    .await?)
}
