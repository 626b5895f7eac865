//! Handlers of the control plane about one sandbox or snapshot: reading on behalf of a user, and commands that
//! take effect once for each idempotency key.

use std::sync::Arc;

use axum::extract::{Path, State as Extract};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    records::Sandbox,
    runs::MAX_TIMEOUT_S,
    shared::Shared,
    state::{Answered, Entry},
    transaction::Transaction,
    wire::{Answer, IdempotencyKey, Payload, Refusal, Reply, uuid},
};

pub(crate) async fn runs(
    Extract(shared): Extract<Arc<Shared>>,
    Path(account): Path<String>,
) -> Answer {
    let account = uuid(&account)?;
    shared
        .run(move |transaction| {
            transaction.tenant(account)?;
            let now = transaction.now;
            let mut live: Vec<&Sandbox> = transaction.live_of(account).collect();
            live.sort_by_key(|sandbox| sandbox.created_at);
            let runs: Vec<Value> = live
                .into_iter()
                .map(|sandbox| sandbox.shown_to_control(now))
                .collect();
            Ok(Reply::ok(json!({"as_of": now, "runs": runs})))
        })
        .await
}

pub(crate) async fn audit(Extract(shared): Extract<Arc<Shared>>, Path(id): Path<String>) -> Answer {
    shared
        .run(move |transaction| transaction.sandbox(&id)?.audit_lines().map(Reply::Lines))
        .await
}

pub(crate) async fn snapshots(
    Extract(shared): Extract<Arc<Shared>>,
    Path(account): Path<String>,
) -> Answer {
    let account = uuid(&account)?;
    shared
        .run(move |transaction| {
            transaction.tenant(account)?;
            Ok(Reply::ok(
                json!({"snapshots": transaction.snapshots_of(account)}),
            ))
        })
        .await
}

pub(crate) async fn delete_snapshot(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    _key: IdempotencyKey,
) -> Answer {
    shared
        .run(move |transaction| {
            if transaction.state.snapshots.contains_key(&id) {
                transaction.record(Entry::SnapshotDeleted(id));
            }
            Ok(Reply::NoContent)
        })
        .await
}

pub(crate) async fn destroy(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    key: IdempotencyKey,
) -> Answer {
    command(&shared, key, "destroy", id, |transaction, id| {
        transaction.destroy(id)
    })
    .await
}

pub(crate) async fn hibernate(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    key: IdempotencyKey,
) -> Answer {
    command(&shared, key, "hibernate", id, |transaction, id| {
        transaction.hibernate(id)
    })
    .await
}

pub(crate) async fn resume(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    key: IdempotencyKey,
) -> Answer {
    command(&shared, key, "resume", id, |transaction, id| {
        transaction.resume(id)
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Timeout {
    timeout_s: u32,
}

pub(crate) async fn timeout(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    key: IdempotencyKey,
    payload: Payload,
) -> Answer {
    let Timeout { timeout_s } = payload.json()?;
    if timeout_s > MAX_TIMEOUT_S {
        return Err(Refusal::invalid("timeout_s must be 0 to 31536000 seconds."));
    }
    let name = format!("timeout {timeout_s}");
    command(&shared, key, &name, id, move |transaction, id| {
        transaction.set_timeout(id, timeout_s)
    })
    .await
}

/// Does a command once. The same key again gets the first answer and changes nothing: a delayed second delivery of
/// "hibernate" must not hibernate what its owner has resumed since. Refusals are not remembered, so a command
/// refused for lack of credit can be sent again with its key.
async fn command(
    shared: &Arc<Shared>,
    IdempotencyKey(key): IdempotencyKey,
    name: &str,
    id: String,
    effect: impl FnOnce(&mut Transaction<'_>, &str) -> Result<(), Refusal> + Send + 'static,
) -> Answer {
    let command = format!("{name} {id}");
    shared
        .run(move |transaction| {
            if let Some(known) = transaction.state.answers.get(&key) {
                if known.command != command {
                    return Err(Refusal::conflict(
                        "idempotency_key_reused",
                        "This Idempotency-Key was used for another command.",
                    ));
                }
                return Ok(Reply::ok(known.body.clone()));
            }
            effect(transaction, &id)?;
            let body = transaction.sandbox(&id)?.shown_to_control(transaction.now);
            let answered = Answered {
                command,
                body: body.clone(),
            };
            transaction.record(Entry::Answered {
                idempotency_key: key,
                answered,
            });
            Ok(Reply::ok(body))
        })
        .await
}
