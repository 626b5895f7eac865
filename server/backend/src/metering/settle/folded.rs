//! What the fold says, written for many sandboxes at once: the sandboxes and their intervals. All of it is absolute: the
//! same again changes nothing. Pages read it through `sandboxes`.

use std::collections::{BTreeMap, HashMap};

use domain::feed::StopReason;
use domain::id::{AccountId, KeyId};
use domain::interval::Interval;
use domain::sandbox::{SandboxId, SandboxState, Size};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::moment;
use crate::failure::Broken;

pub type Place = (AccountId, SandboxId);

/// Running sandboxes of one batch whose hours can be booked on; the orchestrator's own limits lie far below.
const OPEN_MAX: i64 = 500_000;

/// What the fold says of a sandbox.
pub struct Folded {
    pub place: Place,
    pub cohort_id: Uuid,
    pub state: SandboxState,
    pub image: String,
    pub region: String,
    pub size: Size,
    pub key_id: Option<KeyId>,
    pub parent_id: Option<String>,
    pub created_at: OffsetDateTime,
    pub destroyed_at: Option<OffsetDateTime>,
    /// When it last stopped, and why; none while it runs.
    pub stopped: Option<(OffsetDateTime, Option<StopReason>)>,
    /// When its timer will destroy it; none without a known timer, and for what does not run.
    pub destroy_at: Option<OffsetDateTime>,
    /// Processor milliseconds used, as its events last said, and when.
    pub cpu: Option<(i64, OffsetDateTime)>,
}

/// The two columns that name sandboxes.
pub(crate) fn places<'a>(
    places: impl Iterator<Item = &'a Place> + Clone,
) -> (Vec<Uuid>, Vec<String>) {
    let accounts = places.clone().map(|(account_id, _)| account_id.0).collect();
    (accounts, places.map(|(_, id)| id.to_string()).collect())
}

/// Writes what the fold says. Processor time that was seen later, in the orchestrator's list, stays.
pub(super) async fn put(db: &mut PgConnection, rows: &[&Folded]) -> Result<(), Broken> {
    macro_rules! column {
        ($type:ty, $row:ident => $value:expr) => {
            rows.iter().map(|$row| $value).collect::<Vec<$type>>()
        };
    }
    let (accounts, ids) = places(rows.iter().map(|row| &row.place));
    sqlx::query!(
        "INSERT INTO sandboxes AS s (account_id, sandbox_id, state, image, region, vcpus, mem_mib, key_id, parent_id,
                                     created_at, destroyed_at, cohort_id, cpu_ms, cpu_seen_at, stopped_at, stop_reason,
                                     destroy_at)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::integer[],
              $8::uuid[], $9::text[], $10::timestamptz[], $11::timestamptz[], $12::uuid[], $13::bigint[],
              $14::timestamptz[], $15::timestamptz[], $16::text[], $17::timestamptz[])
         ON CONFLICT ON CONSTRAINT sandboxes_pkey DO UPDATE
             SET state = excluded.state, created_at = excluded.created_at, destroyed_at = excluded.destroyed_at,
                 stopped_at = excluded.stopped_at, stop_reason = excluded.stop_reason,
                 destroy_at = excluded.destroy_at,
                 cpu_ms = CASE WHEN s.cpu_seen_at > excluded.cpu_seen_at THEN s.cpu_ms
                               ELSE coalesce(excluded.cpu_ms, s.cpu_ms) END,
                 cpu_seen_at = greatest(s.cpu_seen_at, excluded.cpu_seen_at)",
        &accounts,
        &ids,
        &column!(String, row => row.state.as_str().to_owned()),
        &column!(String, row => row.image.clone()),
        &column!(String, row => row.region.clone()),
        &column!(i32, row => row.size.vcpus),
        &column!(i32, row => row.size.mem_mib),
        &column!(Option<Uuid>, row => row.key_id.map(|id| id.0)) as &[Option<Uuid>],
        &column!(Option<String>, row => row.parent_id.clone()) as &[Option<String>],
        &column!(OffsetDateTime, row => row.created_at),
        &column!(Option<OffsetDateTime>, row => row.destroyed_at) as &[Option<OffsetDateTime>],
        &column!(Uuid, row => row.cohort_id),
        &column!(Option<i64>, row => row.cpu.map(|cpu| cpu.0)) as &[Option<i64>],
        &column!(Option<OffsetDateTime>, row => row.cpu.map(|cpu| cpu.1)) as &[Option<OffsetDateTime>],
        &column!(Option<OffsetDateTime>, row => row.stopped.map(|stop| stop.0)) as &[Option<OffsetDateTime>],
        &column!(Option<&str>, row => row.stopped.and_then(|stop| stop.1).map(StopReason::as_str)) as &[Option<&str>],
        &column!(Option<OffsetDateTime>, row => row.destroy_at) as &[Option<OffsetDateTime>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The intervals of a sandbox as they shall be.
pub struct Ran<'a> {
    pub place: &'a Place,
    /// True when none are stored.
    pub is_new: bool,
    pub intervals: &'a [Interval],
}

