//! How amounts, durations and moments are written on pages, with the exact value beside them for machines.
//! What they are is decided in `domain`; nothing here rounds what is stored.

use domain::moment::Moment;
use domain::money::{Cents, MicroDollars, Ticks};
use domain::price::BilledMs;
use domain::sandbox::Size;
use domain::shown;
use leptos::prelude::*;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, UtcOffset};

const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
/// All of a moment, as its title has it.
const WHOLE: &[BorrowedFormatItem<'_>] = format_description!(
    "[day padding:none] [month repr:short] [year], [hour]:[minute]:[second] UTC"
);
const EXACT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const WEEKDAY: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday] [day padding:none] [month repr:short] [year], [hour]:[minute] UTC"
);
const DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short] [day padding:none] [month repr:short] [year]");
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[day padding:none] [month repr:short]");
const DAY_AND_YEAR: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:short] [year]");
const HOUR: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");
const SECOND: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]:[second]");

/// Decimals of whole cents.
pub const CENTS: u32 = shown::CENTS;
/// Decimals of receipts and statements.
pub const METERED: u32 = shown::RECEIPT;

/// An amount with so many decimals; all of it in the title, its ticks in `data-ticks`.
pub fn amount(ticks: Ticks, places: u32) -> AnyView {
    figure(ticks, ticks.dollars(places))
}

/// An amount that stands for itself: two decimals from a dollar on, four digits that count below.
pub fn money(ticks: Ticks) -> AnyView {
    figure(ticks, shown::amount(ticks))
}

/// An amount as a headline: whole cents; below a cent what counts of it, since something is not nothing.
pub fn headline(ticks: Ticks) -> AnyView {
    if ticks.abs() < Ticks::from_cents(Cents(1)) {
        money(ticks)
    } else {
        amount(ticks, CENTS)
    }
}

/// A text that stands for an amount.
pub fn figure(ticks: Ticks, text: String) -> AnyView {
    let whole = signed(shown::whole(ticks));
    let text = signed(text);
    let title = (whole != text).then_some(whole);
    view! { <span data-ticks=ticks.to_string() title=title>{text}</span> }.into_any()
}

/// The minus of figures, as wide as a digit.
pub fn signed(text: String) -> String {
    text.strip_prefix('-')
        .map(|rest| format!("−{rest}"))
        .unwrap_or(text)
}

/// Nothing, said quietly where figures are compared: a dot, read aloud as what it stands for.
pub fn nothing(text: String) -> AnyView {
    view! { <span class="sr-only">{text}</span><span class="table__dot" aria-hidden="true">"·"</span> }
        .into_any()
}

/// How many decimals the amounts of a column have, so that their points stand below each other.
#[derive(Clone, Copy, Debug)]
pub struct Decimals(usize);

impl Decimals {
    /// Of amounts that each stand for themselves.
    pub fn of(amounts: impl Iterator<Item = Ticks>) -> Self {
        let amounts = amounts.filter(|ticks| *ticks != Ticks::ZERO);
        Self(
            amounts
                .map(|ticks| decimals(&shown::amount(ticks)))
                .max()
                .unwrap_or(0),
        )
    }

    /// One of them, with room for the decimals it has not; a dot for nothing.
    pub fn amount(self, ticks: Ticks) -> AnyView {
        let text = shown::amount(ticks);
        let missing = self.0.saturating_sub(decimals(&text));
        let room = (missing > 0).then(|| {
            let room = "\u{2007}".repeat(missing);
            view! { <span class="table__room" aria-hidden="true">{room}</span> }
        });
        let said = if ticks == Ticks::ZERO {
            let dot = nothing(text);
            view! { <span data-ticks="0">{dot}</span> }.into_any()
        } else {
            figure(ticks, text)
        };
        (said, room).into_any()
    }
}

fn decimals(amount: &str) -> usize {
    amount.find('.').map_or(0, |point| amount.len() - point - 1)
}

