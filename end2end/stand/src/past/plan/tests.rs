//! The made-up past holds what a newcomer shall see, whenever it is made.

use std::collections::{BTreeMap, BTreeSet};

use time::macros::datetime;

use super::*;

/// Thousandths of a cent that the plan costs, by day. What has no end by itself is counted while it is awake.
fn cost(steps: &[Step], end: OffsetDateTime) -> BTreeMap<time::Date, i64> {
    let mut spans: Vec<(OffsetDateTime, OffsetDateTime, i64)> = Vec::new();
    let mut awake: BTreeMap<&str, (OffsetDateTime, i64)> = BTreeMap::new();
    let mut rates: BTreeMap<&str, i64> = BTreeMap::new();
    for step in steps {
        match &step.deed {
            Deed::Start(life) => {
                // Micro-dollars an hour.
                let rate = life.vcpus * 26_000 + life.gib * 15_000;
                match life.name {
                    Some(name) => {
                        rates.insert(name, rate);
                        awake.insert(name, (step.at, rate));
                    }
                    None => spans.push((
                        step.at,
                        end.min(step.at + Duration::seconds(life.timeout_s)),
                        rate,
                    )),
                }
            }
            Deed::Wake(name) => drop(awake.insert(name, (step.at, rates[name]))),
            Deed::Sleep(name) => {
                let (since, rate) = awake.remove(name).unwrap();
                spans.push((since, step.at, rate));
            }
            _ => {}
        }
    }
    spans.extend(awake.into_values().map(|(since, rate)| (since, end, rate)));
    let mut days = BTreeMap::new();
    for (from, to, rate) in spans {
        *days.entry(from.date()).or_default() += (to - from).whole_seconds() * rate / 36_000;
    }
    days
}

#[test]
fn the_past_uses_most_of_the_credit_and_no_month_reaches_the_limit_whenever_it_is_made() {
    for day in 0..70 {
        let end =
            datetime!(2026-11-30 00:00 UTC) + Duration::days(day) + Duration::minutes(day * 20);
        let midnight = end.replace_time(time::Time::MIDNIGHT) - Duration::days(DAYS);
        let steps = plan(midnight, end);
        assert!(steps.is_sorted_by_key(|step| step.at) && steps.iter().all(|step| step.at < end));
        let days = cost(&steps, end);
        let all: i64 = days.values().sum();
        assert!((2_700_000..4_200_000).contains(&all), "{end}: {all}");
        let months: BTreeSet<_> = days
            .keys()
            .map(|date| (date.year(), date.month()))
            .collect();
        for month in months {
            let of_month = days
                .iter()
                .filter(|(date, _)| (date.year(), date.month()) == month);
            let spent: i64 = of_month.map(|(_, cost)| cost).sum();
            assert!(spent < 2_850_000, "{end} {month:?}: {spent} of 30 dollars");
        }
    }
}

#[test]
fn it_is_the_same_each_time_and_has_everything_in_it() {
    let end = datetime!(2026-11-30 23:45 UTC);
    let midnight = datetime!(2026-10-01 00:00 UTC);
    let steps = plan(midnight, end);
    assert_eq!(steps, plan(midnight, end));
    let has = |fits: fn(&Deed) -> bool| steps.iter().filter(|step| fits(&step.deed)).count();
    assert_eq!(has(|deed| matches!(deed, Deed::Key(_))), 5);
    assert_eq!(
        (
            has(|deed| matches!(deed, Deed::Lose(_))),
            has(|deed| matches!(deed, Deed::Find(_)))
        ),
        (1, 1)
    );
    assert_eq!(
        has(|deed| matches!(deed, Deed::Revoke(_) | Deed::Limit(_) | Deed::Recipient(_))),
        3
    );
    let lives = has(|deed| matches!(deed, Deed::Start(_)));
    assert!((500..900).contains(&lives), "{lives}");
}
