//! What is left of an account, as the dashboard told it, and when that ends by what runs: the formula of `Allowance` in
//! docs/orchestrator.yaml. Only arithmetic; what ran is state.rs, what an end does transaction.rs.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{Date, OffsetDateTime};

use super::ending::Cause;
use crate::stamp::Stamp;

const HOUR_MS: i64 = 3_600_000;
/// Beyond this nothing ends: ten years.
const HORIZON_MS: i64 = 3_653 * 86_400_000;

/// What is left of an account, exact up to `as_of`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allowance {
    pub(crate) as_of: Stamp,
    /// The last event that is counted, as `EPOCH:SEQ`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
    /// In the order in which they pay.
    grants: Vec<Grant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
    prices: Vec<Price>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    ticks: Ticks,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starts_at: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends_at: Option<Stamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    monthly: Ticks,
    spent: Ticks,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Stamp>,
    vcpu_hour: i64,
    gib_hour: i64,
    grain_ms: i64,
}

/// An amount as it travels: digits in a string, because a JSON number may lose some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticks(i128);

impl Serialize for Ticks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Ticks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// A stretch in which a sandbox runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) vcpus: u32,
    pub(crate) mem_mib: u32,
    pub(crate) from: Stamp,
    /// When it ended, or its timer will end it.
    pub(crate) until: Option<Stamp>,
}

