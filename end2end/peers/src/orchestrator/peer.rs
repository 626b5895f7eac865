//! `/peer/*`: the test switches by HTTP, for browser tests and hands. Without credential, and from loopback only.
//! Not part of the contract: a real orchestrator has nothing of the kind.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    control::Appended,
    plane::Switch,
    shared::Shared,
    state::Entry,
    wire::{Answer, Payload, Refusal, Reply},
};

/// Sandboxes listed in the state.
const MAX_LISTED: usize = 1_000;

pub(crate) async fn loopback_only(
    ConnectInfo(remote): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    if request.uri().path().starts_with("/peer/") && !remote.ip().to_canonical().is_loopback() {
        return not_found().await.into_response();
    }
    next.run(request).await
}

pub(crate) async fn not_found() -> Refusal {
    Refusal::not_found("not_found", "There is nothing here.")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    speed: Option<u32>,
    advance_ms: Option<i64>,
}

pub(crate) async fn clock(Extract(shared): Extract<Arc<Shared>>, payload: Payload) -> Answer {
    let change: ClockChange = payload.json()?;
    shared
        .run(move |transaction| {
            if let Some(speed) = change.speed {
                transaction.set_speed(speed)?;
            }
            if let Some(ms) = change.advance_ms {
                transaction.advance(ms)?;
            }
            Ok(Reply::ok(
                json!({"now": transaction.now, "speed": transaction.state.clock.speed}),
            ))
        })
        .await
}

pub(crate) async fn add_fault(Extract(shared): Extract<Arc<Shared>>, payload: Payload) -> Answer {
    let switch: Switch = payload.json()?;
    shared.faults.add(switch)?;
    Ok(Reply::ok(json!({"faults": shared.faults.waiting()})))
}

pub(crate) async fn clear_faults(Extract(shared): Extract<Arc<Shared>>) -> Answer {
    shared.faults.clear();
    Ok(Reply::NoContent)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rewrite {
    seq: u64,
}

pub(crate) async fn rewrite(Extract(shared): Extract<Arc<Shared>>, payload: Payload) -> Answer {
    let Rewrite { seq } = payload.json()?;
    shared
        .run(move |transaction| transaction.rewrite(seq).map(|()| Reply::NoContent))
        .await
}

pub(crate) async fn skip(Extract(shared): Extract<Arc<Shared>>) -> Answer {
    shared
        .run(|transaction| {
            transaction.record(Entry::Skipped);
            Ok(Reply::NoContent)
        })
        .await
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Append {
    Many { events: Vec<Appended> },
    One(Box<Appended>),
}

pub(crate) async fn append(Extract(shared): Extract<Arc<Shared>>, payload: Payload) -> Answer {
    let events = match payload.json()? {
        Append::Many { events } => events,
        Append::One(event) => vec![*event],
    };
    shared
        .run(move |transaction| Ok(Reply::ok(json!({"events": transaction.append(events)}))))
        .await
}

pub(crate) async fn state(Extract(shared): Extract<Arc<Shared>>) -> Answer {
    let faults = shared.faults.waiting();
    shared
        .run(move |transaction| {
            let now = transaction.now;
            let state = &transaction.state;
            let sandboxes: Vec<Value> =
                state.sandboxes.values().take(MAX_LISTED).map(|sandbox| sandbox.shown_to_control(now)).collect();
            Ok(Reply::ok(json!({
                "now": now, "speed": state.clock.speed, "epoch": state.epoch, "next_seq": state.next_seq,
                "events": state.events.len(), "tenants": state.tenants.len(), "keys": state.keys.len(),
                "snapshots": state.snapshots.len(), "sandboxes": sandboxes, "faults": faults,
            })))
        })
        .await
}