/// Makes the stored intervals of these sandboxes equal to the fold's. Closed ones are final in the fold, so in practice
/// only the last of each changes; removing what is too many keeps the cache honest should a rule ever change.
pub(super) async fn put_intervals(db: &mut PgConnection, wanted: &[Ran<'_>]) -> Result<(), Broken> {
    let known: Vec<&Place> = wanted
        .iter()
        .filter(|ran| !ran.is_new)
        .map(|ran| ran.place)
        .collect();
    let stored = intervals(db, known.into_iter()).await?;
    let none = BTreeMap::new();
    let mut changed: Vec<(&Place, i32, Interval)> = Vec::new();
    let mut surplus: Vec<(&Place, i32)> = Vec::new();
    for ran in wanted {
        let before = stored.get(ran.place).unwrap_or(&none);
        for (ordinal, interval) in (0..).zip(ran.intervals) {
            if before.get(&ordinal) != Some(interval) {
                changed.push((ran.place, ordinal, *interval));
            }
        }
        let count = i32::try_from(ran.intervals.len())?;
        surplus.extend(
            before
                .range(count..)
                .map(|(ordinal, _)| (ran.place, *ordinal)),
        );
    }
    if !surplus.is_empty() {
        let (accounts, ids) = places(surplus.iter().map(|(place, _)| *place));
        let ordinals: Vec<i32> = surplus.iter().map(|(_, ordinal)| *ordinal).collect();
        sqlx::query!(
            "DELETE FROM intervals AS i USING unnest($1::uuid[], $2::text[], $3::integer[])
                  AS u (account_id, sandbox_id, ordinal)
             WHERE (i.account_id, i.sandbox_id, i.ordinal) = (u.account_id, u.sandbox_id, u.ordinal)",
            &accounts,
            &ids,
            &ordinals
        )
        .execute(&mut *db)
        .await?;
    }
    write_intervals(db, &changed).await
}

async fn write_intervals(
    db: &mut PgConnection,
    changed: &[(&Place, i32, Interval)],
) -> Result<(), Broken> {
    if changed.is_empty() {
        return Ok(());
    }
    let (accounts, ids) = places(changed.iter().map(|(place, ..)| *place));
    let ordinals: Vec<i32> = changed.iter().map(|(_, ordinal, _)| *ordinal).collect();
    let starts: Vec<OffsetDateTime> = changed
        .iter()
        .map(|(.., interval)| interval.started_at.into())
        .collect();
    let ends: Vec<Option<OffsetDateTime>> = changed
        .iter()
        .map(|(.., interval)| interval.ended_at.map(Into::into))
        .collect();
    // In order, so that an interval is closed before the next one opens: a sandbox has one open interval at most.
    sqlx::query!(
        "INSERT INTO intervals (account_id, sandbox_id, ordinal, started_at, ended_at)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::timestamptz[], $5::timestamptz[])
              AS u (account_id, sandbox_id, ordinal, started_at, ended_at)
         ORDER BY account_id, sandbox_id, ordinal
         ON CONFLICT ON CONSTRAINT intervals_pkey DO UPDATE
             SET started_at = excluded.started_at, ended_at = excluded.ended_at",
        &accounts,
        &ids,
        &ordinals,
        &starts,
        &ends as &[Option<OffsetDateTime>]
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn intervals<'a>(
    db: &mut PgConnection,
    wanted: impl Iterator<Item = &'a Place> + Clone,
) -> Result<HashMap<Place, BTreeMap<i32, Interval>>, Broken> {
    let (accounts, ids) = places(wanted);
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        "SELECT i.account_id, i.sandbox_id, i.ordinal, i.started_at, i.ended_at
         FROM unnest($1::uuid[], $2::text[]) AS u (account_id, sandbox_id)
         JOIN intervals AS i ON i.account_id = u.account_id AND i.sandbox_id = u.sandbox_id",
        &accounts,
        &ids
    )
    .fetch_all(db)
    .await?;
    let mut stored: HashMap<Place, BTreeMap<i32, Interval>> = HashMap::new();
    for row in rows {
        let interval = Interval {
            started_at: moment(row.started_at),
            ended_at: row.ended_at.map(moment),
        };
        let place = place(row.account_id, &row.sandbox_id)?;
        stored
            .entry(place)
            .or_default()
            .insert(row.ordinal, interval);
    }
    Ok(stored)
}

pub(crate) fn place(account_id: Uuid, sandbox_id: &str) -> Result<Place, Broken> {
    let sandbox_id =
        SandboxId::parse(sandbox_id).ok_or_else(|| Broken::new("stored sandbox cannot be read"))?;
    Ok((account_id.into(), sandbox_id))
}

/// A running sandbox whose hours can be booked on.
pub struct OpenRow {
    pub place: Place,
    pub cohort_id: Uuid,
    pub size: Size,
    /// One of its intervals that reach beyond the moment asked for.
    pub interval: Interval,
}

/// The running sandboxes of accounts with their intervals that reach beyond a moment of each, in the order of sandboxes.
/// Those that do not run were booked to their end when they were folded.
pub(super) async fn open_since(
    db: &mut PgConnection,
    since: &[(AccountId, OffsetDateTime)],
) -> Result<Vec<OpenRow>, Broken> {
    let accounts: Vec<Uuid> = since.iter().map(|(account_id, _)| account_id.0).collect();
    let times: Vec<OffsetDateTime> = since.iter().map(|(_, at)| *at).collect();
    let rows = sqlx::query!(
        "SELECT i.account_id, i.sandbox_id, s.cohort_id, s.vcpus, s.mem_mib, i.started_at, i.ended_at
         FROM unnest($1::uuid[], $2::timestamptz[]) AS u (account_id, since)
         JOIN intervals AS o ON o.account_id = u.account_id AND o.ended_at IS NULL
         JOIN intervals AS i ON i.account_id = o.account_id AND i.sandbox_id = o.sandbox_id
              AND (i.ended_at IS NULL OR i.ended_at > u.since)
         JOIN sandboxes AS s ON s.account_id = o.account_id AND s.sandbox_id = o.sandbox_id
         ORDER BY i.account_id, i.sandbox_id, i.ordinal LIMIT $3",
        &accounts,
        &times,
        OPEN_MAX
    )
    .fetch_all(db)
    .await?;
    if rows.len() >= usize::try_from(OPEN_MAX)? {
        return Err(Broken::new("more runs than can be booked at once"));
    }
    let broken = || Broken::new("stored sandbox cannot be read");
    rows.into_iter()
        .map(|row| {
            Ok(OpenRow {
                place: place(row.account_id, &row.sandbox_id)?,
                cohort_id: row.cohort_id,
                size: Size::new(row.vcpus, row.mem_mib).ok_or_else(broken)?,
                interval: Interval {
                    started_at: moment(row.started_at),
                    ended_at: row.ended_at.map(moment),
                },
            })
        })
        .collect()
}
