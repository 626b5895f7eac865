//! What every chart shares: its plot area in percent, nice steps of its money axis, and lines at them.
//! What is drawn between them is the chart's own.

use domain::money::Ticks;
use leptos::prelude::*;

/// Ticks in a billionth of a dollar: the finest unit in which both dollars and ticks are whole.
pub(super) const TICKS_PER_NANO: i128 = 3_686_400;
/// Where the plot begins and ends, in hundredths of a percent of the height; labels stand above and below.
pub(super) const TOP: i128 = 700;
pub(super) const BOTTOM: i128 = 8_800;
/// All of a width or height, in hundredths of a percent.
pub(super) const WHOLE: i128 = 10_000;

/// Lines at nice amounts, named at the left; only the ground line when nothing was spent.
pub(super) fn grid(top: i128, step: i128) -> AnyView {
    grid_named(top, step, |nanos| {
        let ticks = Ticks::new(nanos * TICKS_PER_NANO).unwrap_or_default();
        ticks.dollars(places(step))
    })
}

/// The same with names of one's own.
pub(super) fn grid_named(top: i128, step: i128, name: impl Fn(i128) -> String) -> AnyView {
    let steps = if step > 0 { top / step } else { 0 };
    let lines = (0..=steps).map(|index| {
        let nanos = index * step;
        let y = BOTTOM - share(nanos, top, BOTTOM - TOP);
        let name = (index > 0).then(|| {
            view! { <text class="chart__axis" x="0" y=percent(y - 120)>{name(nanos)}</text> }
        });
        view! { <line class="chart__grid" x1="0" x2="100%" y1=percent(y) y2=percent(y)></line>{name} }
    });
    lines.collect_view().into_any()
}

/// `part` of `whole`, scaled to `length`; 0 for an empty whole.
pub(super) fn share(part: i128, whole: i128, length: i128) -> i128 {
    if whole > 0 {
        part.max(0) * length / whole
    } else {
        0
    }
}

/// Hundredths of a percent as an attribute: 1234 is `12.34%`.
pub(super) fn percent(hundredths: i128) -> String {
    let hundredths = hundredths.clamp(0, WHOLE);
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// Decimals that show a step of so many nano-dollars exactly, and never a single one.
pub(super) fn places(step: i128) -> u32 {
    let exact = (0..9)
        .find(|places| step % 10_i128.pow(9 - places) == 0)
        .unwrap_or(9);
    if exact == 1 { 2 } else { exact }
}

#[cfg(test)]
mod tests {
    use domain::money::TICKS_PER_DOLLAR;

    use super::*;

    #[test]
    fn a_dollar_is_whole_in_nanos() {
        assert_eq!(TICKS_PER_NANO * 1_000_000_000, TICKS_PER_DOLLAR);
    }

    #[test]
    fn axis_names_are_exact() {
        assert_eq!(places(1_000_000_000), 0);
        assert_eq!(places(500_000_000), 2);
        assert_eq!(places(50_000_000), 2);
        assert_eq!(places(5_000), 6);
        assert_eq!(places(1), 9);
    }

    #[test]
    fn percents() {
        assert_eq!(percent(1_234), "12.34%");
        assert_eq!(percent(7), "0.07%");
        assert_eq!(percent(20_000), "100.00%");
    }
}
