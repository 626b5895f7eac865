//! The fold and the cut against hand-made lives and random ones.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::feed::SkewFault;
use crate::id::AccountId;
use crate::money::MicroDollars;
use crate::price::tests::first_price;
use crate::sandbox::SandboxId;

const SIZE: Size = Size {
    vcpus: 1,
    mem_mib: 1_024,
};

fn event(seq: i64, kind: EventKind, occurred: i64, recorded: i64) -> Event {
    Event {
        seq,
        event_id: Uuid::from_u128(seq.unsigned_abs().into()),
        account_id: AccountId(Uuid::nil()),
        sandbox_id: SandboxId::parse("run1").unwrap(),
        key_id: None,
        kind,
        occurred_at: Moment::from_unix_ms(occurred),
        recorded_at: Moment::from_unix_ms(recorded),
        image: "node:22".into(),
        region: "us".into(),
        size: SIZE,
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let kind = prop::sample::select(EventKind::ALL.to_vec());
    prop::collection::vec((kind, 0_i64..20_000_000, -30_000_i64..30_000), 0..30).prop_map(|raw| {
        let mut recorded: Vec<_> = raw.iter().map(|(_, at, _)| *at).collect();
        recorded.sort_unstable();
        let rows = raw.into_iter().zip(recorded).zip(1..);
        rows.map(|(((kind, _, skew), at), seq)| event(seq, kind, at + skew, at))
            .collect()
    })
}

#[test]
fn a_life_with_a_nap() {
    let kinds = [
        EventKind::Created,
        EventKind::Hibernated,
        EventKind::Resumed,
        EventKind::Destroyed,
    ];
    let life: Vec<_> = kinds
        .iter()
        .zip(1_i64..)
        .map(|(kind, seq)| event(seq, *kind, seq * 10_000, seq * 10_000))
        .collect();
    let history = fold(&life);
    assert_eq!(history.state, Some(SandboxState::Destroyed));
    assert_eq!(history.intervals.len(), 2);
    let slices = slices(&history.intervals, SIZE, &[first_price()], Moment::MAX).unwrap();
    assert_eq!(slices.len(), 1, "both intervals lie in one hour");
    assert_eq!(slices[0].billed, BilledMs(20_000));
}

#[test]
fn a_negative_duration_becomes_nothing() {
    let history = fold(&[
        event(1, EventKind::Created, 9_000, 9_000),
        event(2, EventKind::Destroyed, 1_000, 9_500),
    ]);
    assert_eq!(
        history.intervals[0].ended_at,
        Some(Moment::from_unix_ms(9_000))
    );
    assert!(
        slices(&history.intervals, SIZE, &[first_price()], Moment::MAX)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn an_hour_without_a_price_is_an_error() {
    let late = Price {
        from: Moment::from_unix_ms(HOUR_MS),
        ..first_price()
    };
    let result = cost(
        Moment::from_unix_ms(0),
        Moment::from_unix_ms(2 * HOUR_MS),
        SIZE,
        &[late],
    );
    assert_eq!(
        result,
        Err(NoPrice {
            hour: Moment::from_unix_ms(0)
        })
    );
}

proptest! {
    #[test]
    fn intervals_never_overlap_and_at_most_the_last_is_open(events in events()) {
        let history = fold(&events);
        for pair in history.intervals.windows(2) {
            let end = pair[0].ended_at.expect("only the last may be open");
            prop_assert!(pair[0].started_at <= end && end <= pair[1].started_at);
        }
        let running = history.state == Some(SandboxState::Running);
        prop_assert_eq!(history.intervals.last().is_some_and(|last| last.ended_at.is_none()), running);
    }

    #[test]
    fn a_prefix_then_the_whole_equals_the_whole(events in events(), cut in 0_usize..30) {
        // The fold starts from the first event each time, so seeing a prefix before changes nothing.
        let _ = fold(&events[..cut.min(events.len())]);
        let mut twice = fold(&events);
        prop_assert_eq!(&twice, &fold(&events));
        twice.ignored = 0;
        let closed = |history: &History| history.intervals.iter().filter(|i| i.ended_at.is_some()).copied().collect::<Vec<_>>();
        let prefix = closed(&fold(&events[..cut.min(events.len())]));
        prop_assert_eq!(&closed(&twice)[..prefix.len()], &prefix[..], "closed intervals are final");
    }

    #[test]
    fn slices_add_up_to_the_interval(start in 0_i64..100_000_000, length in 0_i64..50_000_000, change in 1_i64..20) {
        let change = Moment::from_unix_ms(change * HOUR_MS);
        let old = Price { until: Some(change), ..first_price() };
        let new = Price { from: change, vcpu_hour: MicroDollars(30_000), ..first_price() };
        let (start, end) = (Moment::from_unix_ms(start), Moment::from_unix_ms(start + length));
        let (billed, ticks) = cost(start, end, SIZE, &[old.clone(), new.clone()]).unwrap();
        prop_assert_eq!(billed, first_price().billed_ms(start, end));
        let before = old.cost(old.billed_ms(start.min(change), end.min(change)), SIZE);
        let after = new.cost(new.billed_ms(start.max(change), end.max(change)), SIZE);
        prop_assert_eq!(ticks, before.saturating_add(after));
    }

    #[test]
    fn posting_by_the_hour_and_the_live_rest_equal_the_whole(start in 0_i64..20_000_000, length in 0_i64..30_000_000) {
        let open = Interval { started_at: Moment::from_unix_ms(start), ended_at: None };
        let now = Moment::from_unix_ms(start + length);
        let horizon = now.hour();
        let posted: Ticks = slices(&[open], SIZE, &[first_price()], horizon).unwrap().iter().map(|s| s.ticks).sum();
        let (_, live) = cost(open.started_at.max(horizon), now, SIZE, &[first_price()]).unwrap();
        let (_, whole) = cost(open.started_at, now, SIZE, &[first_price()]).unwrap();
        prop_assert_eq!(posted.saturating_add(live), whole);
    }

    // Invariant 13 of docs/invariants.md.
    #[test]
    fn skew_of_ten_seconds_moves_a_bill_by_ten_seconds_and_a_grain_per_edge(
        lengths in prop::collection::vec(20_000_i64..5_000_000, 1..6),
        skews in prop::collection::vec(-10_000_i64..=10_000, 12),
    ) {
        let mut at = 1_000_000;
        let (mut straight, mut skewed) = (Vec::new(), Vec::new());
        let kinds = [EventKind::Created, EventKind::Hibernated, EventKind::Resumed];
        for (index, length) in lengths.iter().enumerate() {
            let kind = if index == 0 { kinds[0] } else { kinds[2 - index % 2] };
            straight.push(event(i64::try_from(index).unwrap() + 1, kind, at, at + 10_000));
            skewed.push(event(i64::try_from(index).unwrap() + 1, kind, at + skews[index], at + 10_000));
            at += length;
        }
        let horizon = Moment::from_unix_ms(at + 20_000);
        let bill = |events: &[Event]| {
            let slices = slices(&fold(events).intervals, SIZE, &[first_price()], horizon).unwrap();
            slices.iter().map(|slice| slice.billed.0).sum::<i64>()
        };
        let edges = i64::try_from(lengths.len()).unwrap();
        let (straight, skewed) = (bill(&straight), bill(&skewed));
        prop_assert!(skewed >= 0 && (straight - skewed).abs() <= edges * 11_000);
    }

    #[test]
    fn lost_stretches_lie_in_running_time_and_never_overlap(events in events()) {
        let history = fold(&events);
        for pair in history.lost.windows(2) {
            prop_assert!(pair[0].ended_at <= pair[1].started_at);
        }
        for lost in &history.lost {
            prop_assert!(lost.started_at < lost.ended_at);
            prop_assert!(history.intervals.iter().any(|interval| interval.started_at <= lost.started_at
                && interval.ended_at.is_none_or(|end| lost.ended_at <= end)));
        }
    }

    // Invariant 3: joining or reordering pieces changes nothing.
    #[test]
    fn the_order_of_pieces_does_not_matter(cuts in prop::collection::vec(1_i64..4_000_000, 1..8)) {
        let mut at = Moment::from_unix_ms(777);
        let mut pieces = Vec::new();
        for cut in &cuts {
            let next = at.plus_ms(*cut);
            pieces.push(cost(at, next, SIZE, &[first_price()]).unwrap());
            at = next;
        }
        pieces.reverse();
        let sum = pieces.iter().map(|(_, ticks)| *ticks).sum::<Ticks>();
        prop_assert_eq!(sum, cost(Moment::from_unix_ms(777), at, SIZE, &[first_price()]).unwrap().1);
    }
}

#[test]
fn odd_times_are_moved_and_named() {
    let day = 86_400_000_i64;
    let events = [
        event(1, EventKind::Created, 40 * day, 40 * day),
        event(2, EventKind::Hibernated, 40 * day - 1_000, 40 * day),
        event(3, EventKind::Resumed, 41 * day + 5_001, 41 * day),
        event(4, EventKind::Destroyed, 0, 80 * day),
    ];
    let history = fold(&events);
    let odd: Vec<_> = history
        .skews
        .iter()
        .map(|skew| (skew.seq, skew.fault, skew.taken.unix_ms()))
        .collect();
    assert_eq!(
        odd,
        [
            (3, SkewFault::Ahead, 41 * day),
            (4, SkewFault::LateBeyond35Days, 45 * day)
        ]
    );
    assert_eq!(
        history.destroyed_at,
        Some(Moment::from_unix_ms(45 * day)),
        "35 days are taken, no more"
    );
}

#[test]
fn what_was_out_of_reach_while_it_ran_is_known() {
    let kinds = [
        EventKind::Unreachable,
        EventKind::Created,
        EventKind::Unreachable,
        EventKind::Unreachable,
        EventKind::Reachable,
        EventKind::Reachable,
        EventKind::Unreachable,
        EventKind::Hibernated,
        EventKind::Unreachable,
        EventKind::Resumed,
        EventKind::Unreachable,
    ];
    let life: Vec<_> = kinds
        .iter()
        .zip(1_i64..)
        .map(|(kind, seq)| event(seq, *kind, seq * 10_000, seq * 10_000))
        .collect();
    let lost: Vec<_> = fold(&life)
        .lost
        .iter()
        .map(|lost| (lost.started_at.unix_ms(), lost.ended_at.unix_ms()))
        .collect();
    assert_eq!(lost, [(30_000, 50_000), (70_000, 80_000)]);
}
