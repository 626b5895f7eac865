//! Handlers of the public plane about what an account used so far, and the catalogue of network profiles.
//! What it costs here is for customers to see; bills come from the feed.

use std::sync::Arc;

use axum::extract::State as Extract;
use serde_json::{Value, json};

use super::{
    keys::{Call, with_key},
    records::{Sandbox, Status},
    shared::Shared,
    wire::{Answer, Reply, price_cents, seconds},
};

/// The history answers at most this many sandboxes, newest first.
const MAX_HISTORY: usize = 1_000;

pub(crate) async fn usage(Extract(shared): Extract<Arc<Shared>>, call: Call) -> Answer {
    with_key(&shared, call, |transaction, holder| {
        let now = transaction.now;
        let (mut active, mut ended, mut active_weight, mut ended_weight) = (0_u64, 0_u64, 0_i128, 0_i128);
        let (mut cpu_ms, mut mib_ms) = (0_i128, 0_i128);
        for sandbox in transaction.state.sandboxes.values().filter(|sandbox| sandbox.account == holder.account) {
            if sandbox.status == Status::Destroyed {
                ended += 1;
                ended_weight += sandbox.weight(now);
            } else {
                active += 1;
                active_weight += sandbox.weight(now);
            }
            cpu_ms += i128::from(sandbox.cpu_ms(now));
            mib_ms += i128::from(sandbox.mem_mib) * i128::from(sandbox.running_ms(now));
        }
        Ok(Reply::ok(json!({
            "active_sandboxes": active, "history_sandboxes": ended,
            "active_cost_cents": price_cents(active_weight), "history_cost_cents": price_cents(ended_weight),
            "total_cost_cents": price_cents(active_weight + ended_weight),
            "cpu_seconds": seconds(cpu_ms), "mem_seconds": seconds(mib_ms / 1_024), "as_of": now,
        })))
    })
    .await
}

pub(crate) async fn history(Extract(shared): Extract<Arc<Shared>>, call: Call) -> Answer {
    with_key(&shared, call, |transaction, holder| {
        let mut ended: Vec<&Sandbox> = transaction
            .state
            .sandboxes
            .values()
            .filter(|sandbox| {
                sandbox.account == holder.account && sandbox.status == Status::Destroyed
            })
            .collect();
        ended.sort_by_key(|sandbox| std::cmp::Reverse(sandbox.destroyed_at));
        let now = transaction.now;
        let entries: Vec<Value> = ended
            .into_iter()
            .take(MAX_HISTORY)
            .map(|one| one.shown_in_history(now))
            .collect();
        Ok(Reply::ok(json!({"sandboxes": entries})))
    })
    .await
}

pub(crate) async fn network_profiles(Extract(shared): Extract<Arc<Shared>>, call: Call) -> Answer {
    with_key(&shared, call, |_transaction, _holder| {
        Ok(Reply::ok(json!([
            {"name": "unrestricted", "allow": ["*"], "deny": []},
            {"name": "locked-down", "allow": [], "deny": ["*"]},
            {"name": "claude-code", "allow": ["api.anthropic.com"], "deny": []},
            {"name": "openai", "allow": ["api.openai.com"], "deny": []},
        ])))
    })
    .await
}
