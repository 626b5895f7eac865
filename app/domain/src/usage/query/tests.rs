//! Every address that can be printed is read back as it was, and junk says what is wrong with it.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::id::KeyId;
use crate::sandbox::{SandboxId, Size};

fn ask(pairs: &[(&str, &str)]) -> (Query, Vec<UsageProblem>) {
    Query::parse(|name| {
        let pair = pairs.iter().find(|(known, _)| *known == name);
        pair.map(|(_, word)| (*word).to_owned())
    })
}

fn dates() -> impl Strategy<Value = Range> {
    let own = (0_i64..70_000, 0_i64..400).prop_map(|(start, length)| {
        let from = date!(2000 - 01 - 01) + time::Duration::days(start);
        Range::Own {
            from,
            to: from + time::Duration::days(length),
        }
    });
    prop_oneof![
        Just(Range::Day),
        Just(Range::Week),
        Just(Range::Month),
        Just(Range::ThisMonth),
        Just(Range::LastMonth),
        own
    ]
}

prop_compose! {
    fn only()(
        key in prop::option::of(prop::option::of(any::<u128>())), size in prop::option::of((1_i32..1_024, 1_i32..16_777_216)),
        image in prop::option::of("[ -~é]{1,40}"), region in prop::option::of("[a-z]{2}"),
        sandbox in prop::option::of("[A-Za-z0-9_-]{1,64}"),
    ) -> Only {
        Only {
            key: key.map(|key| key.map(|id| KeyId(Uuid::from_u128(id)))),
            size: size.and_then(|(vcpus, mem_mib)| Size::new(vcpus, mem_mib)),
            image, region, sandbox: sandbox.and_then(|id| SandboxId::parse(&id)),
        }
    }
}

prop_compose! {
    fn queries()(
        range in dates(), metric in prop::sample::select(Metric::ALL), group in prop::sample::select(Group::ALL),
        hide_zero: bool, zone in "[A-Za-z/_+-]{1,40}", only in only(), bar in prop::option::of(946_684_800_i64..4_102_444_800),
    ) -> Query {
        Query {
            range, metric, group, hide_zero, only, zone: ZoneName::parse(&zone).unwrap(),
            bar: bar.map(|second| Moment::from_unix_ms(second * 1_000)),
        }
    }
}

proptest! {
    #[test]
    fn printing_and_parsing_is_the_identity(query in queries()) {
        let pairs = query.pairs();
        let again = Query::parse(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, word)| word.clone()));
        prop_assert_eq!(again, (query.clone(), vec![]));
        let address = query.address("/usage");
        prop_assert!(address.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>#+".contains(&byte)), "{}", address);
    }

    #[test]
    fn no_address_breaks_it(words in prop::collection::vec("\\PC{0,30}", 8)) {
        let names = ["range", "from", "to", "metric", "group", "zone", "key", "bar"];
        let _ = Query::parse(|name| names.iter().position(|known| *known == name).map(|index| words[index].clone()));
    }
}

#[test]
fn old_addresses_keep_their_meaning() {
    assert_eq!(ask(&[]).0.range, Range::Day);
    for (word, range) in [
        ("24h", Range::Day),
        ("7d", Range::Week),
        ("30d", Range::Month),
    ] {
        assert_eq!(
            ask(&[("range", word)]),
            (
                Query {
                    range,
                    ..Query::default()
                },
                vec![]
            )
        );
    }
}

#[test]
fn each_bad_word_has_its_problem_and_the_rest_stays() {
    use UsageProblem as P;
    let bad = [
        ("range", "year"),
        ("metric", "joy"),
        ("group", "x"),
        ("zone", "a b"),
        ("key", "1"),
        ("bar", "now"),
    ];
    let (query, problems) = ask(&bad);
    assert_eq!(query, Query::default());
    assert_eq!(
        problems,
        [
            P::RangeUnknown,
            P::FilterUnreadable,
            P::MetricUnknown,
            P::GroupUnknown,
            P::ZoneUnknown,
            P::BarUnknown
        ]
    );
    let own = |from, to| {
        ask(&[
            ("range", "own"),
            ("from", from),
            ("to", to),
            ("metric", "gib-hours"),
        ])
    };
    for (from, to, problem) in [
        ("2026-02-30", "2026-03-01", P::FromUnreadable),
        ("2026-02-01", "", P::ToUnreadable),
        ("2026-02-02", "2026-02-01", P::ToBeforeFrom),
        ("2026-01-01", "2027-02-05", P::RangeTooLong),
    ] {
        let (query, problems) = own(from, to);
        assert_eq!(
            (query.metric, query.range, problems),
            (Metric::GibHours, Range::Day, vec![problem]),
            "{from} {to}"
        );
    }
    assert!(own("2026-01-01", "2027-02-04").1.is_empty(), "400 days");
}

#[test]
fn windows_are_whole_hours() {
    let get = |name: &str| match name {
        "from" => Some("2026-11-24T13:20:00Z".to_owned()),
        "to" => Some("2026-11-24T15:00:01+01:00".to_owned()),
        _ => None,
    };
    let window = Window::parse(get).0.unwrap();
    assert_eq!(
        window.address("/x"),
        "/x?from=2026-11-24T13:00:00Z&to=2026-11-24T15:00:00Z"
    );
    assert_eq!(
        Window::parse(|_| None).0,
        Err(UsageProblem::WindowUnreadable)
    );
}
