//! Fills the orchestrator's feed for the measure of feed to ledger. Deterministic: the same lives each time.

use serde_json::{Value, json};
use stand::draw::Draw;
use stand::http::{Ask, ask};
use time::OffsetDateTime;
use time::macros::format_description;

/// Events of one request.
const PAGE: usize = 2_000;
/// Accounts that have half of all events between them.
const BUSY: u64 = 4;
/// Seconds before now in which lives begin, so that none ends in the future.
const BEGIN_S: (i64, u64) = (90_000, 79_000);
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// One life of a sandbox.
struct Life {
    account: u64,
    sandbox: u64,
    key: u64,
    image: &'static str,
    vcpus: u64,
}

/// Appends at least so many events of so many accounts; gives how many. Lives of 10 s to 2 h within one day, one in four with a
/// nap; in the order of time, so that most lives begin in one page of the feed and end in another.
pub fn fill(orchestrator: &str, events: usize, accounts: u64) -> anyhow::Result<usize> {
    let now = now();
    let mut draw = Draw::new(41);
    let mut lines: Vec<(i64, Value)> = Vec::new();
    let mut sandbox = 0;
    while lines.len() < events {
        sandbox += 1;
        let busy = draw.below(2) == 0;
        let account = 1 + if busy {
            draw.below(BUSY)
        } else {
            BUSY + draw.below(accounts - BUSY)
        };
        let (key, vcpus) = (draw.below(3), 1 + draw.below(2));
        let image = if draw.below(2) == 0 {
            "node:22-slim"
        } else {
            "python:3.13"
        };
        let life = Life {
            account,
            sandbox,
            key,
            image,
            vcpus,
        };
        let is_short = draw.below(5) < 4;
        let length = if is_short {
            10 + draw.seconds(600)
        } else {
            600 + draw.seconds(6_600)
        };
        let start = now - BEGIN_S.0 + draw.seconds(BEGIN_S.1);
        let mut turns = vec![(start, "created")];
        if draw.below(4) == 0 {
            turns.extend([
                (start + length / 3, "hibernated"),
                (start + length / 2, "resumed"),
            ]);
        }
        turns.push((start + length, "destroyed"));
        for (second, kind) in turns {
            lines.push((second, life.event(&mut draw, second, kind)?));
        }
    }
    // Stable, so that the events of one life stay in their order.
    lines.sort_by_key(|(second, _)| *second);
    for page in lines.chunks(PAGE) {
        let page: Vec<&Value> = page.iter().map(|(_, event)| event).collect();
        let body = serde_json::to_vec(&json!({ "events": page }))?;
        let headers = [("Content-Type", "application/json")];
        let sent = Ask {
            headers: &headers,
            body: Some(&body),
            patience: Some(PATIENCE),
        };
        let answer = ask(&format!("{orchestrator}/peer/feed/append"), sent)?;
        anyhow::ensure!(
            answer.status == 200,
            "The orchestrator did not take the events."
        );
    }
    Ok(lines.len())
}

impl Life {
    fn event(&self, draw: &mut Draw, second: i64, kind: &str) -> anyhow::Result<Value> {
        let at = OffsetDateTime::from_unix_timestamp(second)?;
        let at = at + time::Duration::milliseconds(draw.seconds(1_000));
        let format = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        Ok(json!({
            "account": format!("00000000-0000-7000-8000-{:012x}", self.account),
            "sandbox_id": format!("runbench{:08x}", self.sandbox),
            "key_id": format!("00000000-0000-7000-9000-{:012x}", self.account * 4 + self.key),
            "kind": kind, "occurred_at": at.format(format)?, "image": self.image, "vcpus": self.vcpus,
            "mem_mib": self.vcpus * 1_024, "cpu_ms": (kind != "created").then(|| draw.below(100_000)),
        }))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "lives end before now, which only the system knows"
)]
fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}
