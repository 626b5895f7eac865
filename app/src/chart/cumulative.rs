//! What this month has cost so far, bucket by bucket, beneath the account's own limit: the one chart in which a monthly
//! limit is a straight line.

use domain::money::{Cents, Ticks};
use domain::usage;
use domain::usage::breakdown::Breakdown;
use leptos::prelude::*;

use super::scale::{BOTTOM, TICKS_PER_NANO, TOP, WHOLE, grid, percent, share};

/// The running sum of a month's cost, with the limit dashed across it.
pub fn cumulative(breakdown: &Breakdown, limit: Cents) -> AnyView {
    let limit = Ticks::from_cents(limit);
    let total = breakdown.total().ticks;
    let highest = total.get().max(limit.get());
    let (top, step) = usage::axis((highest + TICKS_PER_NANO - 1) / TICKS_PER_NANO);
    let y = |ticks: Ticks| {
        let height = share(ticks.get(), top * TICKS_PER_NANO, BOTTOM - TOP);
        percent(BOTTOM - height)
    };
    let count = i128::try_from(breakdown.cells.len()).unwrap_or(1).max(1);
    let mut sum = Ticks::ZERO;
    let steps = (0..count).zip(0_usize..).map(|(place, index)| {
        let before = sum;
        sum = sum.saturating_add(breakdown.bucket(index).ticks);
        let (x1, x2) = (percent(place * WHOLE / count), percent((place + 1) * WHOLE / count));
        view! { <line class="chart__line chart__line--1" data-sum=sum.to_string() x1=x1 y1=y(before) x2=x2 y2=y(sum)></line> }
    });
    let steps = steps.collect_view();
    let left = limit.saturating_sub(total);
    let said = if left.is_positive() {
        format!("{} of the limit is left this month.", left.dollars_floor())
    } else {
        "The limit is reached: nothing new starts until the next month or a higher limit."
            .to_owned()
    };
    let name = format!("limit {}", limit.dollars(2));
    view! {
        <figure class="chart chart--small">
            <figcaption class="chart__caption">"Cost so far this month, beneath your limit (UTC)"</figcaption>
            <svg class="chart__drawing" role="img" aria-label="Running sum of this month's cost and the monthly limit">
                {grid(top, step)}
                {steps}
                <line class="chart__limit" x1="0" x2="100%" y1=y(limit) y2=y(limit) stroke-dasharray="6 4"></line>
                <text class="chart__axis chart__name" x="100%" y=y(limit) dy="-4" text-anchor="end">{name}</text>
            </svg>
            <p class="chart__readout">{said}" "<a href="/alerts">"Limit and alerts"</a></p>
        </figure>
    }
    .into_any()
}
