//! The feed as received: its cursor and its log of every event. The cursor moves only in the transaction that stores the
//! events, which are `events`' by tenant; checking for gaps and rewrites is `pull`'s.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::failure::Broken;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The feed's epoch; none before the first answer.
    pub epoch: Option<String>,
    /// The last sequence number stored.
    pub seq: i64,
    /// Everything that happened before this is stored; none before the first answer.
    pub watermark_at: Option<OffsetDateTime>,
    /// The watermark up to which every account is settled too.
    pub settled_at: Option<OffsetDateTime>,
    /// When the orchestrator last answered, by our clock.
    pub answered_at: Option<OffsetDateTime>,
    /// When the feed was stopped by a gap or a rewritten event.
    pub stopped_at: Option<OffsetDateTime>,
    /// How often in a row pulling broke, up to now.
    pub failures: i32,
}

/// So many in a row are no accident: an alarm, and what pages say is then not that the orchestrator is silent.
pub(crate) const FAILURES_ALARM: i32 = 10;

/// Reads a cursor, making its row at the first call.
pub(super) async fn cursor(db: &mut PgConnection, feed: &str) -> Result<Cursor, Broken> {
    sqlx::query!(
        "INSERT INTO feed_cursors (feed) VALUES ($1) ON CONFLICT DO NOTHING",
        feed
    )
    .execute(&mut *db)
    .await?;
    Ok(sqlx::query_as!(
        Cursor,
        "SELECT epoch, seq, watermark_at, settled_at, answered_at, stopped_at, failures FROM feed_cursors WHERE feed = $1",
        feed
    )
    .fetch_one(db)
    .await?)
}

/// Reads a cursor for a page; none before the worker first ran.
pub(crate) async fn peek(db: &mut PgConnection, feed: &str) -> Result<Option<Cursor>, Broken> {
    Ok(sqlx::query_as!(
        Cursor,
        "SELECT epoch, seq, watermark_at, settled_at, answered_at, stopped_at, failures FROM feed_cursors WHERE feed = $1",
        feed
    )
    .fetch_optional(db)
    .await?)
}

