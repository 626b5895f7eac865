//! Every figure drawn equals the sum of its intervals: pages for random lives are taken apart and compared with the
//! database, through clock changes both ways, a half-hour zone, a leap day, a month's end and an empty range.

use sqlx::PgPool;

use crate::usage_drawn::check;
use crate::usage_lives::live;
use crate::usage_page::{Case, attribute, table};
use crate::world::World;

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
    world.expect_findings("usage is put into the tables by hand");
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
    world.expect_findings("usage is put into the tables by hand");
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
    world.expect_findings("usage is put into the tables by hand");
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
        .split("data-table=\"why-size\"")
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
    world.expect_findings("usage is put into the tables by hand");
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