impl Run {
    fn runs(&self, at: Stamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

impl Grant {
    fn pays(&self, hour: Stamp) -> bool {
        self.starts_at.is_none_or(|from| from <= hour) && self.ends_at.is_none_or(|to| hour < to)
    }
}

impl Price {
    fn rules(&self, at: Stamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// What is left while time goes on.
struct Left {
    grants: Vec<i128>,
    spent: i128,
}

impl Allowance {
    /// The position in the feed of the last event that is counted; 0 when none is.
    pub(crate) fn counted(&self, epoch: &str) -> u64 {
        let position = self
            .after
            .as_deref()
            .and_then(|after| after.split_once(':'));
        let of_this_feed = position.filter(|(of, _)| *of == epoch);
        of_this_feed.map_or(0, |(_, seq)| seq.parse().unwrap_or(0))
    }

    /// The first moment from `now` on at which nothing may run, and what has ended then. `runs` is everything that ran since
    /// `as_of` and is not counted in it, and what runs.
    pub(crate) fn end(&self, runs: &[Run], now: Stamp) -> Option<(Stamp, Cause)> {
        let mut left = Left {
            grants: self.grants.iter().map(|grant| grant.ticks.0).collect(),
            spent: self.limit.as_ref().map_or(0, |limit| limit.spent.0),
        };
        let mut at = self.as_of;
        for edge in self.edges(runs, now) {
            let (rate, grain) = self.rate(runs, at);
            if at >= now
                && let Some(end) = self.end_between((at, edge), &left, (rate, grain))
            {
                return Some(end);
            }
            let cost = rate * i128::from(edge.0.div_euclid(grain) - at.0.div_euclid(grain));
            self.take(&mut left, at, cost);
            if month(edge) != month(at) {
                left.spent = 0;
            }
            at = edge;
        }
        None
    }

    /// Every moment after `as_of` at which a rate, a grant or the month changes, in order, and the horizon last.
    fn edges(&self, runs: &[Run], now: Stamp) -> Vec<Stamp> {
        let horizon = self.as_of.max(now).plus_ms(HORIZON_MS);
        let grants = self.grants.iter().flat_map(|g| [g.starts_at, g.ends_at]);
        let prices = self.prices.iter().flat_map(|p| [p.from, p.until]);
        let runs = runs.iter().flat_map(|run| [Some(run.from), run.until]);
        let mut edges: Vec<Stamp> = grants.chain(prices).chain(runs).flatten().collect();
        edges.extend([now, horizon]);
        let mut next = next_month(self.as_of);
        while next < horizon {
            edges.push(next);
            next = next_month(next);
        }
        edges.retain(|edge| self.as_of < *edge && *edge <= horizon);
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// What everything that runs at a moment costs per grain, and that grain in milliseconds. An hour without a price costs
    /// nothing here: the dashboard alarms about it.
    fn rate(&self, runs: &[Run], at: Stamp) -> (i128, i64) {
        let Some(price) = self.prices.iter().find(|price| price.rules(at)) else {
            return (0, 1_000);
        };
        let grain = price.grain_ms.max(1);
        let per_ms = |run: &Run| {
            i128::from(price.vcpu_hour) * 1_024 * i128::from(run.vcpus)
                + i128::from(price.gib_hour) * i128::from(run.mem_mib)
        };
        let running = runs.iter().filter(|run| run.runs(at));
        (running.map(per_ms).sum::<i128>() * i128::from(grain), grain)
    }

    /// The first moment of a stretch of one rate at which nothing is left.
    fn end_between(
        &self,
        (at, edge): (Stamp, Stamp),
        left: &Left,
        (rate, grain): (i128, i64),
    ) -> Option<(Stamp, Cause)> {
        let hour = Stamp(at.0.div_euclid(HOUR_MS) * HOUR_MS);
        let paying = self.grants.iter().zip(&left.grants);
        let credit: i128 = paying
            .filter(|(grant, _)| grant.pays(hour))
            .map(|(_, left)| *left)
            .sum();
        let limit = self
            .limit
            .as_ref()
            .map(|limit| limit.monthly.0 - left.spent);
        let reached = |room: i128| {
            if room <= 0 {
                return Some(at);
            }
            let grains = (rate > 0).then(|| (room + rate - 1) / rate)?;
            let grains = i64::try_from(grains).ok()?;
            let moment = grains
                .checked_add(at.0.div_euclid(grain))?
                .checked_mul(grain)?;
            (moment < edge.0).then_some(Stamp(moment))
        };
        let by_credit = reached(credit).map(|at| (at, Cause::Credit));
        let by_limit = limit.and_then(reached).map(|at| (at, Cause::Limit));
        match (by_credit, by_limit) {
            (Some(credit), Some(limit)) if limit.0 < credit.0 => Some(limit),
            (credit, limit) => credit.or(limit),
        }
    }

    /// Takes what a stretch that begins at `at` cost off the grants that pay then; what none covers is nobody's.
    fn take(&self, left: &mut Left, at: Stamp, cost: i128) {
        let hour = Stamp(at.0.div_euclid(HOUR_MS) * HOUR_MS);
        let mut rest = cost;
        for (grant, left) in self.grants.iter().zip(&mut left.grants) {
            if grant.pays(hour) {
                let part = rest.min(*left).max(0);
                *left -= part;
                rest -= part;
            }
        }
        left.spent += cost;
    }
}

fn date(at: Stamp) -> Date {
    let moment = OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1_000));
    moment.unwrap_or(OffsetDateTime::UNIX_EPOCH).date()
}

fn month(at: Stamp) -> (i32, u8) {
    (date(at).year(), date(at).month().into())
}

/// The first moment of the UTC month after that of `at`.
fn next_month(at: Stamp) -> Stamp {
    let days = i64::from(date(at).month().length(date(at).year())) + 1 - i64::from(date(at).day());
    let midnight = at.0.div_euclid(86_400_000) * 86_400_000;
    Stamp(midnight + days * 86_400_000)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const VECTORS: &str = include_str!("../../../../docs/allowance-vectors.json");

    #[test]
    fn every_vector_ends_where_the_document_says() {
        let document: Value = serde_json::from_str(VECTORS).unwrap();
        let vectors = document["vectors"].as_array().unwrap();
        assert!(vectors.len() >= 20, "{}", vectors.len());
        for vector in vectors {
            let name = &vector["name"];
            let allowance: Allowance = serde_json::from_value(vector["allowance"].clone()).unwrap();
            let runs: Vec<Run> = serde_json::from_value(vector["runs"].clone()).unwrap();
            let now: Option<Stamp> = serde_json::from_value(vector["now"].clone()).unwrap();
            let end = allowance.end(&runs, now.unwrap_or(allowance.as_of));
            let found = end.map(|(at, cause)| serde_json::json!({"at": at, "cause": cause}));
            assert_eq!(found.unwrap_or(Value::Null), vector["end"], "{name}");
        }
    }
}
