//! The feed: the gapless, append-only record of what ran, and the only source of billable usage.
//! Who writes events: transaction.rs. Test switches that damage the feed: peer.rs.

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::{Query, State as Extract};
use serde::{Deserialize, Serialize};

use super::{
    records::Event,
    shared::Shared,
    wire::{Answer, Refusal, Reply},
};
use crate::stamp::Stamp;

/// The answer of `GET feed`.
#[derive(Serialize)]
struct Page<'a> {
    epoch: &'a str,
    events: &'a [Event],
    watermark_at: Stamp,
    more: bool,
}

impl Page<'_> {
    /// The page as it is sent. A damaged line is sent as it is, also when that is no JSON.
    fn written(&self, damaged: &BTreeMap<u64, Vec<u8>>) -> serde_json::Result<Vec<u8>> {
        if !self
            .events
            .iter()
            .any(|event| damaged.contains_key(&event.seq))
        {
            return serde_json::to_vec(self);
        }
        let around = Page {
            events: &[],
            ..*self
        };
        let around = serde_json::to_vec(&around)?;
        let empty = b"\"events\":[";
        let begin = around.windows(empty.len()).position(|part| part == empty);
        let (head, tail) = around.split_at(begin.map_or(0, |at| at + empty.len()));
        let mut text = head.to_vec();
        for (index, event) in self.events.iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            match damaged.get(&event.seq) {
                Some(line) => text.extend_from_slice(line),
                None => serde_json::to_writer(&mut text, event)?,
            }
        }
        text.extend_from_slice(tail);
        Ok(text)
    }
}

#[derive(Deserialize)]
pub(crate) struct PageQuery {
    after: Option<String>,
    limit: Option<String>,
}

const DEFAULT_LIMIT: usize = 1_000;
const MAX_LIMIT: usize = 10_000;

pub(crate) async fn read(
    Extract(shared): Extract<Arc<Shared>>,
    Query(query): Query<PageQuery>,
) -> Answer {
    let limit = match query.limit.as_deref().map(str::parse::<usize>) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(_) => {
            return Err(Refusal::invalid(
                "limit must be a whole number from 1 to 10000.",
            ));
        }
    };
    let after = query.after.as_deref().map(cursor).transpose()?;
    let damaged = shared.damaged();
    shared
        .run(move |transaction| {
            let state = &transaction.state;
            let after = match after {
                None => 0,
                Some((epoch, _)) if epoch != state.epoch => {
                    return Err(Refusal::conflict(
                        "epoch_changed",
                        "The cursor is of another feed.",
                    ));
                }
                Some((_, seq)) if seq >= state.next_seq => {
                    return Err(Refusal::conflict(
                        "cursor_ahead",
                        "The cursor is beyond the end of the feed.",
                    ));
                }
                Some((_, seq)) => seq,
            };
            let first = state.events.partition_point(|event| event.seq <= after);
            let rest = state.events.get(first..).unwrap_or_default();
            let (page, beyond) = rest.split_at(limit.min(rest.len()));
            // With more to come, the last event was recorded at a moment when later events, dated earlier, may
            // have been recorded too: the honest promise ends where the next event begins.
            let watermark_at = match (page.last(), beyond.first()) {
                (Some(last), Some(next)) => last.recorded_at.min(next.occurred_at),
                _ => transaction.now,
            };
            let page = Page {
                epoch: &state.epoch,
                events: page,
                watermark_at,
                more: !beyond.is_empty(),
            };
            page.written(&damaged)
                .map(Reply::Written)
                .map_err(|_| Refusal::broken("The page cannot be written."))
        })
        .await
}

fn cursor(text: &str) -> Result<(String, u64), Refusal> {
    let refusal = || Refusal::invalid("after must look like EPOCH:SEQ.");
    let (epoch, seq) = text.split_once(':').ok_or_else(refusal)?;
    let seq = seq.parse().map_err(|_| refusal())?;
    if epoch.is_empty() {
        return Err(refusal());
    }
    Ok((epoch.to_owned(), seq))
}
