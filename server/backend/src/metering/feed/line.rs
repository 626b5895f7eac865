//! One line of the feed: its place, its hash, and what can be read of it. Whatever it holds, it has a place: a feed has no
//! gaps, so a line whose number cannot be read has the number that follows. Keeping lines is `keep`'s.

use domain::feed::{self, Event, EventKind, LATE_MS_MAX, StopReason};
use domain::id::{AccountId, KeyId};
use domain::moment::Moment;
use domain::sandbox::{self, SandboxId, Size};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::metering::feed::events::StoredEvent;
use crate::outside::orchestrator::wire::FeedPage;
use crate::secret::sha256;

/// A line that names another number than the one that follows: events are missing, or come twice.
pub(super) struct OutOfOrder;

/// A line with its place in the feed and the hash of its content.
pub(super) struct Line<'a> {
    pub seq: i64,
    /// As it was said.
    pub raw: &'a [u8],
    pub sha256: [u8; 32],
    /// None for what no value of ours can hold: half a surrogate pair, a number of 400 digits, a thousand brackets.
    value: Option<Value>,
}

/// Why a line does not count. The words are in the database: add, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aside {
    /// It names an account that is not ours.
    UnknownAccount,
    /// It is no event, or a field that decides what is billed is missing or out of its range.
    Malformed,
    /// Its id came before, under another number.
    Repeated,
    /// It can be read, and the database does not take it.
    Refused,
}

impl Aside {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownAccount => "unknown_account",
            Self::Malformed => "malformed",
            Self::Repeated => "repeated",
            Self::Refused => "refused",
        }
    }
}

/// What a line says, as far as it counts.
pub(super) struct Told {
    pub seq: i64,
    pub event_id: Uuid,
    pub account_id: AccountId,
    pub sandbox_id: SandboxId,
    pub kind: EventKind,
    pub occurred_at: Moment,
    pub recorded_at: Moment,
    pub key_id: Option<KeyId>,
    pub parent_id: Option<String>,
    pub cpu_ms: Option<i64>,
    /// Why it stopped, where the orchestrator says so.
    pub reason: Option<StopReason>,
    /// When its timer will destroy it, as far as this event knows.
    pub destroy_at: Option<Moment>,
    /// What the sandbox is. None for an end that came damaged: which sandbox ended and when is enough to bill it no longer,
    /// and what it was its create has said.
    pub made: Option<Made>,
    /// True for an end of which something could not be read.
    pub is_damaged: bool,
}

/// What a sandbox is.
#[derive(Clone)]
pub(super) struct Made {
    pub image: String,
    pub region: String,
    pub size: Size,
}

impl Told {
    /// As it is stored; none while it is not known what its sandbox is.
    pub(super) fn stored(self) -> Option<StoredEvent> {
        let made = self.made?;
        Some(StoredEvent {
            event: Event {
                seq: self.seq,
                event_id: self.event_id,
                account_id: self.account_id,
                sandbox_id: self.sandbox_id,
                key_id: self.key_id,
                kind: self.kind,
                occurred_at: self.occurred_at,
                recorded_at: self.recorded_at,
                image: made.image,
                region: made.region,
                size: made.size,
            },
            parent_id: self.parent_id,
            cpu_ms: self.cpu_ms,
            reason: self.reason,
            destroy_at: self.destroy_at.map(Into::into),
        })
    }
}

/// The lines of a page with their places, the first of which must be `first`.
pub(super) fn lines(page: &FeedPage, first: i64) -> Result<Vec<Line<'_>>, OutOfOrder> {
    let mut text = Vec::new();
    (first..)
        .zip(&page.events)
        .map(|(seq, raw)| {
            let value: Option<Value> = serde_json::from_slice(raw).ok();
            let said = value.as_ref().and_then(|value| value.get("seq")?.as_i64());
            if said.is_some_and(|said| said != seq) {
                return Err(OutOfOrder);
            }
            Ok(Line {
                seq,
                raw,
                sha256: digest(raw, value.as_ref(), &mut text),
                value,
            })
        })
        .collect()
}

