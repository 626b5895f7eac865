//! Sums of usage for pages: from `usage_days` and `usage_hours` by cohort, and from `slices` where single sandboxes matter.
//! What runs now and is not posted arrives as rows and is summed in the same query. Writing is `metering::settle`'s.
//! Nothing here joins two sets that grow with the account: each side becomes rows of one set, which a window over their common
//! id puts together, or is looked up row by row. No plan of that is quadratic, whatever the planner believes.

use domain::ceilings::USAGE_SLICES_MAX;
use domain::id::AccountId;
use domain::moment::Moment;
use domain::usage::breakdown::Amounts;
use domain::usage::query::{Group, Metric, Only};
use domain::usage::stretches::Stretches;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{moment, numeric, ticks};
use crate::failure::Broken;
use crate::metering::live::Live;

/// What runs now and is not posted: one row per sandbox and hour.
#[derive(Default)]
pub struct Unposted {
    pub(super) sandboxes: Vec<String>,
    pub(super) hours: Vec<OffsetDateTime>,
    pub(super) billed: Vec<i64>,
    pub(super) amounts: Vec<Decimal>,
}

impl Unposted {
    /// From the live figures of the same snapshot.
    pub fn of(live: &Live) -> Result<Self, Broken> {
        let mut rows = Self::default();
        for running in &live.running {
            for slice in &running.slices {
                rows.sandboxes.push(running.sandbox_id.to_string());
                rows.hours.push(slice.hour.into());
                rows.billed.push(slice.billed.0);
                rows.amounts.push(numeric(slice.ticks)?);
            }
        }
        Ok(rows)
    }
}

pub struct Asked<'a> {
    pub account_id: AccountId,
    /// First moments of the buckets, ascending, and after them the first moment behind the last.
    pub bounds: &'a [OffsetDateTime],
    pub group: Group,
    /// What ranks the series.
    pub metric: Metric,
    pub only: &'a Only,
    pub unposted: &'a Unposted,
    /// Series at most; what is beyond them is summed as one.
    pub series_max: usize,
}

/// Starts and ends of stretches, each of one beside the other.
pub(super) type Ends = (Vec<OffsetDateTime>, Vec<OffsetDateTime>);

impl Asked<'_> {
    pub(super) fn ends(&self) -> (OffsetDateTime, OffsetDateTime) {
        let first = self.bounds.first().copied();
        let last = self.bounds.last().copied();
        let epoch = OffsetDateTime::UNIX_EPOCH;
        (first.unwrap_or(epoch), last.unwrap_or(epoch))
    }

    /// First and last moments of the stretches to read by day, and of those to read by hour.
    pub(super) fn stretches(&self) -> (Ends, Ends) {
        let bounds: Vec<Moment> = self.bounds.iter().copied().map(moment).collect();
        let cut = Stretches::of(&bounds);
        let ends = |stretches: Vec<(Moment, Moment)>| -> Ends {
            let ends = stretches.into_iter();
            ends.map(|(from, until)| (OffsetDateTime::from(from), OffsetDateTime::from(until)))
                .unzip()
        };
        (ends(cut.days), ends(cut.hours))
    }

    pub(super) fn key(&self) -> (bool, Option<Uuid>) {
        let key = self.only.key;
        (key.is_some(), key.flatten().map(|id| id.0))
    }
}

/// One sum: bucket (from 0), the word of its series, none for "all the others", and the amounts. A series that the account
/// knows and did not use in the range has one row without a bucket.
pub struct Sum {
    /// Index of the bucket.
    pub bucket: Option<usize>,
    /// Place of the series, largest first, from 1.
    pub rank: i64,
    /// The word of the series.
    pub word: Option<String>,
    pub amounts: Amounts,
}

struct Row {
    bucket: i32,
    rank: i64,
    word: Option<String>,
    ms: Decimal,
    vcpu_ms: Decimal,
    mib_ms: Decimal,
    ticks: Decimal,
}

impl Row {
    fn read(self) -> Result<Sum, Broken> {
        Ok(Sum {
            bucket: usize::try_from(self.bucket - 1).ok(),
            rank: self.rank,
            word: self.word,
            amounts: amounts(self.ms, self.vcpu_ms, self.mib_ms, self.ticks)?,
        })
    }
}

