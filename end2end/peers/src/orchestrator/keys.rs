//! Keys: which bearer tokens belong to which account, and who used them. The orchestrator only ever holds hashes.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use axum::extract::{ConnectInfo, FromRequestParts, Path, State as Extract};
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    records::{Caller, Holder, Key},
    shared::Shared,
    state::Entry,
    transaction::Transaction,
    wire::{Answer, IdempotencyKey, Payload, Refusal, Reply, bearer, uuid},
};
use crate::stamp::Stamp;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pushed {
    account: Uuid,
    sha256: String,
    region: String,
    #[serde(default)]
    not_after: Option<Stamp>,
}

pub(crate) async fn put(
    Extract(shared): Extract<Arc<Shared>>,
    Path(key_id): Path<String>,
    _key: IdempotencyKey,
    payload: Payload,
) -> Answer {
    let key_id = uuid(&key_id)?;
    let pushed: Pushed = payload.json()?;
    if pushed.sha256.len() != 64
        || !pushed
            .sha256
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return Err(Refusal::invalid(
            "sha256 must be 64 lower-case hexadecimal digits.",
        ));
    }
    if pushed.region.len() != 2 || !pushed.region.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err(Refusal::invalid("region must be two lower-case letters."));
    }
    shared
        .run(move |transaction| transaction.put_key(key_id, pushed))
        .await
}

pub(crate) async fn delete(
    Extract(shared): Extract<Arc<Shared>>,
    Path(key_id): Path<String>,
    _key: IdempotencyKey,
) -> Answer {
    let key_id = uuid(&key_id)?;
    shared
        .run(move |transaction| {
            if !transaction.state.deleted_keys.contains(&key_id) {
                transaction.record(Entry::KeyDeleted { key_id });
            }
            Ok(Reply::NoContent)
        })
        .await
}

pub(crate) async fn callers(
    Extract(shared): Extract<Arc<Shared>>,
    Path(key_id): Path<String>,
) -> Answer {
    let key_id = uuid(&key_id)?;
    shared
        .run(
            move |transaction| match transaction.state.keys.get(&key_id) {
                Some(key) => Ok(Reply::ok(json!({"callers": key.callers}))),
                None => Err(Refusal::not_found("key_unknown", "No such key.")),
            },
        )
        .await
}

/// What identifies a call on the public plane.
pub(crate) struct Call {
    sha256: String,
    address: String,
    sdk: String,
}

impl Call {
    /// Reads token, address and SDK of a request; `None` without a bearer token.
    pub(crate) fn of(headers: &HeaderMap, address: IpAddr) -> Option<Self> {
        let digest = Sha256::digest(bearer(headers)?.as_bytes());
        let sdk = headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("unknown");
        Some(Self {
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            address: network(address),
            sdk: sdk.chars().take(100).collect(),
        })
    }
}

impl FromRequestParts<Arc<Shared>> for Call {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _shared: &Arc<Shared>) -> Result<Self, Refusal> {
        let remote = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0.ip());
        let remote = remote.ok_or_else(|| Refusal::broken("The caller has no address."))?;
        Self::of(&parts.headers, remote).ok_or_else(Refusal::unauthorized)
    }
}

/// Authorises, then does the work in the same transaction, so that a revoked key stops at once.
pub(crate) async fn with_key(
    shared: &Arc<Shared>,
    call: Call,
    work: impl FnOnce(&mut Transaction<'_>, Holder) -> Answer + Send + 'static,
) -> Answer {
    shared
        .run(move |transaction| {
            let holder = transaction.authorise(&call)?;
            work(transaction, holder)
        })
        .await
}

/// The address without what tells one machine of a network from another: /24 or /48.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

impl Transaction<'_> {
    fn put_key(&mut self, key_id: Uuid, pushed: Pushed) -> Answer {
        let Pushed {
            account,
            sha256,
            region,
            not_after,
        } = pushed;
        self.tenant(account)?;
        if self.state.deleted_keys.contains(&key_id) {
            return Err(Refusal::new(
                StatusCode::GONE,
                "key_deleted",
                "This key was deleted and does not come back.",
            ));
        }
        let shown =
            json!({"key_id": key_id, "account": account, "region": region, "not_after": not_after});
        if let Some(known) = self.state.keys.get(&key_id) {
            let same = known.account == account
                && known.sha256 == sha256
                && known.region == region
                && known.not_after == not_after;
            return if same {
                Ok(Reply::ok(shown))
            } else {
                Err(Refusal::conflict(
                    "key_conflict",
                    "This key was already pushed with other content.",
                ))
            };
        }
        if self.state.key_of_hash.contains_key(&sha256) {
            return Err(Refusal::conflict(
                "key_conflict",
                "Another key has the same hash.",
            ));
        }
        self.record(Entry::Key {
            key_id,
            key: Key {
                account,
                sha256,
                region,
                not_after,
                callers: Vec::new(),
            },
        });
        Ok(Reply::ok(shown))
    }

    /// Who holds the key of a call; notes the caller. Unknown, deleted, expired and foreign-region keys are refused
    /// in the same words.
    pub(crate) fn authorise(&mut self, call: &Call) -> Result<Holder, Refusal> {
        let key_id = *self
            .state
            .key_of_hash
            .get(&call.sha256)
            .ok_or_else(Refusal::unauthorized)?;
        let key = self
            .state
            .keys
            .get(&key_id)
            .ok_or_else(Refusal::unauthorized)?;
        if key.not_after.is_some_and(|end| end <= self.now) || key.region != self.region {
            return Err(Refusal::unauthorized());
        }
        let account = key.account;
        let caller = Caller {
            at: self.now,
            address: call.address.clone(),
            sdk: call.sdk.clone(),
            count: 1,
        };
        self.record(Entry::Called { key_id, caller });
        Ok(Holder { key_id, account })
    }
}