/// Moves the cursor from exactly `from`; false when another worker moved it meanwhile, and then nothing may be kept.
pub(super) async fn advance(
    db: &mut PgConnection,
    feed: &str,
    from: &Cursor,
    to: &Cursor,
) -> Result<bool, Broken> {
    let done = sqlx::query!(
        "UPDATE feed_cursors SET epoch = $4, seq = $5, watermark_at = greatest(watermark_at, $6), answered_at = $7,
                failures = 0
         WHERE feed = $1 AND epoch IS NOT DISTINCT FROM $2 AND seq = $3 AND stopped_at IS NULL",
        feed, from.epoch, from.seq, to.epoch, to.seq, to.watermark_at, to.answered_at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that every account is settled up to `watermark_at`.
pub(in crate::metering) async fn settled(
    db: &mut PgConnection,
    feed: &str,
    watermark_at: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE feed_cursors SET settled_at = greatest(settled_at, $2) WHERE feed = $1",
        feed,
        watermark_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The last old event that the present round of reading again has reached.
pub(super) async fn rechecked(db: &mut PgConnection, feed: &str) -> Result<i64, Broken> {
    let seq = sqlx::query_scalar!("SELECT rechecked FROM feed_cursors WHERE feed = $1", feed);
    Ok(seq.fetch_one(db).await?)
}

/// Notes how far the round has come; 0 begins a new one.
pub(super) async fn set_rechecked(
    db: &mut PgConnection,
    feed: &str,
    seq: i64,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE feed_cursors SET rechecked = $2 WHERE feed = $1",
        feed,
        seq
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Stops a feed at once and for good, until a person has looked. Nothing stored is touched.
pub(super) async fn stop(
    db: &mut PgConnection,
    feed: &str,
    reason: &str,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE feed_cursors SET stopped_at = $3, stop_reason = $2 WHERE feed = $1 AND stopped_at IS NULL",
        feed, reason, now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that pulling broke once more; gives how often in a row that is now.
pub(super) async fn failed(db: &mut PgConnection, feed: &str) -> Result<i32, Broken> {
    let failures = sqlx::query_scalar!(
        "UPDATE feed_cursors SET failures = least(failures, 1000000) + 1 WHERE feed = $1 RETURNING failures",
        feed
    );
    Ok(failures.fetch_optional(db).await?.unwrap_or_default())
}

pub struct LogRow {
    pub seq: i64,
    /// The orchestrator's id of the event; none when it does not count.
    pub event_id: Option<Uuid>,
    /// SHA-256 of its content in canonical form.
    pub content_sha256: [u8; 32],
    /// The account it names, ours or not; none when it names none.
    pub account_id: Option<Uuid>,
    pub set_aside: Option<&'static str>,
    /// What was said, kept only when not all of it counts.
    pub raw: Option<Vec<u8>>,
}

/// A line that we hold.
pub(super) struct HeldRow {
    pub seq: i64,
    pub content_sha256: Vec<u8>,
    /// True when it became an event.
    pub counts: bool,
}

/// What we hold of these lines.
pub(super) async fn held(
    db: &mut PgConnection,
    (feed, epoch): (&str, &str),
    seqs: &[i64],
) -> Result<Vec<HeldRow>, Broken> {
    Ok(sqlx::query_as!(
        HeldRow,
        r#"SELECT seq, content_sha256, set_aside IS NULL AS "counts!" FROM feed_log
           WHERE feed = $1 AND epoch = $2 AND seq = ANY($3)"#,
        feed,
        epoch,
        seqs
    )
    .fetch_all(db)
    .await?)
}

/// Which of these ids are those of events that count already.
pub(super) async fn known_events(db: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Uuid>, Broken> {
    Ok(sqlx::query_scalar!(
        r#"SELECT event_id AS "event_id!" FROM feed_log WHERE event_id = ANY($1)"#,
        ids
    )
    .fetch_all(db)
    .await?)
}

/// Appends a batch to the log in one statement.
pub(super) async fn append_log(
    db: &mut PgConnection,
    (feed, epoch): (&str, &str),
    rows: &[LogRow],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let ids: Vec<Option<Uuid>> = rows.iter().map(|row| row.event_id).collect();
    let hashes: Vec<&[u8]> = rows.iter().map(|row| &row.content_sha256[..]).collect();
    let accounts: Vec<Option<Uuid>> = rows.iter().map(|row| row.account_id).collect();
    let aside: Vec<Option<&str>> = rows.iter().map(|row| row.set_aside).collect();
    let raws: Vec<Option<&[u8]>> = rows.iter().map(|row| row.raw.as_deref()).collect();
    sqlx::query!(
        "INSERT INTO feed_log (feed, epoch, seq, event_id, content_sha256, account_id, set_aside, raw, received_at)
         SELECT $1, $2, u.seq, u.event_id, u.hash, u.account_id, u.aside, u.raw, $9
         FROM unnest($3::bigint[], $4::uuid[], $5::bytea[], $6::uuid[], $7::text[], $8::bytea[])
              AS u (seq, event_id, hash, account_id, aside, raw)",
        feed, epoch, &seqs, &ids as &[Option<Uuid>], &hashes as &[&[u8]], &accounts as &[Option<Uuid>],
        &aside as &[Option<&str>], &raws as &[Option<&[u8]>], now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Which of these accounts are ours.
pub(super) async fn known_accounts(
    db: &mut PgConnection,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, Broken> {
    Ok(sqlx::query_scalar!(
        "SELECT account_id FROM accounts WHERE account_id = ANY($1)",
        ids
    )
    .fetch_all(db)
    .await?)
}

/// What alarms read.
pub(crate) struct Alarms {
    /// Lines set aside, ever.
    pub aside: i64,
    /// Feeds that are stopped.
    pub stopped: i64,
    /// The most breaks in a row of any feed.
    pub failures: i32,
}

/// Lines set aside, feeds stopped and breaks in a row, for metrics and alarms.
pub(crate) async fn alarms(db: &mut PgConnection) -> Result<Alarms, Broken> {
    Ok(sqlx::query_as!(
        Alarms,
        r#"SELECT (SELECT count(*) FROM feed_log WHERE set_aside IS NOT NULL) AS "aside!",
                  (SELECT count(*) FROM feed_cursors WHERE stopped_at IS NOT NULL) AS "stopped!",
                  (SELECT coalesce(max(failures), 0) FROM feed_cursors) AS "failures!""#
    )
    .fetch_one(db)
    .await?)
}
