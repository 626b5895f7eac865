//! Usage as charts: drawn here as SVG without a viewBox, all geometry in percent attributes, so that letters keep their
//! size at every width and no style is inline. Beside each a table of the same rows.

mod burn_down;
mod cumulative;
mod marks;
mod rows;
mod scale;
mod sheet;
mod stack;
pub mod value;

use domain::moment::Moment;
use domain::usage::Series;
use domain::usage::breakdown::{Amounts, Breakdown, Facet};
use domain::usage::query::{Group, Metric, Query, Range, Window, instant_word};
use leptos::prelude::*;

pub use burn_down::burn_down;

use crate::frame::format;
use crate::frame::table::{self, Head};
use crate::islands::ChartReadout;
pub use cumulative::cumulative;
use sheet::Sheet;
use stack::{Drawing, PRICE_CHANGE};

/// The chart of a usage page with its legend, read-out line and table.
pub fn usage(
    caption: &str,
    query: &Query,
    breakdown: &Breakdown,
    price_changes: &[Moment],
) -> AnyView {
    let links = links(query, breakdown);
    let labels = stack::labels(breakdown);
    let total = total(breakdown);
    let months = breakdown.grid.month_starts().into_iter().map(|at| {
        let name = time::OffsetDateTime::from(at).month();
        (at, month_name(name))
    });
    let changes = price_changes.iter().map(|at| (*at, PRICE_CHANGE));
    let drawing = Drawing {
        id: "usage-chart",
        caption: caption.to_owned(),
        total: total.clone(),
        labels: &labels,
        links: links.iter().map(|(deeper, _)| deeper.clone()).collect(),
        moments: months.chain(changes).collect(),
    };
    let drawing = stack::draw(drawing, breakdown);
    let alone = |facet: &Facet| alone(query, facet);
    let is_lines = breakdown.metric == Metric::Concurrency;
    let legend = (query.group != Group::None && !breakdown.series.is_empty())
        .then(|| marks::legend(breakdown, is_lines, alone));
    let table = rows::table(caption, breakdown, query.zone.as_str(), &links, alone);
    let caption = caption.to_owned();
    view! {
        <figure class="chart">
            <figcaption class="chart__caption">{caption}</figcaption>
            {drawing}
            <ChartReadout labels=labels summary=total/>
            {legend}
        </figure>
        {table}
    }
    .into_any()
}

/// Where a bucket leads one level deeper, and where its reasons are.
fn links(query: &Query, breakdown: &Breakdown) -> Vec<(String, String)> {
    use domain::usage::grid::Step;
    let buckets = breakdown.grid.buckets.iter();
    buckets
        .map(|bucket| {
            let deeper = match breakdown.grid.step {
                Step::Hour => Window {
                    from: bucket.start,
                    until: bucket.end,
                    only: query.only.clone(),
                }
                .address("/usage/intervals"),
                Step::Day | Step::Week => Query {
                    range: Range::Own {
                        from: bucket.first,
                        to: bucket.last,
                    },
                    bar: None,
                    ..query.clone()
                }
                .address("/usage"),
            };
            let why = Query {
                bar: Some(bucket.start),
                ..query.clone()
            };
            (deeper, format!("{}#why", why.address("/usage")))
        })
        .collect()
}

/// The page of one series alone.
fn alone(query: &Query, facet: &Facet) -> Option<String> {
    let only = backend::usage::narrowed(&query.only, facet)?;
    let query = Query {
        only,
        group: Group::None,
        bar: None,
        ..query.clone()
    };
    Some(query.address("/usage"))
}

fn total(breakdown: &Breakdown) -> String {
    let metric = breakdown.metric;
    let raw = breakdown.total().raw(metric);
    let text = value::text(metric, raw, breakdown.elapsed_in_all_ms());
    if metric == Metric::Concurrency {
        format!("{text} on average")
    } else {
        format!("{text} in all")
    }
}

