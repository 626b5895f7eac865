//! The control plane's JSON, as docs/orchestrator.yaml has it. Only what we read or send; unknown fields are ignored,
//! and an event is kept as it came until `metering::pull` has checked it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// Body of `PUT tenants/{account}`.
#[derive(Clone, Debug, Serialize)]
pub struct TenantPut {
    /// Number of this state, from 1.
    pub generation: i64,
    /// `active`, `suspended` or `closed`.
    pub state: &'static str,
    /// Past this moment nothing of the tenant runs; absent while no end is in sight.
    #[serde(
        serialize_with = "milliseconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub run_until: Option<OffsetDateTime>,
    /// What ends then: `credit` or `limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
}

/// RFC 3339 in UTC with exactly three decimals, the only form that the contract takes.
fn milliseconds<S: serde::Serializer>(
    at: &Option<OffsetDateTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let format = time::macros::format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
    );
    let text = at.map(|at| at.to_offset(time::UtcOffset::UTC).format(format));
    text.transpose()
        .map_err(serde::ser::Error::custom)?
        .serialize(serializer)
}

/// Body of `PUT keys/{key_id}`.
#[derive(Clone, Debug, Serialize)]
pub struct KeyPut {
    /// The tenant that sandboxes started with it are billed to.
    pub account: Uuid,
    /// Lower-case hexadecimal of the hash.
    pub sha256: String,
    /// Two lower-case letters, such as `us`.
    pub region: String,
}

/// Body of `POST runs/{id}/timeout`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TimeoutPost {
    /// Seconds from now until the sandbox is destroyed.
    pub timeout_s: i64,
}

/// Answer of `GET feed`.
#[derive(Debug, Deserialize)]
pub struct FeedPage {
    /// Sequence numbers hold within one epoch; another one stops the feed.
    pub epoch: String,
    /// Events as they came, so that one that is garbage does not spoil the page.
    pub events: Vec<serde_json::Value>,
    /// Every event that happened before this is in the feed up to the end of this page.
    #[serde(with = "time::serde::rfc3339")]
    pub watermark_at: OffsetDateTime,
    /// True when more events follow at once.
    pub more: bool,
}

/// The part of an event without which it has no place in the feed.
#[derive(Debug, Deserialize)]
pub struct EventHead {
    /// Position, from 1, without gaps.
    pub seq: i64,
    /// The orchestrator's id of the event.
    pub event_id: Uuid,
    /// The tenant that is billed.
    pub account: Uuid,
}

/// The rest of an event.
#[derive(Debug, Deserialize)]
pub struct EventBody {
    /// As the orchestrator names it, such as `run78cb…`.
    pub sandbox_id: String,
    /// The key that caused it.
    pub key_id: Option<Uuid>,
    /// What happened.
    pub kind: String,
    /// When, by the orchestrator's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub occurred_at: OffsetDateTime,
    /// When it was written down.
    #[serde(with = "time::serde::rfc3339")]
    pub recorded_at: OffsetDateTime,
    /// As the create asked for it, such as `node:22-slim`.
    pub image: String,
    /// Two lower-case letters, such as `us`.
    pub region: String,
    /// Virtual processors, allocated.
    pub vcpus: i32,
    /// Memory in MiB, allocated.
    pub mem_mib: i32,
    /// The source of a fork; none for anything else.
    pub parent_id: Option<String>,
    /// Processor milliseconds used so far.
    pub cpu_ms: Option<i64>,
    /// Why it stopped; only what stops has one.
    pub reason: Option<String>,
}

/// Answer of `GET tenants/{account}/runs`.
#[derive(Debug, Deserialize)]
pub struct LiveRuns {
    /// The moment of which the list is true, by the orchestrator's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub as_of: OffsetDateTime,
    /// Sandboxes that are not destroyed.
    pub runs: Vec<LiveRun>,
}

/// The part of a live sandbox that reconciliation compares.
#[derive(Debug, Deserialize)]
pub struct LiveRun {
    /// As the orchestrator names it, such as `run78cb…`.
    pub id: String,
    /// `running` or `hibernated`.
    pub status: String,
    /// Virtual processors, allocated.
    pub vcpus: i32,
    /// Memory in MiB, allocated.
    pub mem_mib: i32,
    /// Processor milliseconds used so far, where the orchestrator says so.
    pub cpu_ms: Option<i64>,
}
