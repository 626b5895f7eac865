//! An oracle of its own for docs/allowance-vectors.json: it walks from grain to grain, pays each and looks what is left. Shares no
//! code with those whom the vectors hold to the formula, the orchestrator's `allowance.rs` and `domain::forecast`.
#![expect(
    clippy::unwrap_used,
    reason = "a vector that cannot be read has failed the test"
)]

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const VECTORS: &str = include_str!("../../../docs/allowance-vectors.json");
const HOUR: i64 = 3_600_000;
/// Grains walked before an end is held to be none; every vector with an end has it before.
const GRAINS: i64 = 60_000;

fn ms(text: &Value) -> Option<i64> {
    let moment = OffsetDateTime::parse(text.as_str()?, &Rfc3339).unwrap();
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

fn ticks(text: &Value) -> i128 {
    text.as_str().unwrap().parse().unwrap()
}

fn month(at: i64) -> (i32, u8) {
    let date = OffsetDateTime::from_unix_timestamp(at.div_euclid(1_000)).unwrap();
    (date.year(), date.month().into())
}

/// The stretch that two fields span; for ever where one is missing.
fn span(value: &Value, from: &str, until: &str) -> (i64, i64) {
    let bound = |field: &str, none: i64| ms(&value[field]).unwrap_or(none);
    (bound(from, i64::MIN), bound(until, i64::MAX))
}

fn within(at: i64, (from, until): (i64, i64)) -> bool {
    from <= at && at < until
}

struct Walk {
    as_of: i64,
    grain: i64,
    /// From and until; what is left.
    grants: Vec<((i64, i64), i128)>,
    /// Monthly, and spent.
    limit: Option<i128>,
    spent: i128,
    /// From and until; a processor's and a GiB's hour.
    prices: Vec<((i64, i64), i128, i128)>,
    /// First and last grain; processors and MiB.
    runs: Vec<((i64, i64), i128, i128)>,
}

impl Walk {
    fn new(vector: &Value) -> Self {
        let allowance = &vector["allowance"];
        let list = |value: &Value| value.as_array().unwrap().clone();
        let number = |value: &Value| i128::from(value.as_i64().unwrap());
        let as_of = ms(&allowance["as_of"]).unwrap();
        let grain = allowance["prices"][0]["grain_ms"].as_i64().unwrap();
        let grains = |run: &Value| {
            let (from, until) = span(run, "from", "until");
            (from.max(as_of).div_euclid(grain), until.div_euclid(grain))
        };
        let grant = |grant: &Value| (span(grant, "starts_at", "ends_at"), ticks(&grant["ticks"]));
        let price = |price: &Value| {
            let hours = (number(&price["vcpu_hour"]), number(&price["gib_hour"]));
            (span(price, "from", "until"), hours.0, hours.1)
        };
        let run = |run: &Value| (grains(run), number(&run["vcpus"]), number(&run["mem_mib"]));
        let limit = Some(&allowance["limit"]).filter(|limit| !limit.is_null());
        Self {
            as_of,
            grain,
            grants: list(&allowance["grants"]).iter().map(grant).collect(),
            limit: limit.map(|limit| ticks(&limit["monthly"])),
            spent: limit.map_or(0, |limit| ticks(&limit["spent"])),
            prices: list(&allowance["prices"]).iter().map(price).collect(),
            runs: list(&vector["runs"]).iter().map(run).collect(),
        }
    }

    fn cause(&self, at: i64) -> Option<&'static str> {
        let hour = at.div_euclid(HOUR) * HOUR;
        let paying = self.grants.iter().filter(|(span, _)| within(hour, *span));
        if paying.map(|(_, left)| *left).sum::<i128>() <= 0 {
            Some("credit")
        } else if self.limit.is_some_and(|monthly| self.spent >= monthly) {
            Some("limit")
        } else {
            None
        }
    }

    /// Pays the grain with this number: who runs at its beginning, by the grid, costs all of it.
    fn pay(&mut self, number: i64) {
        let at = (number * self.grain).max(self.as_of);
        let mut prices = self.prices.iter();
        let (_, vcpu, gib) = prices.find(|(span, ..)| within(at, *span)).unwrap();
        let runs = self.runs.iter().filter(|(span, ..)| within(number, *span));
        let per_ms = runs.map(|(_, vcpus, mib)| vcpu * 1_024 * vcpus + gib * mib);
        let cost = per_ms.sum::<i128>() * i128::from(self.grain);
        let (mut rest, hour) = (cost, at.div_euclid(HOUR) * HOUR);
        for (span, left) in &mut self.grants {
            if within(hour, *span) {
                let part = rest.min(*left);
                *left -= part;
                rest -= part;
            }
        }
        self.spent += cost;
        if month((number + 1) * self.grain) != month(at) {
            self.spent = 0;
        }
    }

    fn end(mut self, now: i64) -> Value {
        let first = self.as_of.div_euclid(self.grain);
        let said = |at: i64, cause: &str| json!({ "at": at, "cause": cause });
        for number in first..first + GRAINS {
            let (start, next) = (number * self.grain, (number + 1) * self.grain);
            let looks = (number == first && now == self.as_of) || (start < now && now < next);
            if looks && let Some(cause) = self.cause(now) {
                return said(now, cause);
            }
            self.pay(number);
            if next >= now
                && let Some(cause) = self.cause(next)
            {
                return said(next, cause);
            }
        }
        Value::Null
    }
}

#[test]
fn the_vectors_are_what_a_walk_from_grain_to_grain_finds() {
    let document: Value = serde_json::from_str(VECTORS).unwrap();
    let vectors = document["vectors"].as_array().unwrap();
    assert!(vectors.len() >= 30, "{}", vectors.len());
    for vector in vectors {
        let expected = &vector["end"];
        let expected = match ms(&expected["at"]) {
            Some(at) => json!({ "at": at, "cause": expected["cause"] }),
            None => Value::Null,
        };
        let walk = Walk::new(vector);
        let now = ms(&vector["now"]).unwrap_or(walk.as_of);
        assert_eq!(walk.end(now), expected, "{}", vector["name"]);
    }
}
