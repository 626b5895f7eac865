//! The rows a chart was drawn from, as a table: bucket by series, sums at both ends, the way one level deeper.

use domain::usage::breakdown::{Breakdown, Facet};
use domain::usage::grid::Step;
use domain::usage::query::{Metric, instant_word};
use leptos::prelude::*;

use super::value::{bucket_name, facet_name, metric_name, value};

/// The rows of a breakdown, newest first, and their sums. `links` has a way deeper and a way to the reasons per bucket.
pub(super) fn table(
    caption: &str,
    breakdown: &Breakdown,
    zone: &str,
    links: &[(String, String)],
    href: impl Fn(&Facet) -> Option<String>,
) -> AnyView {
    let step = match breakdown.grid.step {
        Step::Hour => "Hour",
        Step::Day => "Day",
        Step::Week => "Week",
    };
    let is_many = breakdown.series.len() > 1;
    let heads = is_many.then(|| {
        let heads = breakdown.series.iter().map(|facet| {
            let name = facet_name(facet);
            let name = match href(facet) {
                Some(href) => view! { <a href=href>{name}</a> }.into_any(),
                None => name.into_any(),
            };
            view! { <th scope="col" class="table__number">{name}</th> }
        });
        heads.collect_view()
    });
    let total = if is_many {
        "Total"
    } else {
        metric_name(breakdown.metric)
    };
    let (label, text) = (caption.to_owned(), caption.to_owned());
    view! {
        <div class="scroll" role="region" tabindex="0" aria-label=label>
            <table class="table" data-rows="usage">
                <caption class="sr-only">{text}</caption>
                <thead>
                    <tr>
                        <th scope="col">{format!("{step} ({zone})")}</th>
                        {heads}
                        <th scope="col" class="table__number">{total}</th>
                        <th scope="col"><span class="sr-only">"Reasons"</span></th>
                    </tr>
                </thead>
                <tbody>{rows(breakdown, links, is_many)}</tbody>
                <tfoot>{sums(breakdown, is_many)}</tfoot>
            </table>
        </div>
    }
    .into_any()
}

fn rows(breakdown: &Breakdown, links: &[(String, String)], is_many: bool) -> AnyView {
    let metric = breakdown.metric;
    let buckets = breakdown.grid.buckets.iter().enumerate().zip(links).rev();
    let rows = buckets.map(|((index, bucket), (deeper, why))| {
        let elapsed = breakdown.elapsed_ms(index);
        let sum = breakdown.bucket(index);
        let cells = is_many.then(|| {
            let row = breakdown.cells.get(index).map_or(&[][..], Vec::as_slice);
            let cells = row.iter().enumerate().map(|(place, cell)| {
                view! { <td class="table__number" data-cell=place.to_string()>{value(metric, cell, elapsed)}</td> }
            });
            cells.collect_view()
        });
        let name = bucket_name(&breakdown.grid, bucket);
        let why = (sum.raw(metric) > 0).then(|| {
            let about = format!(" is {name} like this?");
            view! { <a href=why.clone()>"Why"<span class="sr-only">{about}</span></a> }
        });
        view! {
            <tr data-bucket=instant_word(bucket.start)>
                <th scope="row"><a href=deeper.clone()>{name}</a></th>
                {cells}
                <td class="table__number" data-cell="sum">{value(metric, &sum, elapsed)}</td>
                <td>{why}</td>
            </tr>
        }
    });
    rows.collect_view().into_any()
}

fn sums(breakdown: &Breakdown, is_many: bool) -> AnyView {
    let (metric, elapsed) = (breakdown.metric, breakdown.elapsed_in_all_ms());
    let columns = is_many.then(|| {
        let columns = (0..breakdown.series.len()).map(|place| {
            view! { <td class="table__number" data-column=place.to_string()>{value(metric, &breakdown.column(place), elapsed)}</td> }
        });
        columns.collect_view()
    });
    let name = if metric == Metric::Concurrency {
        "On average"
    } else {
        "Total"
    };
    view! {
        <tr>
            <th scope="row">{name}</th>
            {columns}
            <td class="table__number" data-column="sum">{value(metric, &breakdown.total(), elapsed)}</td>
            <td></td>
        </tr>
    }
    .into_any()
}