fn amounts(
    ms: Decimal,
    vcpu_ms: Decimal,
    mib_ms: Decimal,
    cost: Decimal,
) -> Result<Amounts, Broken> {
    Ok(Amounts {
        ms: whole(ms)?,
        vcpu_ms: whole(vcpu_ms)?,
        mib_ms: whole(mib_ms)?,
        ticks: ticks(cost)?,
    })
}

pub(super) fn whole(value: Decimal) -> Result<i128, Broken> {
    let whole = value.normalize();
    if whole.scale() != 0 {
        return Err(Broken::new("a sum of milliseconds holds a fraction"));
    }
    Ok(whole.mantissa())
}

/// Sums by bucket and series: at most as many named series as are asked for, and their rest.
pub(super) async fn by_cohort(
    db: &mut PgConnection,
    asked: &Asked<'_>,
) -> Result<Vec<Sum>, Broken> {
    let (from, until) = asked.ends();
    let (has_key, key) = asked.key();
    let (days, hours) = asked.stretches();
    let size = asked.only.size;
    let rows = sqlx::query_as!(
        Row,
        r#"WITH parts AS (
               SELECT width_bucket(u.day_at, $2::timestamptz[]) AS bucket, u.cohort_id, sum(u.billed_ms) AS ms, sum(u.ticks) AS ticks,
                      NULL::text AS word, NULL::integer AS vcpus, NULL::integer AS mem_mib
               FROM unnest($18::timestamptz[], $19::timestamptz[]) AS s (start_at, end_at)
               JOIN usage_days AS u ON u.account_id = $1 AND u.day_at >= s.start_at AND u.day_at < s.end_at GROUP BY 1, 2
               UNION ALL
               SELECT width_bucket(u.hour_at, $2), u.cohort_id, sum(u.billed_ms), sum(u.ticks), NULL, NULL, NULL
               FROM unnest($20::timestamptz[], $21::timestamptz[]) AS s (start_at, end_at)
               JOIN usage_hours AS u ON u.account_id = $1 AND u.hour_at >= s.start_at AND u.hour_at < s.end_at GROUP BY 1, 2
               UNION ALL
               SELECT width_bucket(l.hour_at, $2), s.cohort_id, l.billed_ms::numeric, l.ticks, NULL, NULL, NULL
               FROM unnest($13::text[], $14::timestamptz[], $15::bigint[], $16::numeric[])
                    AS l (sandbox_id, hour_at, billed_ms, ticks)
               CROSS JOIN LATERAL (SELECT cohort_id FROM sandboxes AS s
                                   WHERE s.account_id = $1 AND s.sandbox_id = l.sandbox_id LIMIT 1) AS s
               WHERE l.hour_at >= $3 AND l.hour_at < $4
               UNION ALL
               SELECT 0, cohort_id, 0, 0,
                      CASE $5::text WHEN 'key' THEN coalesce(key_id::text, '') WHEN 'size' THEN vcpus || 'x' || mem_mib
                                    WHEN 'image' THEN image WHEN 'region' THEN region ELSE '' END, vcpus, mem_mib
               FROM cohorts WHERE account_id = $1 AND (NOT $7 OR key_id IS NOT DISTINCT FROM $8::uuid)
                   AND ($9::integer IS NULL OR (vcpus, mem_mib) = ($9, $10::integer))
                   AND ($11::text IS NULL OR image = $11) AND ($12::text IS NULL OR region = $12)),
           known AS (
               SELECT bucket, ms, ticks, max(word) OVER of_cohort AS word, max(vcpus) OVER of_cohort AS vcpus,
                      max(mem_mib) OVER of_cohort AS mem_mib
               FROM parts WINDOW of_cohort AS (PARTITION BY cohort_id)),
           named AS (
               SELECT bucket, word, sum(ms) AS ms, sum(ms * vcpus) AS vcpu_ms, sum(ms * mem_mib) AS mib_ms, sum(ticks) AS ticks
               FROM known WHERE word IS NOT NULL GROUP BY 1, 2),
           summed AS (
               SELECT *, sum(CASE $6::text WHEN 'cost' THEN ticks WHEN 'vcpu-hours' THEN vcpu_ms WHEN 'gib-hours' THEN mib_ms
                                           ELSE ms END) OVER (PARTITION BY word) AS total FROM named),
           ranked AS (SELECT *, dense_rank() OVER (ORDER BY total DESC, word) AS rank FROM summed)
           SELECT bucket AS "bucket!", least(rank, $17::bigint + 1) AS "rank!", min(word) FILTER (WHERE rank <= $17) AS word,
                  sum(ms) AS "ms!", sum(vcpu_ms) AS "vcpu_ms!", sum(mib_ms) AS "mib_ms!", sum(ticks) AS "ticks!"
           FROM ranked GROUP BY 1, 2 ORDER BY 2, 1"#,
        asked.account_id.0, asked.bounds, from, until, asked.group.as_str(), asked.metric.as_str(),
        has_key, key, size.map(|size| size.vcpus), size.map(|size| size.mem_mib), asked.only.image.as_deref(),
        asked.only.region.as_deref(), &asked.unposted.sandboxes, &asked.unposted.hours, &asked.unposted.billed,
        &asked.unposted.amounts, i64::try_from(asked.series_max)?,
        &days.0, &days.1, &hours.0, &hours.1
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// The same from `slices`, by sandbox. Must be asked only after [`fits`], or for one sandbox.
pub(super) async fn by_sandbox(
    db: &mut PgConnection,
    asked: &Asked<'_>,
) -> Result<Vec<Sum>, Broken> {
    let (from, until) = asked.ends();
    let (has_key, key) = asked.key();
    let size = asked.only.size;
    let rows = sqlx::query_as!(
        Row,
        r#"WITH parts AS MATERIALIZED (
               SELECT width_bucket(hour_at, $2::timestamptz[]) AS bucket, sandbox_id,
                      sum(billed_ms) AS ms, sum(ticks) AS ticks
               FROM slices WHERE account_id = $1 AND hour_at >= $3 AND hour_at < $4 GROUP BY 1, 2
               UNION ALL
               SELECT width_bucket(l.hour_at, $2), l.sandbox_id, l.billed_ms::numeric, l.ticks
               FROM unnest($12::text[], $13::timestamptz[], $14::bigint[], $15::numeric[])
                    AS l (sandbox_id, hour_at, billed_ms, ticks)
               WHERE l.hour_at >= $3 AND l.hour_at < $4),
           traits AS (
               SELECT d.sandbox_id, s.vcpus, s.mem_mib FROM (SELECT DISTINCT sandbox_id FROM parts) AS d
               CROSS JOIN LATERAL (SELECT key_id, image, region, vcpus, mem_mib FROM sandboxes AS s
                                   WHERE s.account_id = $1 AND s.sandbox_id = d.sandbox_id LIMIT 1) AS s
               WHERE (NOT $6 OR s.key_id IS NOT DISTINCT FROM $7::uuid)
                   AND ($8::integer IS NULL OR (s.vcpus, s.mem_mib) = ($8, $9::integer))
                   AND ($10::text IS NULL OR s.image = $10) AND ($11::text IS NULL OR s.region = $11)),
           known AS (
               SELECT bucket, word, ms, ticks, max(vcpus) OVER of_sandbox AS vcpus, max(mem_mib) OVER of_sandbox AS mem_mib
               FROM (SELECT bucket, sandbox_id AS word, ms, ticks, NULL::integer AS vcpus, NULL::integer AS mem_mib FROM parts
                     UNION ALL SELECT NULL, sandbox_id, 0, 0, vcpus, mem_mib FROM traits) AS either
               WINDOW of_sandbox AS (PARTITION BY word)),
           named AS (
               SELECT bucket, word, sum(ms) AS ms, sum(ms * vcpus) AS vcpu_ms, sum(ms * mem_mib) AS mib_ms, sum(ticks) AS ticks
               FROM known WHERE bucket IS NOT NULL AND vcpus IS NOT NULL GROUP BY 1, 2),
           summed AS (
               SELECT *, sum(CASE $5::text WHEN 'cost' THEN ticks WHEN 'vcpu-hours' THEN vcpu_ms WHEN 'gib-hours' THEN mib_ms
                                           ELSE ms END) OVER (PARTITION BY word) AS total FROM named),
           ranked AS (SELECT *, dense_rank() OVER (ORDER BY total DESC, word) AS rank FROM summed)
           SELECT bucket AS "bucket!", least(rank, $16::bigint + 1) AS "rank!", min(word) FILTER (WHERE rank <= $16) AS word,
                  sum(ms) AS "ms!", sum(vcpu_ms) AS "vcpu_ms!", sum(mib_ms) AS "mib_ms!", sum(ticks) AS "ticks!"
           FROM ranked GROUP BY 1, 2 ORDER BY 2, 1"#,
        asked.account_id.0, asked.bounds, from, until, asked.metric.as_str(), has_key, key,
        size.map(|size| size.vcpus), size.map(|size| size.mem_mib), asked.only.image.as_deref(),
        asked.only.region.as_deref(), &asked.unposted.sandboxes, &asked.unposted.hours, &asked.unposted.billed,
        &asked.unposted.amounts, i64::try_from(asked.series_max)?
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Sums of one sandbox by bucket. The word of its series is that of the group, so the chart keeps its shape.
pub(super) async fn of_sandbox(
    db: &mut PgConnection,
    asked: &Asked<'_>,
    sandbox_id: &str,
) -> Result<Vec<Sum>, Broken> {
    let (from, until) = asked.ends();
    let (has_key, key) = asked.key();
    let size = asked.only.size;
    let rows = sqlx::query_as!(
        Row,
        r#"WITH parts AS (
               SELECT width_bucket(hour_at, $2::timestamptz[]) AS bucket, sum(billed_ms) AS ms, sum(ticks) AS ticks
               FROM slices WHERE account_id = $1 AND sandbox_id = $3 AND hour_at >= $4 AND hour_at < $5 GROUP BY 1
               UNION ALL
               SELECT width_bucket(l.hour_at, $2), l.billed_ms::numeric, l.ticks
               FROM unnest($13::text[], $14::timestamptz[], $15::bigint[], $16::numeric[])
                    AS l (sandbox_id, hour_at, billed_ms, ticks)
               WHERE l.sandbox_id = $3 AND l.hour_at >= $4 AND l.hour_at < $5)
           SELECT p.bucket AS "bucket!", 1::bigint AS "rank!",
                  CASE $6::text WHEN 'key' THEN coalesce(s.key_id::text, '') WHEN 'size' THEN s.vcpus || 'x' || s.mem_mib
                                WHEN 'image' THEN s.image WHEN 'region' THEN s.region WHEN 'sandbox' THEN s.sandbox_id
                                ELSE '' END AS word,
                  sum(p.ms) AS "ms!", sum(p.ms * s.vcpus) AS "vcpu_ms!", sum(p.ms * s.mem_mib) AS "mib_ms!", sum(p.ticks) AS "ticks!"
           FROM parts AS p JOIN sandboxes AS s ON s.account_id = $1 AND s.sandbox_id = $3
           WHERE (NOT $7 OR s.key_id IS NOT DISTINCT FROM $8::uuid)
               AND ($9::integer IS NULL OR (s.vcpus, s.mem_mib) = ($9, $10::integer))
               AND ($11::text IS NULL OR s.image = $11) AND ($12::text IS NULL OR s.region = $12)
           GROUP BY 1, 3 ORDER BY 1"#,
        asked.account_id.0, asked.bounds, sandbox_id, from, until, asked.group.as_str(), has_key, key,
        size.map(|size| size.vcpus), size.map(|size| size.mem_mib), asked.only.image.as_deref(),
        asked.only.region.as_deref(), &asked.unposted.sandboxes, &asked.unposted.hours, &asked.unposted.billed,
        &asked.unposted.amounts
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// True when so few rated hours lie in `[from, until)` that a page can read them one by one.
pub(crate) async fn fits(
    db: &mut PgConnection,
    account_id: AccountId,
    from: Moment,
    until: Moment,
) -> Result<bool, Broken> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM (SELECT 1 FROM slices WHERE account_id = $1 AND hour_at >= $2 AND hour_at < $3
                                            LIMIT $4) AS rated"#,
        account_id.0, OffsetDateTime::from(from), OffsetDateTime::from(until), USAGE_SLICES_MAX + 1
    )
    .fetch_one(db)
    .await?;
    Ok(count <= USAGE_SLICES_MAX)
}

/// Names of keys of the account, and whether they are revoked; what is not among them is unknown here.
pub(super) async fn key_names(
    db: &mut PgConnection,
    account_id: AccountId,
    keys: &[Uuid],
) -> Result<Vec<(Uuid, String, bool)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT key_id, name, revoked_at IS NOT NULL AS "is_revoked!" FROM keys
           WHERE account_id = $1 AND key_id = ANY($2)"#,
        account_id.0,
        keys
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.key_id, row.name, row.is_revoked))
        .collect())
}