/// An amount as a sentence has it.
pub fn text(ticks: Ticks) -> String {
    let is_small = ticks.abs() < Ticks::from_cents(Cents(1));
    if is_small {
        signed(shown::amount(ticks))
    } else {
        signed(ticks.dollars_floor())
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

/// What is left as a headline: whole cents, never more than there is, and small behind them what lies below.
pub fn left(ticks: Ticks) -> AnyView {
    let text = signed(ticks.dollars(METERED));
    let (coarse, fine) = text.split_at(text.len().saturating_sub(4));
    let (coarse, fine) = (coarse.to_owned(), fine.to_owned());
    view! { <span data-ticks=ticks.to_string() title=shown::whole(ticks)>{coarse}<span class="figure__fine">{fine}</span></span> }
    .into_any()
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

/// The same in whole minutes where rows of hours are added up.
pub fn coarse_duration(billed: BilledMs, in_minutes: bool) -> String {
    let minutes = billed.0.max(0) / 60_000;
    if !in_minutes {
        duration_text(billed)
    } else if minutes < 60 {
        format!("{minutes} m")
    } else {
        format!("{} h {:02} m", minutes / 60, minutes % 60)
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
    stamped(at, written(at, MOMENT))
}

/// `23 Nov 2026`, the rest of it in its title.
pub fn day(at: OffsetDateTime) -> AnyView {
    stamped(at, written(at, DAY_AND_YEAR))
}

/// `14:20` below the name of its day.
pub fn clock(at: OffsetDateTime) -> AnyView {
    stamped(at, written(at, HOUR))
}

/// `14:20:05`, where seconds are what is billed.
pub fn second(at: OffsetDateTime) -> AnyView {
    stamped(at, written(at, SECOND))
}

/// `14:20:05`, with its day where that is not the one it stands below.
pub fn second_of(at: OffsetDateTime, day: Date) -> AnyView {
    let at = at.to_offset(UtcOffset::UTC);
    if at.date() == day {
        second(at)
    } else {
        stamped(at, format!("{}, {}", written(at, DAY), written(at, SECOND)))
    }
}

/// `23 Nov 2026, 14:20:05 UTC`, on receipts.
pub fn receipt(at: OffsetDateTime) -> AnyView {
    stamped(at, written(at, WHOLE))
}

/// `23 Nov, 14:20 · 3 h ago`: in a list that is not by days. The year only where it is another.
pub fn when(at: OffsetDateTime, now: OffsetDateTime) -> AnyView {
    let (at, now) = (at.to_offset(UtcOffset::UTC), now.to_offset(UtcOffset::UTC));
    let day = if at.year() == now.year() {
        DAY
    } else {
        DAY_AND_YEAR
    };
    let text = format!("{}, {}", written(at, day), written(at, HOUR));
    (stamped(at, text), beside(at, now)).into_any()
}

/// `14:20 · 3 h ago`, below the name of its day.
pub fn clock_ago(at: OffsetDateTime, now: OffsetDateTime) -> AnyView {
    (clock(at), beside(at, now)).into_any()
}

/// How long ago, quiet beside a moment; nothing for what is to come.
fn beside(at: OffsetDateTime, now: OffsetDateTime) -> Option<AnyView> {
    let ago = ago(now - at)?;
    Some(view! { " "<small class="table__ago">{ago}</small> }.into_any())
}

/// `5 s ago`, `32 min ago`, `21 h ago`, `25 d ago`, `14 months ago`: one whole unit, by floor.
pub fn ago(passed: Duration) -> Option<String> {
    let seconds = passed.whole_seconds();
    let (count, unit) = match seconds {
        ..0 => return None,
        0..60 => (seconds, "s"),
        60..3_600 => (seconds / 60, "min"),
        3_600..172_800 => (seconds / 3_600, "h"),
        172_800..7_776_000 => (seconds / 86_400, "d"),
        _ => (seconds / 2_629_746, "months"),
    };
    Some(format!("{count} {unit} ago"))
}

/// `Thu 26 Nov 2026`: the name of a day above what happened on it.
pub fn date(day: Date) -> String {
    day.format(DATE).unwrap_or_default()
}

/// The UTC day of a moment.
pub fn day_of(at: OffsetDateTime) -> Date {
    at.to_offset(UtcOffset::UTC).date()
}

fn stamped(at: OffsetDateTime, text: String) -> AnyView {
    view! { <time datetime=written(at, EXACT) title=written(at, WHOLE)>{text}</time> }.into_any()
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
mod tests;
