//! The control plane's JSON, as docs/orchestrator.yaml has it. Only what we read or send; unknown fields are ignored,
//! and an event is kept as it came until `metering::feed` has read it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
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
    /// What is left and what it is computed by: an `AllowancePut` as it was stored with this generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowance: Option<serde_json::Value>,
}

/// What is left of an account, exact up to `as_of`; with what runs from there on the orchestrator computes the end by itself.
#[derive(Debug, Serialize)]
pub struct AllowancePut {
    /// Up to when the figures are exact.
    #[serde(serialize_with = "millisecond")]
    pub as_of: OffsetDateTime,
    /// The last event of the account that is counted in them, as `EPOCH:SEQ`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What is left, in the order in which it pays.
    pub grants: Vec<AllowanceGrant>,
    /// The customer's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<AllowanceLimit>,
    /// The account's own prices from `as_of` on.
    pub prices: Vec<AllowancePrice>,
}

/// Credit that may pay for service from one whole hour to another.
#[derive(Debug, Serialize)]
pub struct AllowanceGrant {
    /// Digits, because a number of JSON may lose some.
    pub ticks: String,
    /// Absent when it has started.
    #[serde(
        serialize_with = "milliseconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub starts_at: Option<OffsetDateTime>,
    /// Absent when it never ends.
    #[serde(
        serialize_with = "milliseconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub ends_at: Option<OffsetDateTime>,
}

/// What may be spent in a UTC month.
#[derive(Debug, Serialize)]
pub struct AllowanceLimit {
    /// In one month.
    pub monthly: String,
    /// In the month of `as_of`, up to it.
    pub spent: String,
}

/// A price between two whole hours.
#[derive(Debug, Serialize)]
pub struct AllowancePrice {
    /// Absent when it rules already.
    #[serde(
        serialize_with = "milliseconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub from: Option<OffsetDateTime>,
    /// Absent while no other is known to follow.
    #[serde(
        serialize_with = "milliseconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub until: Option<OffsetDateTime>,
    /// Micro-dollars for one vCPU for one hour.
    pub vcpu_hour: i64,
    /// Micro-dollars for one GiB of memory for one hour.
    pub gib_hour: i64,
    /// The metering grain in milliseconds.
    pub grain_ms: i64,
}

fn millisecond<S: serde::Serializer>(
    at: &OffsetDateTime,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    milliseconds(&Some(*at), serializer)
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
#[derive(Debug)]
pub struct FeedPage {
    /// Sequence numbers hold within one epoch; another one stops the feed.
    pub epoch: String,
    /// Events as they came, byte by byte, so that one that is garbage does not spoil the page.
    pub events: Vec<Vec<u8>>,
    /// Every event that happened before this is in the feed up to the end of this page.
    pub watermark_at: OffsetDateTime,
    /// True when more events follow at once.
    pub more: bool,
}

/// Answer 409 of `GET feed`.
#[derive(Debug, Deserialize)]
pub(super) struct Conflict {
    /// `epoch_changed` or `cursor_ahead`.
    pub error: String,
}

/// A page whose events are not looked into.
#[derive(Deserialize)]
struct Unopened<'a> {
    epoch: String,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    #[serde(with = "time::serde::rfc3339")]
    watermark_at: OffsetDateTime,
    more: bool,
}

/// Characters of an epoch.
const EPOCH_CHARS_MAX: usize = 100;

impl FeedPage {
    /// Reads a page without reading its events. `None` when it is no page: then it cannot be said where an event ends.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let page = match std::str::from_utf8(body) {
            Ok(text) => Self::open(text, |text| Some(text.as_bytes().to_vec()))?,
            // A string that is not UTF-8 is its event's fault and nobody else's. With each byte as a character of its own the
            // brackets stand where they stood.
            Err(_) => {
                let text: String = body.iter().copied().map(char::from).collect();
                Self::open(&text, |text| {
                    text.chars().map(|c| u8::try_from(c).ok()).collect()
                })?
            }
        };
        let is_plain = !page.epoch.is_empty()
            && page.epoch.chars().count() <= EPOCH_CHARS_MAX
            && !page.epoch.contains(char::is_control);
        is_plain.then_some(page)
    }

    fn open(text: &str, bytes: impl Fn(&str) -> Option<Vec<u8>>) -> Option<Self> {
        let page: Unopened<'_> = serde_json::from_str(text).ok()?;
        let events = page.events.iter().map(|event| bytes(event.get()));
        Some(Self {
            epoch: String::from_utf8(bytes(&page.epoch)?).ok()?,
            events: events.collect::<Option<_>>()?,
            watermark_at: page.watermark_at,
            more: page.more,
        })
    }
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
