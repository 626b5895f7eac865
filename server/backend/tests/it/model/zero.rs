//! The moment of zero as the oracle sees it: hour after hour of the future is burned, until a second comes at which nothing
//! is left. No skipping ahead, which is what `domain::forecast` does.

use num_rational::BigRational;
use time::OffsetDateTime;

use super::oracle::{HOUR, Happened, Oracle, ratio};

/// Hours looked ahead: more than all credit of a case can last.
const AHEAD: i64 = 40_000;

impl Oracle {
    /// When credit or the limit ends should everything run on as at `as_of`, and which of them.
    pub fn zero(&self, happened: &[Happened], as_of: i64) -> Option<(i64, &'static str)> {
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
            let a_second: BigRational = running
                .iter()
                .map(|made| self.an_hour(made, hour) / ratio(3_600, 1))
                .sum();
            let first = at.div_euclid(1_000);
            let seconds = (hour + HOUR) / 1_000 - first;
            if a_second > zero {
                let until = |room: &BigRational| (room / &a_second).ceil();
                let ends = |room: &BigRational| until(room) < ratio(seconds, 1);
                let moment = |room: &BigRational| {
                    let more: i64 = until(room).to_integer().try_into().unwrap();
                    (first + more) * 1_000
                };
                let by_limit = room.as_ref().filter(|room| ends(room)).map(moment);
                let by_credit = Some(&left).filter(|left| ends(left)).map(moment);
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
            at = hour + HOUR;
            if month(at) != month(hour) {
                spent = zero;
            }
            let idle = running.is_empty() && !ahead.changes_after(at);
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
