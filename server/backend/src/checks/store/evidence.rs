//! What the checks lay beside each other: the feed's events and the sandboxes, intervals and slices that stand for them.
//! Reads only. Comparing is `checks`'; what pages show is read elsewhere.

use domain::feed::Event;
use domain::id::{AccountId, PriceId};
use domain::interval::{Interval, Slice};
use domain::price::BilledMs;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{moment, ticks};
use crate::failure::Broken;
use crate::metering::feed::events::EVENTS_MAX;

/// Accounts with an event in `(from, to]` of a feed.
pub(in crate::checks) async fn touched_accounts(
    db: &mut PgConnection,
    (feed, epoch): (&str, &str),
    (from, to): (i64, i64),
) -> Result<Vec<AccountId>, Broken> {
    let rows = sqlx::query_scalar!(
        r#"SELECT DISTINCT account_id AS "account_id!" FROM feed_log
         WHERE feed = $1 AND epoch = $2 AND seq > $3 AND seq <= $4 AND set_aside IS NULL ORDER BY 1"#,
        feed, epoch, from, to
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Sandboxes of an account with an event in `(from, to]` of a feed.
pub(in crate::checks) async fn touched(
    db: &mut PgConnection,
    account_id: AccountId,
    (feed, epoch): (&str, &str),
    (from, to): (i64, i64),
) -> Result<Vec<String>, Broken> {
    Ok(sqlx::query_scalar!(
        "SELECT DISTINCT sandbox_id FROM feed_events
         WHERE account_id = $1 AND feed = $2 AND epoch = $3 AND seq > $4 AND seq <= $5 ORDER BY sandbox_id",
        account_id.0, feed, epoch, from, to
    )
    .fetch_all(db)
    .await?)
}

/// Sandboxes of an account by their ids, whether the feed knows them or only a table of ours does.
pub(in crate::checks) async fn sandbox_ids(
    db: &mut PgConnection,
    account_id: AccountId,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, Broken> {
    Ok(sqlx::query_scalar!(
        r#"(SELECT DISTINCT sandbox_id AS "id!" FROM feed_events WHERE account_id = $1 AND sandbox_id > $2
            ORDER BY sandbox_id LIMIT $3)
           UNION (SELECT sandbox_id FROM sandboxes WHERE account_id = $1 AND sandbox_id > $2 ORDER BY sandbox_id LIMIT $3)
           UNION (SELECT DISTINCT sandbox_id FROM intervals WHERE account_id = $1 AND sandbox_id > $2
                  ORDER BY sandbox_id LIMIT $3)
           ORDER BY 1 LIMIT $3"#,
        account_id.0, after, limit
    )
    .fetch_all(db)
    .await?)
}

/// Sandboxes of an account that may have run inside `[from, until)`, by what we store and by what is rated.
pub(in crate::checks) async fn sandbox_ids_between(
    db: &mut PgConnection,
    account_id: AccountId,
    (from, until): (OffsetDateTime, OffsetDateTime),
    limit: i64,
) -> Result<Vec<String>, Broken> {
    Ok(sqlx::query_scalar!(
        r#"SELECT sandbox_id AS "id!" FROM sandboxes
           WHERE account_id = $1 AND created_at < $3 AND (destroyed_at IS NULL OR destroyed_at >= $2)
           UNION SELECT sandbox_id FROM slices WHERE account_id = $1 AND hour_at >= $2 AND hour_at < $3
           ORDER BY 1 LIMIT $4"#,
        account_id.0, from, until, limit
    )
    .fetch_all(db)
    .await?)
}

/// Sandboxes of an account that are not destroyed by what we store, or that have events not settled yet.
pub(in crate::checks) async fn live_ids(
    db: &mut PgConnection,
    account_id: AccountId,
    limit: i64,
) -> Result<Vec<String>, Broken> {
    Ok(sqlx::query_scalar!(
        r#"SELECT sandbox_id AS "id!" FROM sandboxes WHERE account_id = $1 AND state <> 'destroyed'
           UNION SELECT sandbox_id FROM feed_events
           WHERE account_id = $1 AND seq > coalesce((SELECT settled_seq FROM meters WHERE account_id = $1), 0)
           ORDER BY 1 LIMIT $2"#,
        account_id.0, limit
    )
    .fetch_all(db)
    .await?)
}

/// How far an account is settled: the last event, and the hour up to which open intervals are posted.
pub(in crate::checks) async fn settled(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<(i64, Option<OffsetDateTime>), Broken> {
    let row = sqlx::query!(
        "SELECT settled_seq, settled_until FROM meters WHERE account_id = $1",
        account_id.0
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or((0, None), |row| (row.settled_seq, row.settled_until)))
}

/// The sequence number up to which every account is settled, but for those whose settling broke; at most `seq`.
pub(in crate::checks) async fn settled_by_all(
    db: &mut PgConnection,
    seq: i64,
) -> Result<i64, Broken> {
    Ok(sqlx::query_scalar!(
        r#"SELECT coalesce(min(seq), $1) AS "seq!" FROM (
               SELECT coalesce(m.settled_seq, 0) AS seq FROM pending_events LEFT JOIN meters AS m USING (account_id)
               WHERE m.failed_at IS NULL
               UNION ALL SELECT settled_seq FROM meters WHERE settled_until IS NULL AND failed_at IS NULL) AS behind
           WHERE seq < $1"#,
        seq
    )
    .fetch_one(db)
    .await?)
}

/// A sandbox as stored, with what its cohort says beside it.
pub(in crate::checks) struct SandboxRow {
    pub sandbox_id: String,
    pub state: String,
    pub created_at: OffsetDateTime,
    pub destroyed_at: Option<OffsetDateTime>,
    /// Key, image, region, processors and memory.
    pub traits: Traits,
    /// The same of its cohort; none when the cohort does not exist.
    pub cohort: Option<Traits>,
}

/// What makes sandboxes alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::checks) struct Traits {
    pub key_id: Option<Uuid>,
    pub image: String,
    pub region: String,
    pub vcpus: i32,
    pub mem_mib: i32,
}

impl Traits {
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self {
            key_id: event.key_id.map(|id| id.0),
            image: event.image.clone(),
            region: event.region.clone(),
            vcpus: event.size.vcpus,
            mem_mib: event.size.mem_mib,
        }
    }
}