const fn month_name(month: time::Month) -> &'static str {
    use time::Month as M;
    match month {
        M::January => "Jan",
        M::February => "Feb",
        M::March => "Mar",
        M::April => "Apr",
        M::May => "May",
        M::June => "Jun",
        M::July => "Jul",
        M::August => "Aug",
        M::September => "Sep",
        M::October => "Oct",
        M::November => "Nov",
        M::December => "Dec",
    }
}

/// The chart of a plain series in UTC with its read-out line and its table behind a disclosure. `class` is the chart's,
/// `id` unique on the page.
pub fn spend(
    class: &'static str,
    id: &'static str,
    caption: &'static str,
    series: &Series,
) -> AnyView {
    let breakdown = plain(series);
    let query = Query::default();
    let (billed, ticks) = series.total();
    let total = format!(
        "{} in all, {}",
        domain::shown::amount(ticks),
        format::duration_text(billed)
    );
    let labels: Vec<String> = stack::labels(&breakdown)
        .into_iter()
        .zip(&series.amounts)
        .map(|(label, (billed, _))| format!("{label}, {}", format::duration_text(*billed)))
        .collect();
    let drawing = Drawing {
        id,
        caption: caption.to_owned(),
        total: total.clone(),
        labels: &labels,
        links: links(&query, &breakdown)
            .into_iter()
            .map(|(deeper, _)| deeper)
            .collect(),
        moments: Vec::new(),
    };
    let drawing = stack::draw(drawing, &breakdown);
    view! {
        <figure class=class>
            <figcaption class="chart__caption">{caption}</figcaption>
            {drawing}
            <ChartReadout labels=labels summary=total/>
            <details class="disclosure">
                <summary>"Same as a table"</summary>
                {table(caption, &breakdown)}
            </details>
        </figure>
    }
    .into_any()
}

/// The chart of an example: without links, because there is nothing behind its bars, and without a read-out, because the
/// pages of strangers load no script.
pub fn example(caption: &'static str, breakdown: &Breakdown) -> AnyView {
    let drawing = Drawing {
        id: "example-chart",
        caption: caption.to_owned(),
        total: total(breakdown),
        labels: &[],
        links: Vec::new(),
        moments: Vec::new(),
    };
    let drawing = stack::draw(drawing, breakdown);
    view! {
        <figure class="chart">
            <figcaption class="chart__caption">{caption}</figcaption>
            {drawing}
            <p class="chart__readout">{total(breakdown)}</p>
            {marks::legend(breakdown, false, |_| None)}
            <details class="disclosure">
                <summary>"Show as table"</summary>
                {table(caption, breakdown)}
            </details>
        </figure>
    }
    .into_any()
}

/// A series as a breakdown of its cost by nothing.
fn plain(series: &Series) -> Breakdown {
    let cell = |(billed, ticks): &(domain::price::BilledMs, domain::money::Ticks)| {
        vec![Amounts {
            ms: i128::from(billed.0),
            ticks: *ticks,
            ..Amounts::default()
        }]
    };
    Breakdown {
        grid: series.grid.clone(),
        as_of: series.as_of,
        metric: Metric::Cost,
        series: vec![Facet::All],
        cells: series.amounts.iter().map(cell).collect(),
    }
}

/// The rows of a plain series, newest first, and their sum.
fn table(caption: &'static str, breakdown: &Breakdown) -> AnyView {
    let mut times = breakdown.clone();
    times.metric = Metric::SandboxHours;
    let (time, cost) = (Sheet::of(&times), Sheet::of(breakdown));
    let grid = &breakdown.grid;
    let begun = (0..grid.buckets.len())
        .filter(|index| breakdown.elapsed_ms(*index) > 0)
        .count();
    let is_used = |index| breakdown.bucket(index) != Amounts::default();
    let rows = rows::folded(grid, begun, 3, is_used, |index, bucket| {
        view! {
            <tr data-bucket=instant_word(bucket.start)>
                <th scope="row">{value::bucket_name(grid, bucket)}</th>
                {table::number("", time.row(index))}
                {table::main(cost.row(index))}
            </tr>
        }
        .into_any()
    });
    let heads = vec![
        Head::plain("Time (UTC)"),
        Head::figure("Sandbox time"),
        Head::main("Cost"),
    ];
    let foot = view! {
        <tr>
            <th scope="row">"Total"</th>
            <td class="table__number" data-total="ms">{time.total()}</td>
            <td class="table__number" data-total="ticks">{cost.total()}</td>
        </tr>
    };
    let rows = table::plain_group(rows);
    table::table("spend", caption, heads, rows, Some(foot.into_any()))
}

