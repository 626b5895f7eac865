//! How amounts, durations and moments are written on pages, with the exact value beside them for machines.
//! What they are is decided in `domain`; nothing here rounds what is stored.

use domain::moment::Moment;
use domain::money::{Cents, MicroDollars, Ticks};
use domain::price::BilledMs;
use domain::sandbox::Size;
use leptos::prelude::*;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
const EXACT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const WEEKDAY: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday] [day padding:none] [month repr:short] [year], [hour]:[minute] UTC"
);
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[day padding:none] [month repr:short]");
const HOUR: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");

/// Decimals of whole cents.
pub const CENTS: u32 = 2;
/// Decimals of metered amounts: one second of the smallest sandbox still shows.
pub const METERED: u32 = 6;

/// An amount in dollars with this many decimals, plain `$0.00` when it is nothing; its ticks stand in `data-ticks`.
pub fn amount(ticks: Ticks, places: u32) -> AnyView {
    let places = if ticks == Ticks::ZERO { CENTS } else { places };
    view! { <span data-ticks=ticks.to_string()>{ticks.dollars(places)}</span> }.into_any()
}

/// An amount as a sentence has it: whole cents cut off, or six decimals under a cent.
pub fn text(ticks: Ticks) -> String {
    let is_small = ticks != Ticks::ZERO && ticks.abs() < Ticks::from_cents(Cents(1));
    if is_small {
        ticks.dollars(METERED)
    } else {
        ticks.dollars_floor()
    }
}

/// An amount in whole dollars, as `$50`; with its cents where it has some.
pub fn whole(ticks: Ticks) -> String {
    let text = ticks.dollars(CENTS);
    text.strip_suffix(".00")
        .map_or(text.clone(), ToOwned::to_owned)
}

/// A price as it is quoted: `$0.026`, at least two decimals and as many as it has.
pub fn price(price: MicroDollars) -> String {
    let (whole, micro) = (price.0 / 1_000_000, price.0 % 1_000_000);
    let decimals = format!("{micro:06}");
    let decimals = decimals.trim_end_matches('0');
    format!("${whole}.{decimals:0<2}")
}

/// What is left, in whole cents and never more than there is; its ticks stand in `data-ticks`.
pub fn balance(ticks: Ticks) -> AnyView {
    view! { <span data-ticks=ticks.to_string()>{ticks.dollars_floor()}</span> }.into_any()
}

/// A price per hour: four decimals, cut to three where the fourth is zero, as prices are quoted.
pub fn per_hour(ticks: Ticks) -> String {
    let text = ticks.dollars(4);
    text.strip_suffix('0')
        .map_or(text.clone(), ToOwned::to_owned)
}

/// Billed time such as `12 h 04 m`; its milliseconds stand in `data-ms`.
pub fn duration(billed: BilledMs) -> AnyView {
    view! { <span data-ms=billed.0.to_string()>{duration_text(billed)}</span> }.into_any()
}

/// `12 h 04 m`, under an hour `4 m 09 s`, under a minute `9 s`. Whole units, never rounded up.
pub fn duration_text(billed: BilledMs) -> String {
    let seconds = billed.0.max(0) / 1_000;
    let (hours, minutes, rest) = (seconds / 3_600, seconds % 3_600 / 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest} s"),
        (0, _) => format!("{minutes} m {rest:02} s"),
        _ => format!("{hours} h {minutes:02} m"),
    }
}

/// `1 vCPU, 1 GiB`.
pub fn size(size: Size) -> String {
    let memory = if size.mem_mib % 1_024 == 0 {
        format!("{} GiB", size.mem_mib / 1_024)
    } else {
        format!("{} MiB", size.mem_mib)
    };
    format!("{} vCPU, {memory}", size.vcpus)
}

/// `23 Nov 2026, 14:20 UTC` as a `<time>`, exact to the second in its title.
pub fn moment(at: OffsetDateTime) -> AnyView {
    let exact = written(at, EXACT);
    let machine = exact.clone();
    view! { <time datetime=machine title=exact>{written(at, MOMENT)}</time> }.into_any()
}

/// `Thursday 26 Nov 2026, 14:20 UTC`, for what is to come.
pub fn weekday(at: OffsetDateTime) -> String {
    written(at, WEEKDAY)
}

/// Where the single intervals of `[from, to)` are listed.
pub fn intervals_href(from: Moment, to: Moment) -> String {
    let (from, to) = (written(from.into(), EXACT), written(to.into(), EXACT));
    format!("/usage/intervals?from={from}&to={to}")
}

/// A bucket of a chart: `23 Nov`, or `23 Nov, 14:00` when it is an hour.
pub fn bucket(start: Moment, is_hour: bool) -> String {
    let day = written(start.into(), DAY);
    if is_hour {
        format!("{day}, {}", written(start.into(), HOUR))
    } else {
        day
    }
}

/// The same, or a word where there is no moment.
pub fn moment_or(at: Option<OffsetDateTime>, otherwise: &'static str) -> AnyView {
    at.map_or_else(|| otherwise.into_any(), moment)
}

fn written(at: OffsetDateTime, format: &[BorrowedFormatItem<'_>]) -> String {
    at.to_offset(UtcOffset::UTC)
        .format(format)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
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
        assert_eq!(text(Ticks::ZERO), "$0.00");
        let at = datetime!(2026-11-26 14:20 UTC);
        assert_eq!(weekday(at), "Thursday 26 Nov 2026, 14:20 UTC");
        assert_eq!(
            intervals_href(at.into(), Moment::from(at).plus_ms(60_000)),
            "/usage/intervals?from=2026-11-26T14:20:00Z&to=2026-11-26T14:21:00Z"
        );
    }

    #[test]
    fn whole_dollars_have_no_cents() {
        assert_eq!(whole(Ticks::from_cents(Cents(5_000))), "$50");
        assert_eq!(whole(Ticks::from_cents(Cents(5_050))), "$50.50");
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
}
