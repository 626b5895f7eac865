//! Incidents: stretches in which a sandbox was billed and out of reach, and the grant that each gave back.
//! How much that is, is `domain::incident`'s.

use domain::id::{AccountId, GrantId};
use domain::interval::Lost;
use domain::money::Ticks;
use domain::sandbox::Size;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{moment, numeric, ticks};
use crate::failure::Broken;
use crate::ledger::postings::Hour;
use crate::metering::settle::folded::{Place, place, places};
use crate::random;

/// Incidents that are weighed at once; an outage of all sandboxes of one batch stays far below.
const WEIGHED_MAX: i64 = 200_000;

/// Notes incidents. One that is longer than noted is weighed again.
pub(super) async fn note(
    db: &mut PgConnection,
    lost: &[(&Place, Lost)],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let (accounts, sandboxes) = places(lost.iter().map(|(place, _)| *place));
    let ids: Vec<Uuid> = lost.iter().map(|_| random::id(now)).collect();
    let (starts, ends): (Vec<OffsetDateTime>, Vec<OffsetDateTime>) = lost
        .iter()
        .map(|(_, lost)| {
            let (start, end) = (lost.started_at, lost.ended_at);
            (OffsetDateTime::from(start), OffsetDateTime::from(end))
        })
        .unzip();
    sqlx::query!(
        "INSERT INTO incidents AS i (account_id, incident_id, sandbox_id, started_at, ended_at, billed_ms, ticks, noted_at)
         SELECT u.account_id, u.incident_id, u.sandbox_id, u.started_at, u.ended_at, 0, 0, $6
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[])
              AS u (account_id, incident_id, sandbox_id, started_at, ended_at)
         ON CONFLICT ON CONSTRAINT incidents_once DO UPDATE SET ended_at = excluded.ended_at, credited_at = NULL
             WHERE i.ended_at < excluded.ended_at",
        &accounts,
        &ids,
        &sandboxes,
        &starts,
        &ends,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Makes incidents due again that lie in one of these hours and were weighed before.
pub(super) async fn again(db: &mut PgConnection, hours: &[Hour]) -> Result<(), Broken> {
    let (accounts, times): (Vec<Uuid>, Vec<OffsetDateTime>) = hours
        .iter()
        .map(|(account_id, hour)| (account_id.0, OffsetDateTime::from(*hour)))
        .unzip();
    sqlx::query!(
        "UPDATE incidents AS i SET credited_at = NULL
         FROM unnest($1::uuid[], $2::timestamptz[]) AS u (account_id, hour_at)
         WHERE i.account_id = u.account_id AND i.ended_at > u.hour_at AND i.started_at < u.hour_at + interval '1 hour'
           AND i.credited_at IS NOT NULL",
        &accounts,
        &times
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) struct IncidentRow {
    pub place: Place,
    pub incident_id: Uuid,
    pub lost: Lost,
    pub size: Size,
    /// What it gave back so far.
    pub ticks: Ticks,
    /// How often it gave something back.
    pub revision: i32,
    /// The grant it filled.
    pub grant_id: Option<GrantId>,
    /// True when it is to be weighed now; the others only have a claim to the same hours.
    pub is_due: bool,
}

/// Incidents whose hours are all booked and that are not weighed yet, with those already weighed that lie in the same
/// hours, in the order in which they were noted. `until` is the hour up to which each account is booked.
pub(super) async fn to_weigh(
    db: &mut PgConnection,
    accounts: &[(AccountId, OffsetDateTime)],
) -> Result<Vec<IncidentRow>, Broken> {
    let (ids, until): (Vec<Uuid>, Vec<OffsetDateTime>) =
        accounts.iter().map(|(id, until)| (id.0, *until)).unzip();
    let rows = sqlx::query!(
        r#"WITH due AS MATERIALIZED (
               SELECT i.account_id, i.incident_id, i.started_at, i.ended_at
               FROM unnest($1::uuid[], $2::timestamptz[]) AS u (account_id, until)
               JOIN incidents AS i ON i.account_id = u.account_id AND i.ended_at <= u.until
               WHERE i.credited_at IS NULL),
           span AS (SELECT account_id, date_trunc('hour', min(started_at), 'UTC') AS first,
                           max(ended_at) + interval '1 hour' AS last FROM due GROUP BY account_id)
           SELECT i.account_id, i.sandbox_id, i.incident_id, i.started_at, i.ended_at, i.ticks, i.revision, i.grant_id,
                  s.vcpus, s.mem_mib, i.credited_at IS NULL AS "is_due!"
           FROM span JOIN incidents AS i ON i.account_id = span.account_id AND i.started_at < span.last
                AND i.ended_at > span.first
           JOIN sandboxes AS s ON s.account_id = i.account_id AND s.sandbox_id = i.sandbox_id
           WHERE i.credited_at IS NOT NULL OR EXISTS (
               SELECT 1 FROM due WHERE due.account_id = i.account_id AND due.incident_id = i.incident_id)
           ORDER BY i.account_id, i.noted_at, i.incident_id LIMIT $3"#,
        &ids,
        &until,
        WEIGHED_MAX
    )
    .fetch_all(db)
    .await?;
    if rows.len() >= usize::try_from(WEIGHED_MAX)? {
        return Err(Broken::new("more incidents than can be weighed at once"));
    }
    let broken = || Broken::new("stored sandbox cannot be read");
    rows.into_iter()
        .map(|row| {
            Ok(IncidentRow {
                place: place(row.account_id, &row.sandbox_id)?,
                incident_id: row.incident_id,
                lost: Lost {
                    started_at: moment(row.started_at),
                    ended_at: moment(row.ended_at),
                },
                size: Size::new(row.vcpus, row.mem_mib).ok_or_else(broken)?,
                ticks: ticks(row.ticks)?,
                revision: row.revision,
                grant_id: row.grant_id.map(Into::into),
                is_due: row.is_due,
            })
        })
        .collect()
}

/// What an incident came to.
pub(super) struct Weighed {
    pub account_id: AccountId,
    pub incident_id: Uuid,
    pub billed_ms: i64,
    /// What it gave back in all; never less than before.
    pub ticks: Ticks,
    /// How often it gave something back.
    pub revision: i32,
    /// The grant it filled; none when nothing came back.
    pub grant_id: Option<GrantId>,
}

pub(super) async fn weighed(
    db: &mut PgConnection,
    rows: &[Weighed],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let accounts: Vec<Uuid> = rows.iter().map(|row| row.account_id.0).collect();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.incident_id).collect();
    let billed: Vec<i64> = rows.iter().map(|row| row.billed_ms).collect();
    let amounts = rows
        .iter()
        .map(|row| numeric(row.ticks))
        .collect::<Result<Vec<Decimal>, _>>()?;
    let revisions: Vec<i32> = rows.iter().map(|row| row.revision).collect();
    let grants: Vec<Option<Uuid>> = rows.iter().map(|row| row.grant_id.map(|id| id.0)).collect();
    sqlx::query!(
        "UPDATE incidents AS i SET billed_ms = u.billed_ms, ticks = u.ticks, revision = u.revision, grant_id = u.grant_id,
                credited_at = $7
         FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::numeric[], $5::integer[], $6::uuid[])
              AS u (account_id, incident_id, billed_ms, ticks, revision, grant_id)
         WHERE i.account_id = u.account_id AND i.incident_id = u.incident_id",
        &accounts,
        &ids,
        &billed,
        &amounts,
        &revisions,
        &grants as &[Option<Uuid>],
        now
    )
    .execute(db)
    .await?;
    Ok(())
}
