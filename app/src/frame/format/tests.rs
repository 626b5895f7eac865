//! What amounts, durations and moments look like.

use time::macros::datetime;

use super::*;

#[test]
fn prices_and_sentences() {
    assert_eq!(price(MicroDollars(26_000)), "$0.026");
    assert_eq!(price(MicroDollars(1_500_000)), "$1.50");
    assert_eq!(price(MicroDollars(0)), "$0.00");
    let micro = |n: i128| Ticks::new(n * 3_686_400_000).unwrap();
    assert_eq!(text(micro(1_239_999)), "$1.23");
    assert_eq!(text(micro(9_999)), "$0.009999");
    assert_eq!(text(micro(57)), "$0.000057");
    assert_eq!(text(Ticks::ZERO), "$0.00");
    let at = datetime!(2026-11-26 14:20 UTC);
    assert_eq!(weekday(at), "Thursday 26 Nov 2026, 14:20 UTC");
    assert_eq!(
        intervals_href(at.into(), Moment::from(at).plus_ms(60_000)),
        "/usage/intervals?from=2026-11-26T14:20:00Z&to=2026-11-26T14:21:00Z"
    );
}

#[test]
fn durations() {
    let text = |seconds: i64| duration_text(BilledMs(seconds * 1_000));
    assert_eq!(text(0), "0 s");
    assert_eq!(text(59), "59 s");
    assert_eq!(text(249), "4 m 09 s");
    assert_eq!(text(43_440), "12 h 04 m");
    assert_eq!(text(360_000), "100 h 00 m");
    assert_eq!(duration_text(BilledMs(-5)), "0 s");
}

#[test]
fn moments_are_utc_whatever_the_offset() {
    let at = datetime!(2026-11-23 00:20:31.5 +2);
    let html = moment(at).to_html();
    assert!(
        html.contains(r#"datetime="2026-11-22T22:20:31Z""#)
            && html.contains("22 Nov 2026, 22:20 UTC"),
        "{html}"
    );
}

#[test]
fn how_long_ago_is_one_whole_unit() {
    for (seconds, text) in [
        (0, "0 s ago"),
        (119, "1 min ago"),
        (3_600 * 47, "47 h ago"),
        (3_600 * 49, "2 d ago"),
        (86_400 * 89, "89 d ago"),
        (86_400 * 366, "12 months ago"),
    ] {
        assert_eq!(ago(Duration::seconds(seconds)).as_deref(), Some(text));
    }
    assert_eq!(ago(Duration::seconds(-1)), None);
}

#[test]
fn points_stand_below_each_other_and_nothing_is_a_dot() {
    let micro = |n: i128| Ticks::new(n * 3_686_400_000).unwrap();
    let amounts = [micro(1_500_000), micro(84_300), Ticks::ZERO];
    let column = Decimals::of(amounts.into_iter());
    let html = column.amount(amounts[0]).to_html();
    assert!(
        html.contains("$1.50") && html.contains("\u{2007}\u{2007}<"),
        "{html}"
    );
    assert!(!column.amount(amounts[1]).to_html().contains('\u{2007}'));
    let html = column.amount(amounts[2]).to_html();
    assert!(
        html.contains(r#"data-ticks="0""#) && html.contains('·') && html.contains("$0.00"),
        "{html}"
    );
}

#[test]
fn amounts_carry_their_ticks() {
    let html = amount(Ticks::from_cents(Cents(5_000)), CENTS).to_html();
    assert!(
        html.contains(r#"data-ticks="184320000000000000""#) && html.contains("$50.00"),
        "{html}"
    );
}

#[test]
fn sizes_and_prices() {
    assert_eq!(
        size(Size {
            vcpus: 2,
            mem_mib: 4_096
        }),
        "2 vCPU, 4 GiB"
    );
    assert_eq!(
        size(Size {
            vcpus: 1,
            mem_mib: 700
        }),
        "1 vCPU, 700 MiB"
    );
    let cent = Ticks::from_cents(Cents(1)).get();
    assert_eq!(per_hour(Ticks::new(cent * 41 / 10).unwrap()), "$0.041");
    assert_eq!(per_hour(Ticks::new(cent * 415 / 100).unwrap()), "$0.0415");
}

#[test]
fn whole_dollars_have_no_cents() {
    assert_eq!(whole(Ticks::from_cents(Cents(5_000))), "$50");
    assert_eq!(whole(Ticks::from_cents(Cents(5_050))), "$50.50");
}
