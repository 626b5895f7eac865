//! Takes a usage page apart: buckets, cells, sums, shapes and both files against sums over intervals in the database.

use std::collections::BTreeMap;

use domain::usage::axis;
use domain::usage::query::Metric;
use serde_json::Value;
use sqlx::PgPool;

use crate::browser::Browser;
use crate::usage_page::{Case, Row, expected, shapes, table, unfolded};

pub fn address(path: &str, case: Case) -> String {
    format!(
        "{path}?range=own&from={}&to={}&metric={}&group={}&zone={}",
        case.from, case.to, case.metric, case.group, case.zone
    )
}

/// Compares one page with the database: buckets, cells, sums, shapes, and both files.
pub async fn check(browser: &mut Browser, pool: &PgPool, case: Case) -> Vec<Row> {
    let page = browser.get(&address("/usage", case)).await.at("/usage");
    let (rows, sums) = table(&page.body);
    let want = expected(pool, case).await;
    let rows = unfolded(&page.body, rows, want.keys().copied());

    // The largest series first, seven by name, the rest together.
    let mut totals: BTreeMap<&str, i128> = BTreeMap::new();
    for (word, value) in want.values().flatten() {
        *totals.entry(word).or_default() += value;
    }
    let mut words: Vec<&str> = totals
        .keys()
        .copied()
        .filter(|word| totals[word] > 0)
        .collect();
    words.sort_by_key(|word| -totals[word]);
    for (row, bucket) in rows.iter().zip(want.values()) {
        assert_eq!(row.sum, bucket.values().sum::<i128>(), "{case:?} {row:?}");
        if row.cells.is_empty() {
            continue;
        }
        let of = |word: &str| bucket.get(word).copied().unwrap_or(0);
        let mut cells: Vec<i128> = words.iter().take(7).map(|word| of(word)).collect();
        if words.len() > 7 {
            cells.push(words.iter().skip(7).map(|word| of(word)).sum());
        }
        let (used, unused) = row.cells.split_at(cells.len());
        assert_eq!(used, cells, "{case:?} {row:?}");
        assert!(unused.iter().all(|value| *value == 0), "{case:?} {row:?}");
    }
    assert_eq!(
        *sums.last().unwrap(),
        totals.values().sum::<i128>(),
        "{case:?}"
    );
    check_drawing(case, &page.body, &rows);
    check_heights(case, &page.body, &rows);
    check_files(browser, case, &rows).await;
    rows
}

/// Each cell has its shape with the same number, and heights are in proportion.
fn check_drawing(case: Case, html: &str, rows: &[Row]) {
    let shapes = shapes(html);
    let mut drawn: BTreeMap<(usize, usize), i128> = BTreeMap::new();
    for shape in &shapes {
        assert!(
            drawn
                .insert((shape.index, shape.series), shape.raw)
                .is_none(),
            "drawn twice"
        );
    }
    for (index, row) in rows.iter().enumerate() {
        let cells = if row.cells.is_empty() {
            vec![row.sum]
        } else {
            row.cells.clone()
        };
        for (series, value) in cells.into_iter().enumerate() {
            let shape = drawn.get(&(index, series)).copied().unwrap_or(0);
            assert_eq!(shape, value, "{case:?} bucket {index} series {series}");
        }
    }
    let Some(tall) = shapes.iter().max_by_key(|shape| shape.height) else {
        return;
    };
    let hours = |index: usize| match rows.get(index + 1) {
        Some(next) => (next.start - rows[index].start).whole_hours(),
        None if index > 0 => (rows[index].start - rows[index - 1].start).whole_hours(),
        None => 1,
    };
    for shape in shapes.iter().filter(|_| case.metric != "concurrency") {
        let error = (shape.height * tall.raw - tall.height * shape.raw).abs();
        // Each end of a bar is cut to a hundredth of a percent.
        assert!(
            error <= 2 * tall.raw.max(shape.raw),
            "{case:?} {shape:?} beside {tall:?}"
        );
    }
    if case.metric == "concurrency" && case.step == "day" {
        for shape in &shapes {
            let (length, other) = (
                i128::from(hours(shape.index)),
                i128::from(hours(tall.index)),
            );
            let error = (shape.height * tall.raw * length - tall.height * shape.raw * other).abs();
            assert!(
                error <= 3 * tall.raw.max(shape.raw) * length.max(other),
                "{case:?} {shape:?} {tall:?}"
            );
        }
    }
}

/// Against the axis, not only against each other: a bucket's bars together are as high as its sum says.
fn check_heights(case: Case, html: &str, rows: &[Row]) {
    let metric = Metric::parse(case.metric).unwrap();
    if metric == Metric::Concurrency {
        return;
    }
    let nanos = |row: &Row| metric.nanos(row.sum, 0);
    let highest = rows.iter().map(nanos).max().unwrap_or(0);
    let (top, _) = axis(highest + i128::from(highest > 0));
    let shapes = shapes(html);
    for (index, row) in rows.iter().enumerate() {
        let bars = shapes.iter().filter(|shape| shape.index == index);
        let height: i128 = bars.map(|shape| shape.height).sum();
        let want = if top > 0 { nanos(row) * 8_100 / top } else { 0 };
        assert_eq!(height, want, "{case:?} {row:?}");
    }
}

/// The files hold the same cells.
async fn check_files(browser: &mut Browser, case: Case, rows: &[Row]) {
    let field = match case.metric {
        "cost" => "ticks",
        "vcpu-hours" => "vcpu_ms",
        "gib-hours" => "mib_ms",
        _ => "sandbox_ms",
    };
    let page = browser
        .get(&address("/usage.json", case))
        .await
        .at("/usage.json");
    let file: Value = serde_json::from_str(&page.body).unwrap();
    let number = |cell: &Value| cell[field].as_str().unwrap().parse::<i128>().unwrap();
    for (bucket, row) in file["buckets"].as_array().unwrap().iter().zip(rows) {
        assert_eq!(number(&bucket["total"]), row.sum);
        let cells: Vec<i128> = bucket["cells"]
            .as_array()
            .unwrap()
            .iter()
            .map(number)
            .collect();
        if let Some(last) = row.cells.len().checked_sub(1) {
            // The page folds what is beyond its colours into the last column; the file holds each.
            let (named, rest) = cells.split_at(last);
            let folded = [named, &[rest.iter().sum()]].concat();
            assert_eq!(folded, row.cells, "{case:?}");
        }
    }
    let page = browser
        .get(&address("/usage.csv", case))
        .await
        .at("/usage.csv");
    assert!(
        page.headers["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment")
    );
    assert_eq!(page.headers["cache-control"], "no-store");
    let mut lines = page.body.lines();
    let place = lines
        .next()
        .unwrap()
        .split(',')
        .position(|name| name == field)
        .unwrap();
    // No field before the figures but an image holds a comma, and names are quoted; so figures are counted from behind.
    let behind = 13 - place;
    let total: i128 = lines
        .map(|line| {
            line.rsplit(',')
                .nth(behind - 1)
                .unwrap()
                .parse::<i128>()
                .unwrap()
        })
        .sum();
    assert_eq!(
        total,
        rows.iter().map(|row| row.sum).sum::<i128>(),
        "{case:?}"
    );
    assert!(!page.body.contains(",=cmd"), "a formula would run");
}
