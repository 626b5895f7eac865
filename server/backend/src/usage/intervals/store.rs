//! Single intervals inside a window of time: the last step of every question about a sum.
//! What an interval costs is `domain`'s; sums are `usage::sums`'.

use domain::ceilings::PAGE_ROWS;
use domain::id::AccountId;
use domain::usage::query::Window;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::failure::Broken;

pub(super) struct IntervalRow {
    pub sandbox_id: String,
    pub started_at: OffsetDateTime,
    /// When it ended; none while it runs.
    pub ended_at: Option<OffsetDateTime>,
    pub image: String,
    pub region: String,
    pub vcpus: i32,
    pub mem_mib: i32,
    pub key_id: Option<Uuid>,
    pub key_name: Option<String>,
    pub is_revoked: bool,
}

/// Intervals that reach into a window, newest first; one row more than a page tells that more follow. They are found
/// through the rated hours of the window, so intervals too short to be billed are left out; `running` are the sandboxes
/// that have hours not posted yet. Must be asked only when the window fits (`usage::sums::fits`), or for one sandbox.
pub(super) async fn list(
    db: &mut PgConnection,
    account_id: AccountId,
    window: &Window,
    running: &[String],
    after: Option<(OffsetDateTime, String)>,
) -> Result<Vec<IntervalRow>, Broken> {
    let only = &window.only;
    let (from, until) = (
        OffsetDateTime::from(window.from),
        OffsetDateTime::from(window.until),
    );
    let busy = match &only.sandbox {
        Some(sandbox) => vec![sandbox.to_string()],
        None => sqlx::query_scalar!(
            r#"SELECT sandbox_id AS "sandbox_id!" FROM slices WHERE account_id = $1 AND hour_at >= $2 AND hour_at < $3
               UNION SELECT unnest($4::text[])"#,
            account_id.0, from, until, running
        )
        .fetch_all(&mut *db)
        .await?,
    };
    let (at, id) = after.unzip();
    Ok(sqlx::query_as!(
        IntervalRow,
        r#"SELECT l.sandbox_id, l.started_at, l.ended_at, l.image, l.region, l.vcpus, l.mem_mib, l.key_id,
                  k.name AS "key_name?", coalesce(k.revoked_at IS NOT NULL, false) AS "is_revoked!"
           FROM (SELECT i.sandbox_id, i.ordinal, i.started_at, i.ended_at, s.image, s.region, s.vcpus, s.mem_mib, s.key_id
                 FROM unnest($2::text[]) AS b (sandbox_id)
                 CROSS JOIN LATERAL (SELECT image, region, vcpus, mem_mib, key_id FROM sandboxes AS s
                                     WHERE s.account_id = $1 AND s.sandbox_id = b.sandbox_id LIMIT 1) AS s
                 CROSS JOIN LATERAL (
                     SELECT i.sandbox_id, i.ordinal, i.started_at, i.ended_at FROM intervals AS i
                     WHERE i.account_id = $1 AND i.sandbox_id = b.sandbox_id
                         AND i.started_at < $4 AND (i.ended_at IS NULL OR i.ended_at > greatest($3, i.started_at))
                         AND ($11::timestamptz IS NULL OR (i.started_at, i.sandbox_id) < ($11, $12))
                     ORDER BY i.started_at DESC, i.ordinal DESC LIMIT $13) AS i
                 WHERE (NOT $5 OR s.key_id IS NOT DISTINCT FROM $6::uuid)
                     AND ($7::integer IS NULL OR (s.vcpus, s.mem_mib) = ($7, $8::integer))
                     AND ($9::text IS NULL OR s.image = $9) AND ($10::text IS NULL OR s.region = $10)
                 ORDER BY i.started_at DESC, i.sandbox_id DESC, i.ordinal DESC LIMIT $13) AS l
           LEFT JOIN keys AS k ON k.account_id = $1 AND k.key_id = l.key_id
           ORDER BY l.started_at DESC, l.sandbox_id DESC, l.ordinal DESC"#,
        account_id.0, &busy, from, until, only.key.is_some(), only.key.flatten().map(|key| key.0),
        only.size.map(|size| size.vcpus), only.size.map(|size| size.mem_mib), only.image.as_deref(),
        only.region.as_deref(), at, id, PAGE_ROWS + 1
    )
    .fetch_all(db)
    .await?)
}
