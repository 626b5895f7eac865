//! The feed's events by tenant, in the columns that the fold reads. The log that proves them is `log`'s.

use std::collections::HashMap;

use domain::feed::{Event, EventKind, StopReason};
use domain::id::AccountId;
use domain::sandbox::{SandboxId, Size};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{join_by_keys, moment};
use crate::failure::Broken;
use crate::metering::feed::line::{Made, Told};

/// Events of one question at most: two hundred sandboxes with five hundred turns each.
pub(crate) const EVENTS_MAX: i64 = 100_000;

/// An event with what only the log of a sandbox shows.
pub struct StoredEvent {
    /// The event as the fold reads it.
    pub event: Event,
    pub parent_id: Option<String>,
    /// Processor milliseconds used so far, where the orchestrator says so.
    pub cpu_ms: Option<i64>,
    /// Why it stopped, where the orchestrator says so.
    pub reason: Option<StopReason>,
    /// When its timer will destroy it, as far as this event knows.
    pub destroy_at: Option<OffsetDateTime>,
}

impl StoredEvent {
    fn place(&self) -> (AccountId, &SandboxId, i64) {
        (
            self.event.account_id,
            &self.event.sandbox_id,
            self.event.seq,
        )
    }
}

/// Appends events by tenant in one statement: account by account, so that what is read together lies together.
pub(super) async fn append(
    db: &mut PgConnection,
    (feed, epoch): (&str, &str),
    rows: &mut [StoredEvent],
) -> Result<(), Broken> {
    rows.sort_unstable_by(|a, b| a.place().cmp(&b.place()));
    macro_rules! column {
        ($type:ty, $row:ident => $value:expr) => {
            rows.iter().map(|$row| $value).collect::<Vec<$type>>()
        };
    }
    let at = |moment: domain::moment::Moment| OffsetDateTime::from(moment);
    sqlx::query!(
        "INSERT INTO feed_events (feed, epoch, account_id, seq, event_id, sandbox_id, key_id, parent_id, kind,
                                  occurred_at, recorded_at, image, region, vcpus, mem_mib, cpu_ms, reason,
                                  destroy_at)
         SELECT $1, $2, * FROM unnest($3::uuid[], $4::bigint[], $5::uuid[], $6::text[], $7::uuid[], $8::text[],
              $9::text[], $10::timestamptz[], $11::timestamptz[], $12::text[], $13::text[], $14::integer[],
              $15::integer[], $16::bigint[], $17::text[], $18::timestamptz[])",
        feed,
        epoch,
        &column!(Uuid, row => row.event.account_id.0),
        &column!(i64, row => row.event.seq),
        &column!(Uuid, row => row.event.event_id),
        &column!(&str, row => row.event.sandbox_id.as_str()) as &[&str],
        &column!(Option<Uuid>, row => row.event.key_id.map(|id| id.0)) as &[Option<Uuid>],
        &column!(Option<&str>, row => row.parent_id.as_deref()) as &[Option<&str>],
        &column!(&str, row => row.event.kind.as_str()) as &[&str],
        &column!(OffsetDateTime, row => at(row.event.occurred_at)),
        &column!(OffsetDateTime, row => at(row.event.recorded_at)),
        &column!(&str, row => row.event.image.as_str()) as &[&str],
        &column!(&str, row => row.event.region.as_str()) as &[&str],
        &column!(i32, row => row.event.size.vcpus),
        &column!(i32, row => row.event.size.mem_mib),
        &column!(Option<i64>, row => row.cpu_ms) as &[Option<i64>],
        &column!(Option<&str>, row => row.reason.map(StopReason::as_str)) as &[Option<&str>],
        &column!(Option<OffsetDateTime>, row => row.destroy_at) as &[Option<OffsetDateTime>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Events of an account that are not settled yet: those after one position up to another.
pub struct Pending {
    /// The account of all of them.
    pub account_id: AccountId,
    /// The last position that is settled.
    pub after: i64,
    /// The last one to settle now.
    pub last: i64,
    /// False when more events of the account are stored behind it.
    pub is_whole: bool,
}

/// All events up to the last pending one of every sandbox that has pending events, by account and sandbox in the order of the feed. Where an
/// account is settled in pieces, those behind the piece too: without them it would be booked as running on and then be
/// corrected. Elsewhere never: what arrived meanwhile is the next round's, and until then it is not in the books.
pub(in crate::metering) async fn of_touched(
    db: &mut PgConnection,
    (feed, epoch): (&str, &str),
    pending: &[Pending],
) -> Result<Vec<StoredEvent>, Broken> {
    // Whatever the planner believes of the table, which grows faster than its statistics, each account is one look into an
    // index.
    join_by_keys(db, true).await?;
    let mut events = fresh(db, (feed, epoch), pending).await?;
    join_by_keys(db, false).await?;
    // An account whose events are all pending has no others.
    let partly: HashMap<AccountId, &Pending> = pending
        .iter()
        .filter(|row| row.after > 0 || !row.is_whole)
        .map(|row| (row.account_id, row))
        .collect();
    let mut touched: Vec<(&Pending, SandboxId)> = events
        .iter()
        .filter_map(|row| {
            let pending = *partly.get(&row.event.account_id)?;
            Some((pending, row.event.sandbox_id.clone()))
        })
        .collect();
    touched.sort_unstable_by(|a, b| (a.0.account_id, &a.1).cmp(&(b.0.account_id, &b.1)));
    touched.dedup_by(|a, b| (a.0.account_id, &a.1) == (b.0.account_id, &b.1));
    for of_one in touched.chunk_by(|a, b| a.0.account_id == b.0.account_id) {
        let ids: Vec<&str> = of_one.iter().map(|(_, id)| id.as_str()).collect();
        if let Some((pending, _)) = of_one.first() {
            events.extend(others(db, (feed, epoch), pending, &ids).await?);
        }
    }
    events.sort_unstable_by(|a, b| a.place().cmp(&b.place()));
    Ok(events)
}

/// An event as its row says it, whatever that is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    account_id: Uuid,
    seq: i64,
    event_id: Uuid,
    sandbox_id: String,
    key_id: Option<Uuid>,
    parent_id: Option<String>,
    kind: String,
    occurred_at: OffsetDateTime,
    recorded_at: OffsetDateTime,
    image: String,
    region: String,
    vcpus: i32,
    mem_mib: i32,
    cpu_ms: Option<i64>,
    reason: Option<String>,
    destroy_at: Option<OffsetDateTime>,
}

async fn fresh(
    db: &mut PgConnection,
    (feed, epoch): (&str, &str),
    pending: &[Pending],
) -> Result<Vec<StoredEvent>, Broken> {
    let accounts: Vec<Uuid> = pending.iter().map(|row| row.account_id.0).collect();
    let after: Vec<i64> = pending.iter().map(|row| row.after).collect();
    let last: Vec<i64> = pending.iter().map(|row| row.last).collect();
    let rows = sqlx::query_as!(
        Row,
        "SELECT e.account_id, e.seq, e.event_id, e.sandbox_id, e.key_id, e.parent_id, e.kind, e.occurred_at, e.recorded_at,
                e.image, e.region, e.vcpus, e.mem_mib, e.cpu_ms, e.reason, e.destroy_at
         FROM unnest($3::uuid[], $4::bigint[], $5::bigint[]) AS u (account_id, after, last)
         JOIN feed_events AS e
             ON e.account_id = u.account_id AND e.seq > u.after AND e.seq <= u.last AND e.feed = $1 AND e.epoch = $2",
        feed,
        epoch,
        &accounts,
        &after,
        &last
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Settled events, and those behind the piece, of these sandboxes of one account. Account by account: a join of pairs was
/// turned around while the table grew faster than its statistics, and then ran into the timeout.
async fn others(
    db: &mut PgConnection,
    (feed, epoch): (&str, &str),
    pending: &Pending,
    ids: &[&str],
) -> Result<Vec<StoredEvent>, Broken> {
    let behind = if pending.is_whole {
        i64::MAX
    } else {
        pending.last
    };
    let rows = sqlx::query_as!(
        Row,
        "SELECT account_id, seq, event_id, sandbox_id, key_id, parent_id, kind, occurred_at, recorded_at, image, region, vcpus,
                mem_mib, cpu_ms, reason, destroy_at
         FROM feed_events
         WHERE account_id = $1 AND sandbox_id = ANY($2) AND (seq <= $3 OR seq > $4) AND feed = $5 AND epoch = $6",
        pending.account_id.0,
        ids as &[&str],
        pending.after,
        behind,
        feed,
        epoch
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Events of these sandboxes up to a sequence number, by sandbox and in the order of the feed.
pub(crate) async fn of_sandboxes(
    db: &mut PgConnection,
    account_id: AccountId,
    ids: &[String],
    up_to: i64,
) -> Result<Vec<Event>, Broken> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT account_id, seq, event_id, sandbox_id, key_id, parent_id, kind, occurred_at, recorded_at, image, region, vcpus,
                mem_mib, cpu_ms, reason, destroy_at
         FROM feed_events WHERE account_id = $1 AND sandbox_id = ANY($2) AND seq <= $3
         ORDER BY sandbox_id, seq LIMIT $4",
        account_id.0,
        ids,
        up_to,
        EVENTS_MAX
    )
    .fetch_all(db)
    .await?;
    if i64::try_from(rows.len())? == EVENTS_MAX {
        return Err(Broken::new("more events than one look can hold"));
    }
    rows.into_iter().map(|row| Ok(row.read()?.event)).collect()
}

/// What these sandboxes of one account are, as their creates say it.
pub(super) async fn made(
    db: &mut PgConnection,
    account_id: AccountId,
    ids: &[String],
) -> Result<Vec<(SandboxId, Made)>, Broken> {
    let rows = sqlx::query!(
        "SELECT DISTINCT ON (sandbox_id) sandbox_id, image, region, vcpus, mem_mib FROM feed_events
         WHERE account_id = $1 AND sandbox_id = ANY($2) AND kind = 'created' ORDER BY sandbox_id, seq",
        account_id.0,
        ids
    )
    .fetch_all(db)
    .await?;
    let broken = || Broken::new("stored event cannot be read");
    rows.into_iter()
        .map(|row| {
            let made = Made {
                image: row.image,
                region: row.region,
                size: Size::new(row.vcpus, row.mem_mib).ok_or_else(broken)?,
            };
            Ok((SandboxId::parse(&row.sandbox_id).ok_or_else(broken)?, made))
        })
        .collect()
}

/// The rows of these accounts with numbers in `(from, to]`, whatever they say: one range of an index for each account.
pub(super) async fn rows_between(
    db: &mut PgConnection,
    (feed, epoch): (&str, &str),
    accounts: &[Uuid],
    (from, to): (i64, i64),
) -> Result<Vec<Row>, Broken> {
    Ok(sqlx::query_as!(
        Row,
        "SELECT e.account_id, e.seq, e.event_id, e.sandbox_id, e.key_id, e.parent_id, e.kind, e.occurred_at, e.recorded_at,
                e.image, e.region, e.vcpus, e.mem_mib, e.cpu_ms, e.reason, e.destroy_at
         FROM unnest($3::uuid[]) AS u (account_id)
         JOIN feed_events AS e
             ON e.account_id = u.account_id AND e.seq > $4 AND e.seq <= $5 AND e.feed = $1 AND e.epoch = $2
         LIMIT $6",
        feed,
        epoch,
        accounts,
        from,
        to,
        EVENTS_MAX
    )
    .fetch_all(db)
    .await?)
}

impl Row {
    /// The row that an event makes. Of an end that came damaged what its sandbox is stands in no event: that is `stored`'s.
    pub(super) fn of(told: &Told, stored: Option<&Self>) -> Self {
        let said = told.made.as_ref();
        let size = said.map(|made| (made.size.vcpus, made.size.mem_mib));
        let size = size.or_else(|| stored.map(|row| (row.vcpus, row.mem_mib)));
        let (vcpus, mem_mib) = size.unwrap_or_default();
        let image = said.map(|made| &made.image);
        let region = said.map(|made| &made.region);
        Self {
            account_id: told.account_id.0,
            seq: told.seq,
            event_id: told.event_id,
            sandbox_id: told.sandbox_id.to_string(),
            key_id: told.key_id.map(|id| id.0),
            parent_id: told.parent_id.clone(),
            kind: told.kind.as_str().to_owned(),
            occurred_at: told.occurred_at.into(),
            recorded_at: told.recorded_at.into(),
            image: image
                .or(stored.map(|row| &row.image))
                .cloned()
                .unwrap_or_default(),
            region: region
                .or(stored.map(|row| &row.region))
                .cloned()
                .unwrap_or_default(),
            vcpus,
            mem_mib,
            cpu_ms: told.cpu_ms,
            reason: told.reason.map(|reason| reason.as_str().to_owned()),
            destroy_at: told.destroy_at.map(Into::into),
        }
    }

    pub(super) const fn place(&self) -> (Uuid, i64) {
        (self.account_id, self.seq)
    }

    pub(super) fn sandbox_id(&self) -> &str {
        &self.sandbox_id
    }

    /// What it says, in ids and numbers.
    pub(super) fn in_short(&self) -> String {
        let (occurred, recorded) = (moment(self.occurred_at), moment(self.recorded_at));
        format!(
            "{} {} {} {} {} x {}",
            self.event_id,
            self.kind,
            occurred.unix_ms(),
            recorded.unix_ms(),
            self.vcpus,
            self.mem_mib
        )
    }

    fn read(self) -> Result<StoredEvent, Broken> {
        let broken = || Broken::new("stored event cannot be read");
        Ok(StoredEvent {
            event: Event {
                seq: self.seq,
                event_id: self.event_id,
                account_id: self.account_id.into(),
                sandbox_id: SandboxId::parse(&self.sandbox_id).ok_or_else(broken)?,
                key_id: self.key_id.map(Into::into),
                kind: EventKind::parse(&self.kind).ok_or_else(broken)?,
                occurred_at: moment(self.occurred_at),
                recorded_at: moment(self.recorded_at),
                image: self.image,
                region: self.region,
                size: Size::new(self.vcpus, self.mem_mib).ok_or_else(broken)?,
            },
            parent_id: self.parent_id,
            cpu_ms: self.cpu_ms,
            reason: self.reason.as_deref().and_then(StopReason::parse),
            destroy_at: self.destroy_at,
        })
    }
}
