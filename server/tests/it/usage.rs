//! Every figure drawn equals the sum of its intervals: pages for random lives are taken apart and compared with the
//! database, through clock changes both ways, a half-hour zone, a leap day, a month's end and an empty range.

use std::collections::BTreeMap;

use domain::usage::axis;
use domain::usage::query::Metric;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::browser::Browser;
use crate::usage_page::{Case, Row, attribute, expected, shapes, table};
use crate::world::World;

/// A plain generator, so that a failure repeats itself.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % limit
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let index = self.below(i64::try_from(all.len()).unwrap());
        &all[usize::try_from(index).unwrap()]
    }
}

/// Around these moments sandboxes live (Unix seconds).
const AROUND: [i64; 6] = [
    1_709_164_800, // 29 Feb 2024
    1_772_928_000, // 8 Mar 2026, New York springs forward
    1_774_742_400, // 29 Mar 2026, Amsterdam springs forward
    1_775_001_600, // 1 Apr 2026
    1_792_886_400, // 25 Oct 2026, Amsterdam falls back
    1_793_491_200, // 1 Nov 2026, New York falls back
];

/// Random lives through the orchestrator's feed, settled as they would be.
async fn live(world: &World, sandboxes: i64) {
    let account: uuid::Uuid = {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests look at tables as they are"
        )]
        sqlx::query_scalar("SELECT account_id FROM accounts LIMIT 1")
            .fetch_one(world.backend.pool())
            .await
            .unwrap()
    };
    let keys = [
        Value::Null,
        json!("01890000-0000-7000-8000-00000000000a"),
        json!("01890000-0000-7000-8000-00000000000b"),
    ];
    let mut random = Random(42);
    let mut events: Vec<Value> = Vec::new();
    for number in 0..sandboxes {
        let mut at = (random.of(&AROUND) - 86_400) * 1_000 + random.below(2 * 86_400_000);
        let (image, region) = (
            random.of(&["node:22", "=cmd|' /C calc'!A0", "python:3.12-slim"]),
            random.of(&["us", "eu"]),
        );
        let (vcpus, mem_mib) = random.of(&[(1, 1_024), (2, 4_096), (1, 700), (8, 16_384)]);
        let key = random.of(&keys).clone();
        let mut kinds = vec!["created"];
        for _ in 0..random.below(3) {
            kinds.extend(["hibernated", "resumed"]);
        }
        kinds.push("destroyed");
        for kind in kinds {
            let stamp = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000)
                .unwrap();
            let stamp = stamp
                .format(time::macros::format_description!(
                    "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
                ))
                .unwrap();
            events.push(json!({
                "account": account, "sandbox_id": format!("run{number:04}"), "kind": kind, "occurred_at": stamp, "image": image,
                "region": region, "vcpus": vcpus, "mem_mib": mem_mib, "key_id": key,
            }));
            at += random.below(30_000_000);
        }
    }
    world
        .control()
        .append(serde_json::from_value(json!(events)).unwrap())
        .unwrap();
    world.meter().await;
}

fn address(path: &str, case: Case) -> String {
    format!(
        "{path}?range=own&from={}&to={}&metric={}&group={}&zone={}",
        case.from, case.to, case.metric, case.group, case.zone
    )
}