pub(in crate::checks) async fn sandboxes(
    db: &mut PgConnection,
    account_id: AccountId,
    ids: &[String],
) -> Result<Vec<SandboxRow>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT s.sandbox_id, s.state, s.created_at, s.destroyed_at, s.key_id, s.image, s.region, s.vcpus, s.mem_mib,
                  c.cohort_id AS "cohort_id?", c.key_id AS cohort_key, c.image AS "cohort_image?",
                  c.region AS "cohort_region?", c.vcpus AS "cohort_vcpus?", c.mem_mib AS "cohort_mem?"
           FROM sandboxes AS s LEFT JOIN cohorts AS c ON c.account_id = $1 AND c.cohort_id = s.cohort_id
           WHERE s.account_id = $1 AND s.sandbox_id = ANY($2) ORDER BY s.sandbox_id"#,
        account_id.0, ids
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| SandboxRow {
            sandbox_id: row.sandbox_id,
            state: row.state,
            created_at: row.created_at,
            destroyed_at: row.destroyed_at,
            traits: Traits {
                key_id: row.key_id,
                image: row.image,
                region: row.region,
                vcpus: row.vcpus,
                mem_mib: row.mem_mib,
            },
            cohort: row.cohort_id.map(|_| Traits {
                key_id: row.cohort_key,
                image: row.cohort_image.unwrap_or_default(),
                region: row.cohort_region.unwrap_or_default(),
                vcpus: row.cohort_vcpus.unwrap_or_default(),
                mem_mib: row.cohort_mem.unwrap_or_default(),
            }),
        })
        .collect())
}

/// Intervals of these sandboxes as stored, in order.
pub(in crate::checks) async fn intervals(
    db: &mut PgConnection,
    account_id: AccountId,
    ids: &[String],
) -> Result<Vec<(String, Interval)>, Broken> {
    let rows = sqlx::query!(
        "SELECT sandbox_id, started_at, ended_at FROM intervals
         WHERE account_id = $1 AND sandbox_id = ANY($2) ORDER BY sandbox_id, ordinal LIMIT $3",
        account_id.0,
        ids,
        EVENTS_MAX
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let interval = Interval {
                started_at: moment(row.started_at),
                ended_at: row.ended_at.map(moment),
            };
            (row.sandbox_id, interval)
        })
        .collect())
}

/// A stored slice: whose, and what price and amounts stand in it. `Slice::price` is not used.
pub(in crate::checks) type SliceRow = (String, PriceId, Slice);

/// Slices of these sandboxes as stored, in order, at most a million: two hundred sandboxes over half a year.
pub(in crate::checks) async fn slices(
    db: &mut PgConnection,
    account_id: AccountId,
    ids: &[String],
) -> Result<Vec<SliceRow>, Broken> {
    let rows = sqlx::query!(
        "SELECT sandbox_id, hour_at, price_id, billed_ms, ticks FROM slices
         WHERE account_id = $1 AND sandbox_id = ANY($2) ORDER BY sandbox_id, hour_at LIMIT 1000000",
        account_id.0,
        ids
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let slice = Slice {
                hour: moment(row.hour_at),
                billed: BilledMs(row.billed_ms),
                ticks: ticks(row.ticks)?,
                price: 0,
            };
            Ok((row.sandbox_id, row.price_id.into(), slice))
        })
        .collect()
}

/// Cohorts of an account with what makes them, at most a hundred thousand.
pub(in crate::checks) async fn cohorts(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Vec<(Uuid, Traits)>, Broken> {
    let rows = sqlx::query!(
        "SELECT cohort_id, key_id, image, region, vcpus, mem_mib FROM cohorts WHERE account_id = $1 LIMIT 100000",
        account_id.0
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let traits = Traits {
                key_id: row.key_id,
                image: row.image,
                region: row.region,
                vcpus: row.vcpus,
                mem_mib: row.mem_mib,
            };
            (row.cohort_id, traits)
        })
        .collect())
}