#[cfg(test)]
mod tests {
    use domain::money::{TICKS_PER_DOLLAR, Ticks};
    use domain::price::BilledMs;
    use domain::usage::grid::{Grid, Utc};

    use super::*;

    fn series(amounts: &[i128]) -> Series {
        let now = Moment::from_unix_ms(1_795_000_000_000);
        let grid = Grid::of(Range::Week, now, &Utc);
        let start = grid.from();
        let amounts = amounts.iter().zip(0_i64..).map(|(ticks, day)| {
            (
                start.plus_ms(day * 86_400_000),
                BilledMs(1_000),
                Ticks::new(*ticks).unwrap(),
            )
        });
        Series::fill(grid, now, amounts.collect::<Vec<_>>())
    }

    #[test]
    fn the_highest_bar_stays_inside_and_an_empty_chart_has_none() {
        let html = spend(
            "chart",
            "c",
            "Spend",
            &series(&[TICKS_PER_DOLLAR, 2 * TICKS_PER_DOLLAR]),
        )
        .to_html();
        assert_eq!(html.matches("chart__bar").count(), 2, "{html}");
        let bars = html.split("<rect").filter(|rect| rect.contains("data-raw"));
        assert_eq!(bars.clone().count(), 2, "{html}");
        for bar in bars {
            let y = bar.split(" y=\"").nth(1).unwrap();
            let hundredths: i128 = y
                .split('%')
                .next()
                .unwrap()
                .replace('.', "")
                .parse()
                .unwrap();
            assert!((scale::TOP..scale::BOTTOM).contains(&hundredths), "{bar}");
        }
        let empty = spend("chart", "c", "Spend", &series(&[])).to_html();
        assert_eq!(empty.matches("chart__grid").count(), 1, "{empty}");
        assert!(
            !empty.contains("style=") && empty.contains("<title"),
            "{empty}"
        );
    }

    #[test]
    fn the_table_holds_the_same_rows_and_their_sum() {
        let html = table("Spend", &plain(&series(&[1, 2, 4]))).to_html();
        // Three days with use, one row for the four without.
        assert_eq!(html.matches("<tr").count(), 1 + 3 + 1 + 1, "{html}");
        assert!(html.contains("4 days without use"), "{html}");
        assert!(
            html.contains(r#"data-ticks="7""#) && html.contains(r#"data-ms="3000""#),
            "{html}"
        );
    }

    #[test]
    fn every_series_has_its_mark_and_every_bucket_a_link() {
        let cell = |n: i128| Amounts {
            ms: n,
            vcpu_ms: n,
            mib_ms: n,
            ticks: Ticks::new(n).unwrap(),
        };
        let mut breakdown = plain(&series(&[1, 2, 3]));
        breakdown.series = vec![
            Facet::Image("a".into()),
            Facet::Image("b".into()),
            Facet::Other,
        ];
        breakdown.cells = vec![vec![cell(5), cell(7), cell(11)]; 7];
        let query = Query {
            group: Group::Image,
            range: Range::Week,
            ..Query::default()
        };
        for metric in Metric::ALL {
            breakdown.metric = *metric;
            let html = usage("Usage", &query, &breakdown, &[]).to_html();
            let shape = if *metric == Metric::Concurrency {
                "<circle"
            } else {
                "chart__bar"
            };
            assert_eq!(html.matches(shape).count(), 21, "{metric:?} {html}");
            assert_eq!(html.matches("chart__hit").count(), 7);
            assert_eq!(html.matches("legend__entry").count(), 3);
            assert!(
                html.contains("/usage?range=24h&amp;image=a") || html.contains("image=a"),
                "{html}"
            );
            assert!(!html.contains("style="));
        }
    }
}
