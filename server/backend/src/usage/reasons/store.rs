//! Why one stretch of time cost more or less than another: the largest differences by key, image, size or sandbox.
//! Sums over buckets are `usage::sums`'.

use rust_decimal::Decimal;
use sqlx::PgConnection;

use crate::failure::Broken;
use crate::usage::sums::{Asked, whole};

/// Differences shown per kind.
const SHOWN: i64 = 5;

/// One difference, in the raw units of the metric that was asked.
pub(super) struct Difference {
    /// The word of a key, size, image or sandbox.
    pub word: String,
    /// In the later stretch.
    pub now: i128,
    /// In the earlier one.
    pub before: i128,
}

struct Row {
    word: String,
    now: Decimal,
    before: Decimal,
}

impl Row {
    fn read(self) -> Result<Difference, Broken> {
        Ok(Difference {
            word: self.word,
            now: whole(self.now)?,
            before: whole(self.before)?,
        })
    }
}

/// The largest differences by key, size or image. `bounds` are four: both ends of the earlier stretch, then of the later.
pub(super) async fn by_cohort(
    db: &mut PgConnection,
    asked: &Asked<'_>,
) -> Result<Vec<Difference>, Broken> {
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
                                    ELSE image END, vcpus, mem_mib
               FROM cohorts WHERE account_id = $1 AND (NOT $7 OR key_id IS NOT DISTINCT FROM $8::uuid)
                   AND ($9::integer IS NULL OR (vcpus, mem_mib) = ($9, $10::integer))
                   AND ($11::text IS NULL OR image = $11) AND ($12::text IS NULL OR region = $12)),
           known AS (
               SELECT bucket, ms, ticks, max(word) OVER of_cohort AS word, max(vcpus) OVER of_cohort AS vcpus,
                      max(mem_mib) OVER of_cohort AS mem_mib
               FROM parts WINDOW of_cohort AS (PARTITION BY cohort_id)),
           valued AS (
               SELECT word, bucket, CASE $6::text WHEN 'cost' THEN ticks WHEN 'vcpu-hours' THEN ms * vcpus
                                                  WHEN 'gib-hours' THEN ms * mem_mib ELSE ms END AS value
               FROM known WHERE word IS NOT NULL),
           paired AS (
               SELECT word, coalesce(sum(value) FILTER (WHERE bucket = 3), 0) AS now,
                      coalesce(sum(value) FILTER (WHERE bucket = 1), 0) AS before FROM valued GROUP BY word)
           SELECT word AS "word!", now AS "now!", before AS "before!" FROM paired WHERE now <> before
           ORDER BY abs(now - before) DESC, word LIMIT $17"#,
        asked.account_id.0, asked.bounds, from, until, asked.group.as_str(), asked.metric.as_str(),
        has_key, key, size.map(|size| size.vcpus), size.map(|size| size.mem_mib), asked.only.image.as_deref(),
        asked.only.region.as_deref(), &asked.unposted.sandboxes, &asked.unposted.hours, &asked.unposted.billed,
        &asked.unposted.amounts, SHOWN,
        &days.0, &days.1, &hours.0, &hours.1
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// The largest differences by sandbox. Must be asked only when both stretches fit (`usage::sums::fits`).
pub(super) async fn by_sandbox(
    db: &mut PgConnection,
    asked: &Asked<'_>,
) -> Result<Vec<Difference>, Broken> {
    let (has_key, key) = asked.key();
    let size = asked.only.size;
    let [before_from, before_until, from, until] = asked.bounds else {
        return Err(Broken::new("a comparison needs four bounds"));
    };
    let rows = sqlx::query_as!(
        Row,
        r#"WITH parts AS MATERIALIZED (
               SELECT width_bucket(hour_at, $2::timestamptz[]) AS bucket, sandbox_id, sum(billed_ms) AS ms, sum(ticks) AS ticks
               FROM slices WHERE account_id = $1 AND ((hour_at >= $3 AND hour_at < $4) OR (hour_at >= $5 AND hour_at < $6))
               GROUP BY 1, 2
               UNION ALL
               SELECT width_bucket(l.hour_at, $2), l.sandbox_id, l.billed_ms::numeric, l.ticks
               FROM unnest($14::text[], $15::timestamptz[], $16::bigint[], $17::numeric[])
                    AS l (sandbox_id, hour_at, billed_ms, ticks)
               WHERE l.hour_at >= $3 AND l.hour_at < $6),
           traits AS (
               SELECT d.sandbox_id, s.vcpus, s.mem_mib FROM (SELECT DISTINCT sandbox_id FROM parts) AS d
               CROSS JOIN LATERAL (SELECT key_id, image, region, vcpus, mem_mib FROM sandboxes AS s
                                   WHERE s.account_id = $1 AND s.sandbox_id = d.sandbox_id LIMIT 1) AS s
               WHERE (NOT $8 OR s.key_id IS NOT DISTINCT FROM $9::uuid)
                   AND ($10::integer IS NULL OR (s.vcpus, s.mem_mib) = ($10, $11::integer))
                   AND ($12::text IS NULL OR s.image = $12) AND ($13::text IS NULL OR s.region = $13)
                   AND ($18::text IS NULL OR d.sandbox_id = $18)),
           known AS (
               SELECT bucket, sandbox_id, ms, ticks, max(vcpus) OVER of_sandbox AS vcpus, max(mem_mib) OVER of_sandbox AS mem_mib
               FROM (SELECT bucket, sandbox_id, ms, ticks, NULL::integer AS vcpus, NULL::integer AS mem_mib FROM parts
                     UNION ALL SELECT NULL, sandbox_id, 0, 0, vcpus, mem_mib FROM traits) AS either
               WINDOW of_sandbox AS (PARTITION BY sandbox_id)),
           valued AS (
               SELECT sandbox_id, bucket, CASE $7::text WHEN 'cost' THEN ticks WHEN 'vcpu-hours' THEN ms * vcpus
                                                        WHEN 'gib-hours' THEN ms * mem_mib ELSE ms END AS value
               FROM known WHERE bucket IS NOT NULL AND vcpus IS NOT NULL),
           paired AS (
               SELECT sandbox_id, coalesce(sum(value) FILTER (WHERE bucket = 3), 0) AS now,
                      coalesce(sum(value) FILTER (WHERE bucket = 1), 0) AS before FROM valued GROUP BY sandbox_id)
           SELECT sandbox_id AS "word!", now AS "now!", before AS "before!" FROM paired WHERE now <> before
           ORDER BY abs(now - before) DESC, sandbox_id LIMIT $19"#,
        asked.account_id.0, asked.bounds, before_from, before_until, from, until, asked.metric.as_str(), has_key, key,
        size.map(|size| size.vcpus), size.map(|size| size.mem_mib), asked.only.image.as_deref(),
        asked.only.region.as_deref(), &asked.unposted.sandboxes, &asked.unposted.hours, &asked.unposted.billed,
        &asked.unposted.amounts, asked.only.sandbox.as_ref().map(domain::sandbox::SandboxId::as_str), SHOWN
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::read).collect()
}
