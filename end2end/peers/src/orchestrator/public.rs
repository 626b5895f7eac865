//! Handlers of the public plane, which customers' SDKs speak: the life of sandboxes and snapshots. Every one first
//! authorises the key. What happens inside a sandbox is guest.rs, what was used is usage.rs.

use std::sync::Arc;

use axum::extract::{Path, State as Extract};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    keys::{Call, with_key},
    records::{Sandbox, Size, Status},
    runs::MAX_TIMEOUT_S,
    shared::Shared,
    state::Entry,
    transaction::Transaction,
    wire::{Answer, Payload, Refusal, Reply},
};

const DEFAULT_TIMEOUT_S: u32 = 300;
#[derive(Deserialize)]
struct Create {
    image: Option<String>,
    vcpus: Option<u32>,
    mem_mib: Option<u32>,
    disk_mib: Option<u32>,
    timeout: Option<u32>,
    network: Option<Value>,
    network_profile: Option<String>,
}

impl Create {
    /// Fields that are not named here, such as `credentials`, are accepted and never kept.
    fn size(self) -> Result<Size, Refusal> {
        let size = Size {
            image: self.image.unwrap_or_else(|| "node:22-slim".to_owned()),
            vcpus: self.vcpus.unwrap_or(1),
            mem_mib: self.mem_mib.unwrap_or(1_024),
            disk_mib: self.disk_mib.unwrap_or(4_096),
            timeout_s: self.timeout.unwrap_or(DEFAULT_TIMEOUT_S),
        };
        if size.image.is_empty()
            || size.image.len() > 512
            || size.image.chars().any(char::is_control)
        {
            return Err(Refusal::invalid(
                "image must be the name of a container image.",
            ));
        }
        if !(1..=64).contains(&size.vcpus) || !(128..=262_144).contains(&size.mem_mib) {
            return Err(Refusal::invalid(
                "vcpus must be 1 to 64 and mem_mib 128 to 262144.",
            ));
        }
        if !(256..=1_048_576).contains(&size.disk_mib) || size.timeout_s > MAX_TIMEOUT_S {
            return Err(Refusal::invalid(
                "disk_mib must be 256 to 1048576 and timeout 0 to 31536000 seconds.",
            ));
        }
        if self.network.is_some() && self.network_profile.is_some() {
            return Err(Refusal::invalid(
                "network and network_profile exclude each other.",
            ));
        }
        Ok(size)
    }
}

pub(crate) async fn create(
    Extract(shared): Extract<Arc<Shared>>,
    call: Call,
    payload: Payload,
) -> Answer {
    let size = payload.json::<Create>().and_then(Create::size);
    with_key(&shared, call, move |transaction, holder| {
        let ids = transaction.launch(holder, &size?, None, 1)?;
        Ok(Reply::Json(
            StatusCode::CREATED,
            shown(transaction, &ids)?.pop().unwrap_or_default(),
        ))
    })
    .await
}

fn shown(transaction: &Transaction<'_>, ids: &[String]) -> Result<Vec<Value>, Refusal> {
    ids.iter()
        .map(|id| transaction.sandbox(id).map(Sandbox::shown))
        .collect()
}

pub(crate) async fn list(Extract(shared): Extract<Arc<Shared>>, call: Call) -> Answer {
    with_key(&shared, call, |transaction, holder| {
        let mut live: Vec<&Sandbox> = transaction.live_of(holder.account).collect();
        live.sort_by_key(|sandbox| sandbox.created_at);
        Ok(Reply::ok(
            json!({"runs": live.into_iter().map(Sandbox::shown).collect::<Vec<_>>()}),
        ))
    })
    .await
}

pub(crate) async fn get(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    with_key(&shared, call, move |transaction, holder| {
        Ok(Reply::ok(transaction.own_sandbox(holder, &id)?.shown()))
    })
    .await
}

#[derive(Deserialize)]
struct Timeout {
    timeout: u32,
}

