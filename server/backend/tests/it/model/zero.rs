//! The moment of zero as the oracle sees it: hour after hour of the future is burned, until a second comes at which nothing
//! is left. No skipping ahead, which is what `domain::forecast` does.

use std::collections::BTreeMap;

use num_rational::BigRational;
use time::OffsetDateTime;

use super::oracle::{HOUR, Happened, Oracle, ratio};

/// Hours, and ends of timers, looked ahead: more than all credit of a case can last.
const AHEAD: i64 = 40_000;

/// When timers destroy what runs, by sandbox.
pub type Timers = BTreeMap<String, i64>;

impl Oracle {
    /// When credit or the limit ends should everything run on as at `as_of`, each to the end of its timer, and which of them.
    pub fn zero(
        &self,
        happened: &[Happened],
        as_of: i64,
        timers: &Timers,
    ) -> Option<(i64, &'static str)> {
        let mut ahead = self.clone();
        ahead.burn(happened, as_of);
        let running = ahead.running(happened);
        let mut spent: BigRational = ahead
            .usage
            .iter()
            .filter(|((_, hour), _)| month(*hour) == month(as_of))
            .map(|(_, (_, dollars))| dollars.clone())
            .sum();
        let mut at = as_of;
        for _ in 0..AHEAD {
            let hour = at.div_euclid(HOUR) * HOUR;
            let (left, zero) = (ahead.usable(hour), ratio(0, 1));
            let room = self.limit.as_ref().map(|limit| limit - &spent);
            if left <= zero {
                return Some((at, "credit"));
            }
            if room.as_ref().is_some_and(|room| *room <= zero) {
                return Some((at, "limit"));
            }
            let ends = |made: &&Happened| timers.get(&made.sandbox).copied();
            let runs = |made: &&&Happened| ends(made).is_none_or(|end| at < end);
            let next = running.iter().filter_map(ends).filter(|end| *end > at);
            let next = next.fold(hour + HOUR, i64::min);
            let a_second: BigRational = running
                .iter()
                .filter(runs)
                .map(|made| self.an_hour(made, hour) / ratio(3_600, 1))
                .sum();
            let first = at.div_euclid(1_000);
            let seconds = next.div_euclid(1_000) - first;
            if a_second > zero {
                let moment = |room: &BigRational| {
                    let more = (room / &a_second).ceil().to_integer();
                    let more: i64 = more.try_into().unwrap_or(i64::from(u32::MAX));
                    Some((first + more) * 1_000).filter(|moment| *moment < next)
                };
                let by_limit = room.as_ref().and_then(moment);
                let by_credit = moment(&left);
                match (by_credit, by_limit) {
                    (Some(credit), Some(limit)) if limit < credit => return Some((limit, "limit")),
                    (Some(credit), _) => return Some((credit, "credit")),
                    (None, Some(limit)) => return Some((limit, "limit")),
                    (None, None) => {}
                }
            }
            let cost = a_second * ratio(seconds, 1);
            ahead.take(hour, cost.clone());
            spent += cost;
            at = next;
            if month(at) != month(hour) {
                spent = zero;
            }
            let idle = !running
                .iter()
                .any(|made| ends(made).is_none_or(|end| at < end))
                && !ahead.changes_after(at);
            if idle && ahead.usable(at) > ratio(0, 1) {
                return None;
            }
        }
        None
    }
}

fn month(at: i64) -> (i32, u8) {
    let date = OffsetDateTime::from_unix_timestamp(at.div_euclid(1_000)).unwrap();
    (date.year(), date.month().into())
}
