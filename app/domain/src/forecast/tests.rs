//! The moment of zero against a simulation second by second.

use proptest::prelude::*;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::id::GrantId;
use crate::moment::HOUR_MS;
use crate::money::{Cents, MicroDollars};
use crate::price::BilledMs;
use crate::price::tests::first_price;

const SIZE: Size = Size {
    vcpus: 1,
    mem_mib: 1_024,
};

const ONE: Run = Run {
    size: SIZE,
    count: 1,
    from: Moment::MIN,
    until: None,
};

fn grant(id: u128, left: Ticks) -> Grant {
    Grant {
        grant_id: GrantId(Uuid::from_u128(id)),
        priority: 0,
        starts_at: Moment::MIN,
        ends_at: None,
        granted_at: Moment::MIN,
        remaining: left,
    }
}

#[test]
fn fifty_dollars_end_with_the_second_that_uses_them_up() {
    let (grants, book) = ([grant(1, Ticks::from_cents(Cents(5_000)))], [first_price()]);
    let present = Present {
        as_of: Moment::from(datetime!(2026-01-01 00:00 UTC)),
        grants: &grants,
        running: &[ONE],
        book: &book,
        limit: None,
    };
    let zero = zero(&present).unwrap().unwrap();
    // 4,390,243 whole seconds are paid in full; the next one pays 37/41 from credit, and with it credit ends.
    assert_eq!(zero.at.since_ms(present.as_of), 4_390_244_000);
    assert_eq!(zero.cause, Cause::Credit);
}

#[test]
fn a_limit_that_the_month_never_reaches_starts_again() {
    let (grants, book) = (
        [grant(1, Ticks::from_cents(Cents(100_000)))],
        [first_price()],
    );
    let present = |cents, spent| Present {
        as_of: Moment::from(datetime!(2026-01-01 00:00 UTC)),
        grants: &grants,
        running: &[ONE],
        book: &book,
        limit: Some(Limit {
            monthly: Ticks::from_cents(Cents(cents)),
            spent: Ticks::from_cents(Cents(spent)),
        }),
    };
    // 31 days cost $30.504, 30 days $29.52.
    assert_eq!(
        zero(&present(3_100, 0)).unwrap().unwrap().cause,
        Cause::Credit
    );
    let in_january = zero(&present(3_000, 0)).unwrap().unwrap();
    assert_eq!(
        (
            in_january.cause,
            in_january.at < Moment::from(datetime!(2026-02-01 00:00 UTC))
        ),
        (Cause::Limit, true)
    );
    let at_once = zero(&present(3_000, 3_000)).unwrap().unwrap();
    assert_eq!(at_once.at, present(0, 0).as_of);
}

#[test]
fn credit_that_ends_by_its_date_ends_it_though_nothing_runs() {
    let end = Moment::from(datetime!(2026-01-02 00:00 UTC));
    let grants = [Grant {
        ends_at: Some(end),
        ..grant(1, Ticks::from_cents(Cents(1)))
    }];
    let present = Present {
        as_of: Moment::from(datetime!(2026-01-01 00:00 UTC)),
        grants: &grants,
        running: &[],
        book: &[],
        limit: None,
    };
    assert_eq!(zero(&present).unwrap().unwrap().at, end);
    assert_eq!(
        next_month(Moment::from(datetime!(2028-02-29 23:59 UTC))),
        Moment::from(datetime!(2028-03-01 00:00 UTC))
    );
}

/// Walks second by second, as the meter does, and looks at the balance after each.
fn simulate(present: &Present<'_>, level: Level, seconds: i64) -> Option<Moment> {
    let mut grants = present.grants.to_vec();
    let mut spent = present.limit.map_or(Ticks::ZERO, |limit| limit.spent);
    let grid = present.as_of.unix_ms().div_euclid(1_000);
    for second in 0..=seconds {
        let at = if second == 0 {
            present.as_of
        } else {
            Moment::from_unix_ms((grid + second) * 1_000)
        };
        if second > 0 {
            let slice = Moment::from_unix_ms((grid + second - 1) * 1_000);
            let price = present
                .book
                .iter()
                .find(|price| price.covers(slice.hour()))
                .unwrap();
            let cost = present
                .running
                .iter()
                .filter(|run| {
                    let from = run.from.max(present.as_of).unix_ms().div_euclid(1_000);
                    let until = run.until.map(|until| until.unix_ms().div_euclid(1_000));
                    (from..until.unwrap_or(i64::MAX)).contains(&(grid + second - 1))
                })
                .map(|run| {
                    let one = price.cost(BilledMs(1_000), run.size).get();
                    Ticks::new(one * i128::from(run.count)).unwrap()
                })
                .sum();
            if month(at) != month(slice) {
                spent = Ticks::ZERO;
            } else {
                spent = spent.saturating_add(cost);
            }
            take(&mut grants, slice, cost);
        }
        let reached = match level {
            Level::CreditLeft(least) => usable(&grants, at) <= least,
            Level::MonthSpent(most) => spent >= most,
        };
        if reached {
            return Some(at);
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn the_moment_equals_a_simulation_second_by_second(
        offset in 0_i64..7_200_000, counts in prop::collection::vec((1_i32..4, 0_u32..3, -9_000_000_i64..9_000_000, prop::option::of(-100_000_i64..12_000_000)), 0..4),
        lefts in prop::collection::vec((0_i128..6_000, 0_i32..2, 0_i64..4, prop::option::of(1_i64..4)), 0..4),
        change in 1_i64..5, limit in prop::option::of((1_i128..9_000, 0_i128..3_000)), least in 0_i128..2_000,
    ) {
        // The last hours of a January, so that a month begins in the middle.
        let base = Moment::from(datetime!(2026-01-31 22:00 UTC));
        let second = first_price().cost(BilledMs(1_000), SIZE);
        let seconds = |n: i128| Ticks::new(second.get() * n + n % 7).unwrap();
        let grants: Vec<Grant> = lefts.into_iter().zip(1_u128..).map(|((left, priority, start, end), id)| Grant {
            priority, starts_at: base.plus_ms(start * HOUR_MS - HOUR_MS), ends_at: end.map(|end| base.plus_ms((start + end - 1) * HOUR_MS)),
            ..grant(id, seconds(left))
        }).collect();
        let change = base.plus_ms(change * HOUR_MS);
        let book = [
            Price { until: Some(change), ..first_price() },
            Price { from: change, vcpu_hour: MicroDollars(52_000), ..first_price() },
        ];
        let running: Vec<Run> = counts.into_iter().map(|(vcpus, count, from, lasts)| {
            let from = base.plus_ms(offset + from);
            Run { size: Size { vcpus, mem_mib: 1_024 }, count, from, until: lasts.map(|ms| from.plus_ms(ms)) }
        }).collect();
        let limit = limit.map(|(monthly, spent)| Limit { monthly: seconds(monthly), spent: seconds(spent) });
        let present = Present { as_of: base.plus_ms(offset), grants: &grants, running: &running, book: &book, limit };
        let span = 4 * 3_600;
        let end = present.as_of.plus_ms(span * 1_000);
        for level in [Level::CreditLeft(Ticks::ZERO), Level::CreditLeft(seconds(least)), Level::MonthSpent(limit.map_or(seconds(9_000), |l| l.monthly))] {
            let computed = reach(&present, level).unwrap().filter(|at| *at < end.plus_ms(-1_000));
            let simulated = simulate(&present, level, span).filter(|at| *at < end.plus_ms(-1_000));
            prop_assert_eq!(computed, simulated, "{:?}", level);
        }
    }
}
