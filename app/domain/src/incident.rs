//! Incident credit: the cost of the time in which a sandbox was billed and out of reach, as far as credit paid it.
//! Finding such times is `interval`'s; opening the grant is `backend`'s.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::interval::Lost;
use crate::moment::Moment;
use crate::money::Ticks;
use crate::sandbox::SandboxId;

/// The credit of each of these incidents of one account, in their order: per hour its exact cost, at most what grants
/// paid in that hour and the incidents before it have left. Overrun was never paid, so it never comes back.
#[must_use]
pub fn amounts(costs: &[Vec<(Moment, Ticks)>], paid: &BTreeMap<Moment, Ticks>) -> Vec<Ticks> {
    let mut left = paid.clone();
    costs
        .iter()
        .map(|hours| {
            hours
                .iter()
                .map(|(hour, cost)| match left.get_mut(hour) {
                    Some(left) => {
                        let part = (*cost).min(*left).max(Ticks::ZERO);
                        *left = left.saturating_sub(part);
                        part
                    }
                    None => Ticks::ZERO,
                })
                .sum()
        })
        .collect()
}

/// The words beside the grant, such as `Incident of 24 Nov 2026, 14:20 UTC: run78cb was out of reach for 12 m 04 s`.
#[must_use]
pub fn note(sandbox_id: &SandboxId, lost: Lost) -> String {
    let at = OffsetDateTime::from(lost.started_at);
    let month: String = at.month().to_string().chars().take(3).collect();
    let (day, year, hour, minute) = (at.day(), at.year(), at.hour(), at.minute());
    let length = length(lost.ended_at.since_ms(lost.started_at));
    format!(
        "Incident of {day} {month} {year}, {hour:02}:{minute:02} UTC: {sandbox_id} was out of reach for {length}"
    )
}

fn length(ms: i64) -> String {
    let seconds = ms / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} m {seconds:02} s"),
        _ => format!("{hours} h {minutes:02} m"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ceilings::GRANT_NOTE_CHARS_MAX;

    fn ticks(ticks: i128) -> Ticks {
        Ticks::new(ticks).unwrap()
    }

    #[test]
    fn the_note_names_when_what_and_how_long() {
        let at = 1_795_530_040_000;
        let lost = Lost {
            started_at: Moment::from_unix_ms(at),
            ended_at: Moment::from_unix_ms(at + 724_000),
        };
        let id = SandboxId::parse("run78cbccbab85efc28").unwrap();
        assert_eq!(
            note(&id, lost),
            "Incident of 24 Nov 2026, 14:20 UTC: run78cbccbab85efc28 was out of reach for 12 m 04 s"
        );
        let longest = SandboxId::parse(&"x".repeat(crate::ceilings::SANDBOX_ID_CHARS_MAX)).unwrap();
        assert!(note(&longest, lost).chars().count() <= GRANT_NOTE_CHARS_MAX);
    }

    proptest! {
        #[test]
        fn nothing_comes_back_that_was_not_paid_or_did_not_cost(
            raw in prop::collection::vec(prop::collection::vec((0_i64..5, 0_i128..1_000), 0..5), 0..6),
            paid in prop::collection::btree_map(0_i64..5, 0_i128..2_000, 0..5),
        ) {
            let costs: Vec<Vec<_>> = raw.iter()
                .map(|hours| hours.iter().map(|(hour, cost)| (Moment::from_unix_ms(*hour), ticks(*cost))).collect())
                .collect();
            let paid: BTreeMap<_, _> = paid.into_iter().map(|(hour, sum)| (Moment::from_unix_ms(hour), ticks(sum))).collect();
            let back = amounts(&costs, &paid);
            prop_assert!(back.iter().copied().sum::<Ticks>() <= paid.values().copied().sum());
            for (back, cost) in back.iter().zip(&costs) {
                prop_assert!(*back >= Ticks::ZERO && *back <= cost.iter().map(|(_, cost)| *cost).sum());
            }
            let plenty = paid.keys().map(|hour| (*hour, ticks(1_000_000))).collect();
            for (back, cost) in amounts(&costs, &plenty).iter().zip(&costs) {
                let of_paid = cost.iter().filter(|(hour, _)| paid.contains_key(hour)).map(|(_, cost)| *cost).sum();
                prop_assert_eq!(*back, of_paid, "where credit paid everything, everything comes back");
            }
        }

        #[test]
        fn an_incident_more_takes_nothing_from_those_before(
            costs in prop::collection::vec(prop::collection::vec((0_i64..3, 0_i128..1_000), 0..4), 1..6),
            paid in 0_i128..3_000,
        ) {
            let costs: Vec<Vec<_>> = costs.iter()
                .map(|hours| hours.iter().map(|(hour, cost)| (Moment::from_unix_ms(*hour), ticks(*cost))).collect())
                .collect();
            let paid = (0..3).map(|hour| (Moment::from_unix_ms(hour), ticks(paid))).collect();
            let before = amounts(&costs[..costs.len() - 1], &paid);
            prop_assert_eq!(&amounts(&costs, &paid)[..before.len()], &before[..]);
        }
    }
}