pub(crate) async fn patch(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    call: Call,
    payload: Payload,
) -> Answer {
    let timeout = payload.json::<Timeout>();
    with_key(&shared, call, move |transaction, holder| {
        let Timeout { timeout } = timeout?;
        if timeout > MAX_TIMEOUT_S {
            return Err(Refusal::invalid("timeout must be 0 to 31536000 seconds."));
        }
        transaction.own_sandbox(holder, &id)?;
        transaction.set_timeout(&id, timeout)?;
        Ok(Reply::ok(transaction.sandbox(&id)?.shown()))
    })
    .await
}

pub(crate) async fn destroy(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    with_key(&shared, call, move |transaction, holder| {
        transaction.own_sandbox(holder, &id)?;
        transaction.destroy(&id)?;
        Ok(Reply::ok(
            transaction.sandbox(&id)?.shown_destroyed(transaction.now),
        ))
    })
    .await
}

pub(crate) async fn hibernate(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    with_key(&shared, call, move |transaction, holder| {
        transaction.own_sandbox(holder, &id)?;
        transaction.hibernate(&id)?;
        Ok(Reply::ok(json!({})))
    })
    .await
}

pub(crate) async fn resume(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    with_key(&shared, call, move |transaction, holder| {
        transaction.own_sandbox(holder, &id)?;
        transaction.resume(&id)?;
        Ok(Reply::ok(json!({})))
    })
    .await
}

#[derive(Deserialize)]
struct Fork {
    #[serde(default = "one")]
    count: usize,
}

const fn one() -> usize {
    1
}

pub(crate) async fn fork(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    call: Call,
    payload: Payload,
) -> Answer {
    let fork = if payload.0.is_empty() {
        Ok(Fork { count: 1 })
    } else {
        payload.json::<Fork>()
    };
    with_key(&shared, call, move |transaction, holder| {
        let Fork { count } = fork?;
        if !(1..=100).contains(&count) {
            return Err(Refusal::invalid("count must be 1 to 100."));
        }
        let parent = transaction.own_sandbox(holder, &id)?;
        if parent.status != Status::Running {
            return Err(Refusal::conflict(
                "not_running",
                "Only a running sandbox can be forked.",
            ));
        }
        let ids = transaction.launch(holder, &parent.size(), Some(&id), count)?;
        Ok(Reply::Json(
            StatusCode::CREATED,
            json!({"forks": shown(transaction, &ids)?}),
        ))
    })
    .await
}

pub(crate) async fn snapshot(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    with_key(&shared, call, move |transaction, holder| {
        Ok(Reply::Json(
            StatusCode::CREATED,
            transaction.snapshot(holder, &id)?,
        ))
    })
    .await
}

#[derive(Deserialize)]
struct Restore {
    snapshot_id: String,
}

pub(crate) async fn restore(
    Extract(shared): Extract<Arc<Shared>>,
    call: Call,
    payload: Payload,
) -> Answer {
    let restore = payload.json::<Restore>();
    with_key(&shared, call, move |transaction, holder| {
        let id = transaction.restore(holder, &restore?.snapshot_id)?;
        Ok(Reply::Json(
            StatusCode::CREATED,
            transaction.sandbox(&id)?.shown(),
        ))
    })
    .await
}

pub(crate) async fn snapshots(Extract(shared): Extract<Arc<Shared>>, call: Call) -> Answer {
    with_key(&shared, call, |transaction, holder| {
        Ok(Reply::ok(
            json!({"snapshots": transaction.snapshots_of(holder.account)}),
        ))
    })
    .await
}

pub(crate) async fn delete_snapshot(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    with_key(&shared, call, move |transaction, holder| {
        let known = transaction
            .state
            .snapshots
            .get(&id)
            .is_some_and(|snapshot| snapshot.account == holder.account);
        if !known {
            return Err(Refusal::not_found("snapshot_unknown", "No such snapshot."));
        }
        transaction.record(Entry::SnapshotDeleted(id));
        Ok(Reply::ok(json!({})))
    })
    .await
}

pub(crate) async fn audit(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    with_key(&shared, call, move |transaction, holder| {
        transaction
            .own_sandbox(holder, &id)?
            .audit_lines()
            .map(Reply::Lines)
    })
    .await
}