/// Compares one page with the database: buckets, cells, sums, shapes, and both files.
async fn check(browser: &mut Browser, pool: &PgPool, case: Case) -> Vec<Row> {
    let page = browser.get(&address("/usage", case)).await.at("/usage");
    let (rows, sums) = table(&page.body);
    let want = expected(pool, case).await;
    let starts: Vec<_> = rows.iter().map(|row| row.start).collect();
    assert_eq!(starts, want.keys().copied().collect::<Vec<_>>(), "{case:?}");

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
        assert!(row.cells.is_empty() || cells == row.cells, "{case:?}");
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

const fn case(
    from: &'static str,
    to: &'static str,
    zone: &'static str,
    step: &'static str,
) -> Case {
    Case {
        from,
        to,
        zone,
        step,
        metric: "cost",
        group: "none",
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn every_figure_drawn_is_the_sum_of_its_intervals(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let mut browser = world.customer("ada@example.org").await;
    live(&world, 60).await;
    let ranges = [
        case("2026-03-29", "2026-03-29", "Europe/Amsterdam", "hour"),
        case("2026-10-24", "2026-10-25", "Europe/Amsterdam", "hour"),
        case("2026-10-20", "2026-11-05", "Europe/Amsterdam", "day"),
        case("2026-03-01", "2026-03-31", "America/New_York", "day"),
        case("2026-11-01", "2026-11-01", "America/New_York", "hour"),
        case("2026-03-25", "2026-04-02", "Asia/Kolkata", "day"),
        case("2026-10-25", "2026-10-25", "Asia/Kolkata", "hour"),
        case("2024-02-27", "2024-03-02", "UTC", "day"),
        case("2024-02-29", "2024-02-29", "UTC", "hour"),
        case("2026-03-31", "2026-04-01", "UTC", "hour"),
        case("2025-06-01", "2025-06-30", "UTC", "day"),
    ];
    let groups = ["none", "key", "size", "image", "region", "sandbox"];
    let metrics = [
        "cost",
        "sandbox-hours",
        "vcpu-hours",
        "gib-hours",
        "concurrency",
    ];
    let mut turn = 0;
    for range in ranges {
        // Each range with three of the thirty pairs, so that all pairs have their turn.
        for _ in 0..3 {
            let (group, metric) = (groups[turn % 6], metrics[turn % 5]);
            turn += 1;
            check(
                &mut browser,
                &pool,
                Case {
                    group,
                    metric,
                    ..range
                },
            )
            .await;
        }
    }
    let empty = browser
        .get("/usage?range=own&from=2025-06-01&to=2025-06-30")
        .await;
    empty.says("Nothing ran in this range");
}

#[sqlx::test(migrations = "../migrations")]
async fn every_bar_leads_down_to_its_intervals(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let mut browser = world.customer("ada@example.org").await;
    live(&world, 60).await;
    let days = check(
        &mut browser,
        &pool,
        case("2026-10-20", "2026-10-31", "Europe/Amsterdam", "day"),
    )
    .await;
    let day = days.iter().max_by_key(|row| row.sum).unwrap();
    let page = browser.get(&day.deeper).await.at("/usage");
    let (hours, _) = table(&page.body);
    assert_eq!(
        hours.iter().map(|row| row.sum).sum::<i128>(),
        day.sum,
        "hours of {day:?}"
    );
    let mut seen = 0;
    for hour in hours.iter().filter(|row| row.sum > 0) {
        let (mut path, mut sum) = (hour.deeper.clone(), 0);
        for _ in 0..20 {
            let page = browser.get(&path).await.at("/usage/intervals");
            for cost in page.body.split("data-cell=\"cost\"").skip(1) {
                let (_, ticks) = cost.split_once("data-ticks=\"").unwrap();
                sum += ticks.split('"').next().unwrap().parse::<i128>().unwrap();
                seen += 1;
            }
            let Some((_, next)) = page.body.split_once("class=\"pager\"") else {
                break;
            };
            path = attribute(next.split("<a ").nth(1).unwrap(), "href").unwrap();
        }
        assert_eq!(sum, hour.sum, "intervals of {hour:?}");
    }
    assert!(seen > 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn filters_and_reasons_add_up(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let mut browser = world.customer("ada@example.org").await;
    live(&world, 60).await;
    let wide = "/usage?range=own&from=2026-10-20&to=2026-11-05";
    let (rows, _) = table(&browser.get(wide).await.body);
    let all: i128 = rows.iter().map(|row| row.sum).sum();
    let mut parts = 0;
    for key in [
        "none",
        "01890000-0000-7000-8000-00000000000a",
        "01890000-0000-7000-8000-00000000000b",
    ] {
        let page = browser.get(&format!("{wide}&key={key}")).await;
        page.says("Only key");
        parts += table(&page.body).0.iter().map(|row| row.sum).sum::<i128>();
    }
    assert_eq!(parts, all, "the keys are everything");
    // A sandbox alone costs what its column said.
    let page = browser.get(&format!("{wide}&group=sandbox")).await;
    let first = page.body.split("sandbox=run").nth(1).unwrap();
    let id: String = format!(
        "run{}",
        first
            .chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
    );
    let column = table(&page.body).1[0];
    let alone = table(&browser.get(&format!("{wide}&sandbox={id}")).await.body);
    assert_eq!(*alone.1.last().unwrap(), column);

    let tall = rows.iter().max_by_key(|row| row.sum).unwrap();
    let bar = tall
        .start
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap();
    let page = browser.get(&format!("{wide}&bar={bar}")).await;
    page.says("By sandbox")
        .says("By key")
        .says("By image")
        .says("By size")
        .says("A week before");
    // Four sizes at most exist, so their differences are all of it.
    let sizes = page
        .body
        .split("data-why=\"size\"")
        .nth(1)
        .unwrap()
        .split("</table>")
        .next()
        .unwrap();
    let differences: i128 = sizes
        .split("data-difference")
        .skip(1)
        .map(|cell| {
            cell.split("data-ticks=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap()
                .parse::<i128>()
                .unwrap()
        })
        .sum();
    let figure = |which: &str| {
        let cell = page
            .body
            .split(&format!("data-why=\"{which}\""))
            .nth(1)
            .unwrap();
        cell.split("data-ticks=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .parse::<i128>()
            .unwrap()
    };
    assert_eq!(figure("now"), tall.sum);
    assert_eq!(differences, figure("now") - figure("before"));
}

#[sqlx::test(migrations = "../migrations")]
async fn bad_words_have_their_sentence_and_nothing_is_lost(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("ada@example.org").await;
    let page = browser.get("/usage?range=own&from=soon&to=2026-13-01&zone=Mars%2FBase&metric=joy&group=x&key=1&bar=x").await.at("/usage");
    for text in [
        "Enter the first day as a date",
        "Enter the last day as a date",
        "no such time zone",
        "no such figure",
        "cannot be grouped",
        "A filter in the address",
    ] {
        page.says(text);
    }
    for kept in [
        "value=\"soon\"",
        "value=\"2026-13-01\"",
        "value=\"Mars/Base\"",
    ] {
        assert!(page.body.contains(kept), "{kept} is lost");
    }
    browser
        .get("/usage/intervals")
        .await
        .at("/usage/intervals")
        .says("names no window of time");
    browser
        .get("/usage?zone=Asia/Kolkata&range=7d")
        .await
        .says("Bills run on UTC");
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_sees_the_usage_of_another(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    live(&world, 10).await;
    let mut other = world.customer("eve@example.org").await;
    for path in [
        "/usage",
        "/usage?group=sandbox",
        "/usage?sandbox=run0001",
        "/usage?group=image",
    ] {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = other
            .get(&format!(
                "{path}{joint}range=own&from=2026-01-01&to=2026-11-20"
            ))
            .await
            .at("/usage");
        assert_eq!(*table(&page.body).1.last().unwrap(), 0, "{path}");
        assert!(!page.body.contains("python:3.12-slim"), "{path}");
    }
    let window = "/usage/intervals?from=2026-10-01T00:00:00Z&to=2026-11-05T00:00:00Z";
    other.get(window).await.says("Nothing was billed");
}