/// Hash of a line's content. `serde_json` keeps object keys sorted, so the order of fields does not matter; what it cannot
/// hold is hashed as it was said. The buffer is the caller's, because there are ten thousand events to a page.
fn digest(raw: &[u8], value: Option<&Value>, text: &mut Vec<u8>) -> [u8; 32] {
    text.clear();
    match value.map(|value| serde_json::to_writer(&mut *text, value)) {
        Some(Ok(())) => sha256(text),
        _ => sha256(raw),
    }
}

impl Line<'_> {
    /// The account it names, ours or not.
    pub(super) fn account(&self) -> Option<Uuid> {
        self.uuid("account")
    }

    /// What it says; none when that is no event. `vouched` is how far the feed had vouched for itself before: an event was
    /// not recorded long before that.
    pub(super) fn told(&self, vouched: Option<Moment>) -> Option<Told> {
        let account_id = self.account()?.into();
        let sandbox_id = SandboxId::parse(self.text("sandbox_id")?)?;
        let kind = EventKind::parse(self.text("kind")?)?;
        let is_plausible = |at: &Moment| (feed::FIRST..feed::LAST).contains(at);
        let recorded = self.time("recorded_at").filter(is_plausible);
        let occurred = self.time("occurred_at");
        let (event_id, key_id, made) = (self.uuid("event_id"), self.key_id(), self.made());
        let is_readable = event_id.is_some() && key_id.is_some() && occurred.is_some();
        let made = made.filter(|_| is_readable && recorded.is_some());
        let earliest = vouched.map_or(feed::FIRST, |at| at.plus_ms(-LATE_MS_MAX));
        let is_end = matches!(kind, EventKind::Destroyed | EventKind::Hibernated);
        if !is_end && (made.is_none() || recorded < Some(earliest)) {
            return None;
        }
        let occurred_at = occurred.or(recorded)?;
        let recorded_at = recorded.or_else(|| Some(occurred_at).filter(is_plausible))?;
        Some(Told {
            seq: self.seq,
            event_id: event_id.unwrap_or_else(|| self.own_id()),
            account_id,
            sandbox_id,
            kind,
            occurred_at,
            recorded_at,
            key_id: key_id.flatten(),
            parent_id: self
                .text("parent_id")
                .and_then(SandboxId::parse)
                .map(|id| id.to_string()),
            cpu_ms: self
                .field("cpu_ms")
                .and_then(Value::as_i64)
                .and_then(sandbox::cpu_ms),
            reason: self.text("reason").and_then(StopReason::parse),
            destroy_at: self.time("destroy_at").filter(is_plausible),
            is_damaged: made.is_none(),
            made,
        })
    }

    fn field(&self, name: &str) -> Option<&Value> {
        self.value.as_ref()?.get(name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.field(name)?.as_str()
    }

    fn uuid(&self, name: &str) -> Option<Uuid> {
        self.text(name)?.parse().ok()
    }

    fn time(&self, name: &str) -> Option<Moment> {
        let at = OffsetDateTime::parse(self.text(name)?, &Rfc3339).ok()?;
        Some(Moment::from(at))
    }

    /// The key that caused it, or that none did; nothing when that cannot be read.
    fn key_id(&self) -> Option<Option<KeyId>> {
        match self.field("key_id") {
            None | Some(Value::Null) => Some(None),
            Some(_) => self.uuid("key_id").map(|id| Some(id.into())),
        }
    }

    fn made(&self) -> Option<Made> {
        let number = |name| i32::try_from(self.field(name)?.as_i64()?).ok();
        let image = self.text("image")?.chars();
        Some(Made {
            image: image
                .filter(|c| !c.is_control())
                .take(domain::ceilings::IMAGE_CHARS_MAX)
                .collect(),
            region: domain::key::Region::parse(self.text("region")?)?.to_string(),
            size: Size::new(number("vcpus")?, number("mem_mib")?)?,
        })
    }

    /// The id of a line that says none that can be read: made of its number and its content, so that it is the same each time.
    fn own_id(&self) -> Uuid {
        let mut bytes = [0; 16];
        for (byte, of_hash) in bytes.iter_mut().zip(self.sha256) {
            *byte = of_hash;
        }
        let number = u128::from(self.seq.unsigned_abs());
        uuid::Builder::from_custom_bytes((u128::from_be_bytes(bytes) ^ number).to_be_bytes())
            .into_uuid()
    }
}
