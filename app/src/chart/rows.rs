//! The rows a chart was drawn from, as a table: bucket by series, sums at both ends, the way one level deeper. Stretches
//! without use fold into one row, and what has not begun yet has none.

use domain::usage::breakdown::{Breakdown, Facet};
use domain::usage::grid::{Bucket, Grid, Step};
use domain::usage::query::{Metric, instant_word};
use leptos::prelude::*;

use super::sheet::Sheet;
use super::value::{bucket_name, facet_name, metric_name};
use crate::frame::table::{self, Head};

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
    let total = if is_many {
        "Total".to_owned()
    } else {
        metric_name(breakdown.metric).to_owned()
    };
    let mut heads = vec![Head::plain(format!("{step} ({zone})"))];
    if is_many {
        heads.extend(
            breakdown
                .series
                .iter()
                .map(|facet| Head::series(facet_name(facet), href(facet))),
        );
    }
    heads.push(Head::main(total));
    heads.push(Head::plain("Reasons").silent());
    let sheet = Sheet::of(breakdown);
    let rows = table::plain_group(rows(&sheet, breakdown, links, is_many));
    table::table(
        "usage",
        caption,
        heads,
        rows,
        Some(sums(&sheet, breakdown, is_many)),
    )
}

/// Buckets that are shown alike: one with use, or a stretch without.
enum Stretch {
    Used(usize),
    Unused(std::ops::RangeInclusive<usize>),
}

/// The buckets that have begun, oldest first; two and more without use become one stretch.
fn stretches(count: usize, is_used: impl Fn(usize) -> bool) -> Vec<Stretch> {
    let mut all: Vec<Stretch> = Vec::new();
    for index in 0..count {
        match all.last_mut() {
            Some(Stretch::Unused(range)) if !is_used(index) => *range = *range.start()..=index,
            _ if is_used(index) => all.push(Stretch::Used(index)),
            _ => all.push(Stretch::Unused(index..=index)),
        }
    }
    all
}

/// A row for each bucket and each stretch without use, newest first. `draw` has the one, `width` the columns of the other.
pub(super) fn folded(
    grid: &Grid,
    begun: usize,
    width: usize,
    is_used: impl Fn(usize) -> bool,
    draw: impl Fn(usize, &Bucket) -> AnyView,
) -> AnyView {
    let rows = stretches(begun.min(grid.buckets.len()), is_used);
    let rows = rows.into_iter().rev().filter_map(|stretch| match stretch {
        Stretch::Used(index) => Some(draw(index, grid.buckets.get(index)?)),
        Stretch::Unused(range) if range.start() == range.end() => {
            let index = *range.start();
            Some(draw(index, grid.buckets.get(index)?))
        }
        Stretch::Unused(range) => unused(grid, &range, width),
    });
    rows.collect_view().into_any()
}

/// `12 days without use` and which they are.
fn unused(grid: &Grid, range: &std::ops::RangeInclusive<usize>, width: usize) -> Option<AnyView> {
    let (first, last) = (
        grid.buckets.get(*range.start())?,
        grid.buckets.get(*range.end())?,
    );
    let count = range.end() - range.start() + 1;
    let what = match grid.step {
        Step::Hour => "hours",
        Step::Day => "days",
        Step::Week => "weeks",
    };
    let names = format!(
        "{} to {}",
        bucket_name(grid, first),
        bucket_name(grid, last)
    );
    Some(
        view! {
            <tr class="table__unused" data-unused=count.to_string() data-from=instant_word(first.start) data-to=instant_word(last.start)>
                <td colspan=width.to_string()>{format!("{count} {what} without use")}" "<small>{names}</small></td>
            </tr>
        }
        .into_any(),
    )
}

fn rows(
    sheet: &Sheet<'_>,
    breakdown: &Breakdown,
    links: &[(String, String)],
    is_many: bool,
) -> AnyView {
    let metric = breakdown.metric;
    let grid = &breakdown.grid;
    let begun = (0..grid.buckets.len())
        .filter(|index| breakdown.elapsed_ms(*index) > 0)
        .count();
    let width = if is_many {
        breakdown.series.len() + 3
    } else {
        3
    };
    let is_used = |index| breakdown.bucket(index).raw(metric) != 0;
    folded(grid, begun, width, is_used, |index, bucket| {
        let cells = is_many.then(|| {
            let row = breakdown.cells.get(index).map_or(&[][..], Vec::as_slice);
            let cells = row.iter().enumerate().zip(&breakdown.series);
            let cells = cells.map(|((place, cell), facet)| {
                let class = if cell.raw(metric) == 0 {
                    "table__number table__nil"
                } else {
                    "table__number"
                };
                view! { <td class=class data-label=facet_name(facet) data-cell=place.to_string()>{sheet.cell(index, place, cell)}</td> }
            });
            cells.collect_view()
        });
        let name = bucket_name(grid, bucket);
        let (deeper, why) = links.get(index).cloned().unwrap_or_default();
        let why = is_used(index).then(|| {
            let about = format!(" is {name} like this?");
            view! { <a href=why>"Why"<span class="sr-only">{about}</span></a> }
        });
        view! {
            <tr data-bucket=instant_word(bucket.start)>
                <th scope="row" class="table__first"><a href=deeper>{name}</a></th>
                {cells}
                <td class="table__number table__main" data-cell="sum">{sheet.row(index)}</td>
                <td>{why}</td>
            </tr>
        }
        .into_any()
    })
}

fn sums(sheet: &Sheet<'_>, breakdown: &Breakdown, is_many: bool) -> AnyView {
    let columns = is_many.then(|| {
        let columns = breakdown.series.iter().enumerate().map(|(place, facet)| {
            view! { <td class="table__number" data-label=facet_name(facet) data-column=place.to_string()>{sheet.column(place)}</td> }
        });
        columns.collect_view()
    });
    let name = if breakdown.metric == Metric::Concurrency {
        "On average"
    } else {
        "Total"
    };
    view! {
        <tr>
            <th scope="row" class="table__first">{name}</th>
            {columns}
            <td class="table__number table__main" data-column="sum">{sheet.total()}</td>
            <td></td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_without_use_fold_and_lose_nothing() {
        let used = [false, true, false, false, false, true, false];
        let all = stretches(used.len(), |index| used[index]);
        let seen: Vec<usize> = all
            .iter()
            .flat_map(|stretch| match stretch {
                Stretch::Used(index) => *index..=*index,
                Stretch::Unused(range) => range.clone(),
            })
            .collect();
        assert_eq!(seen, (0..used.len()).collect::<Vec<_>>());
        assert_eq!(all.len(), 5);
        assert!(stretches(0, |_| true).is_empty());
    }
}
