//! Usage as bars: drawn here as SVG without a viewBox, all geometry in percent attributes, so that letters keep their
//! size at every width and no style is inline. Beside it a table of the same rows.

mod burn_down;
mod scale;

use domain::usage::{self, Range, Series};
use leptos::prelude::*;

pub use burn_down::burn_down;

use super::format::{self, METERED};
use crate::islands::ChartReadout;
use scale::{BOTTOM, TICKS_PER_NANO, TOP, WHOLE, grid, percent, share};

/// The chart of a series with its read-out line and its table. `class` is the chart's, `id` unique on the page.
pub fn spend(
    class: &'static str,
    id: &'static str,
    caption: &'static str,
    series: &Series,
) -> AnyView {
    let is_hour = series.range == Range::Day;
    let lines: Vec<String> = series
        .buckets
        .iter()
        .map(|bucket| {
            format!(
                "{}: {}, {}",
                format::bucket(bucket.start, is_hour),
                format::duration_text(bucket.billed),
                bucket.ticks.dollars(METERED)
            )
        })
        .collect();
    let (billed, ticks) = series.total();
    let total = format!(
        "{} in all, {}",
        ticks.dollars(METERED),
        format::duration_text(billed)
    );
    view! {
        <figure class=class>
            <figcaption class="chart__caption">{caption}</figcaption>
            {drawing(id, caption, &total, series)}
            <ChartReadout labels=lines summary=total/>
            <details class="disclosure">
                <summary>"Same as a table"</summary>
                {table(caption, series)}
            </details>
        </figure>
    }
    .into_any()
}

fn drawing(id: &'static str, caption: &'static str, total: &str, series: &Series) -> AnyView {
    let highest = series
        .buckets
        .iter()
        .map(|bucket| bucket.ticks.get())
        .max()
        .unwrap_or(0);
    let (top, step) = usage::axis((highest + TICKS_PER_NANO - 1) / TICKS_PER_NANO);
    let (title, desc) = (format!("{id}-title"), format!("{id}-desc"));
    let (named_by, described_by) = (title.clone(), desc.clone());
    view! {
        <svg class="chart__drawing" role="img" aria-labelledby=named_by aria-describedby=described_by>
            <title id=title>{caption}</title>
            <desc id=desc>{format!("Bar chart, {total}. The table below holds the same figures.")}</desc>
            {grid(top, step)}
            {bars(top, series)}
            {days(series)}
        </svg>
    }
    .into_any()
}

fn bars(top: i128, series: &Series) -> AnyView {
    let count = i128::try_from(series.buckets.len()).unwrap_or(1).max(1);
    let slot = WHOLE / count;
    let bars = series.buckets.iter().zip(0_i128..).map(|(bucket, index)| {
        let height = share(bucket.ticks.get(), top * TICKS_PER_NANO, BOTTOM - TOP);
        let x = index * WHOLE / count;
        view! {
            <rect class="chart__bar" data-index=index.to_string() x=percent(x + slot * 15 / 100) y=percent(BOTTOM - height) width=percent(slot * 70 / 100) height=percent(height)></rect>
        }
    });
    let bars = bars.collect_view();
    // Over the bars, one target per bucket as high as the plot: low bars must be as easy to point at as high ones.
    let targets = (0..count).map(|index| {
        let x = index * WHOLE / count;
        view! { <rect class="chart__hit" data-index=index.to_string() x=percent(x) y="0" width=percent(slot) height="100%" fill="transparent"></rect> }
    });
    (bars, targets.collect_view()).into_any()
}

/// Names of the first, the middle and the last bucket.
fn days(series: &Series) -> AnyView {
    let last = series.buckets.len().saturating_sub(1);
    let is_hour = series.range == Range::Day;
    let names = [
        (0, "0", "start"),
        (last / 2, "50%", "middle"),
        (last, "100%", "end"),
    ]
    .into_iter()
    .filter_map(|(index, x, anchor)| {
        let name = format::bucket(series.buckets.get(index)?.start, is_hour);
        Some(view! { <text class="chart__axis" x=x y="98%" text-anchor=anchor>{name}</text> })
    });
    names.collect_view().into_any()
}

/// The rows of a series, newest first, and their sum.
pub fn table(caption: &'static str, series: &Series) -> AnyView {
    let is_hour = series.range == Range::Day;
    let rows = series.buckets.iter().rev().map(|bucket| {
        view! {
            <tr>
                <th scope="row">{format::bucket(bucket.start, is_hour)}</th>
                <td class="table__number">{format::duration(bucket.billed)}</td>
                <td class="table__number">{format::amount(bucket.ticks, METERED)}</td>
            </tr>
        }
    });
    let (billed, ticks) = series.total();
    view! {
        <div class="scroll" role="region" tabindex="0" aria-label=caption>
            <table class="table">
                <caption class="sr-only">{caption}</caption>
                <thead>
                    <tr>
                        <th scope="col">{if is_hour { "Hour (UTC)" } else { "Day (UTC)" }}</th>
                        <th scope="col" class="table__number">"Sandbox time"</th>
                        <th scope="col" class="table__number">"Cost"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
                <tfoot>
                    <tr>
                        <th scope="row">"Total"</th>
                        <td class="table__number" data-total="ms">{format::duration(billed)}</td>
                        <td class="table__number" data-total="ticks">{format::amount(ticks, METERED)}</td>
                    </tr>
                </tfoot>
            </table>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::moment::Moment;
    use domain::money::{TICKS_PER_DOLLAR, Ticks};
    use domain::price::BilledMs;

    use super::*;

    fn series(amounts: &[i128]) -> Series {
        let now = Moment::from_unix_ms(1_795_000_000_000);
        let start = Range::Week.start(now);
        let amounts = amounts.iter().zip(0_i64..).map(|(ticks, day)| {
            (
                start.plus_ms(day * 86_400_000),
                BilledMs(1_000),
                Ticks::new(*ticks).unwrap(),
            )
        });
        Series::fill(Range::Week, now, amounts.collect::<Vec<_>>())
    }

    #[test]
    fn the_highest_bar_stays_inside_and_an_empty_chart_has_none() {
        let html = bars(
            2_000_000_000,
            &series(&[TICKS_PER_DOLLAR, 2 * TICKS_PER_DOLLAR]),
        )
        .to_html();
        assert!(
            html.contains(r#"y="7.00%""#)
                && html.contains(r#"height="81.00%""#)
                && html.contains(r#"height="40.50%""#),
            "{html}"
        );
        let empty = drawing("c", "Spend", "nothing", &series(&[])).to_html();
        assert_eq!(empty.matches("chart__grid").count(), 1, "{empty}");
        assert!(
            !empty.contains("style=") && empty.contains("<title"),
            "{empty}"
        );
    }

    #[test]
    fn the_table_holds_the_same_rows_and_their_sum() {
        let html = table("Spend", &series(&[1, 2, 4])).to_html();
        assert_eq!(html.matches("<tr>").count(), 1 + 7 + 1, "{html}");
        assert!(
            html.contains(r#"data-ticks="7""#) && html.contains(r#"data-ms="3000""#),
            "{html}"
        );
    }
}
