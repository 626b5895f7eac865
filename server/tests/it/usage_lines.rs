//! The lines across the charts: where a price changes, and how high the monthly limit is.

use domain::usage::axis;
use sqlx::PgPool;

use crate::usage_lives::live;
use crate::usage_page::attribute;
use crate::world::World;

/// An attribute in hundredths of a percent, such as `48.52%`.
fn hundredths(tag: &str, name: &str) -> i64 {
    let value = attribute(tag, name).unwrap();
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    assert!(value.ends_with('%') && value.contains('.'), "{value}");
    digits.parse().unwrap()
}

/// The opening tags of elements that carry this attribute.
fn tags<'a>(html: &'a str, mark: &str) -> Vec<&'a str> {
    let tags = html.split('<').filter_map(|rest| rest.split('>').next());
    tags.filter(|tag| tag.contains(mark)).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_price_change_stands_at_its_hour(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("usage is put into the tables by hand");
    let mut ada = world.customer("ada@example.org").await;
    live(&world, 5).await;
    let page = "/usage?range=own&from=2026-10-20&to=2026-11-05";
    assert_eq!(
        tags(&ada.get(page).await.body, "chart__when--price").len(),
        0
    );
    world
        .execute(
            "INSERT INTO prices (price_id, sku, vcpu_hour_microusd, gib_hour_microusd, grain_ms, is_first, announced_at, during)
             VALUES (gen_random_uuid(), 'deal', 13000, 7500, 1000, true, now(), tstzrange('2026-10-01T00:00Z', NULL))",
        )
        .await;
    world
        .execute(
            "INSERT INTO price_bindings (account_id, sku, during, bound_at)
             SELECT account_id, 'deal', tstzrange('2026-10-28T06:00Z', NULL), now() FROM accounts",
        )
        .await;
    let html = ada.get(page).await.body;
    let lines = tags(&html, "chart__when--price");
    assert_eq!(lines.len(), 1, "{lines:?}");
    // A quarter into the ninth of seventeen days.
    let want = (8 * 4 + 1) * 10_000 / (17 * 4);
    for end in ["x1", "x2"] {
        assert!(
            (hundredths(lines[0], end) - want).abs() <= 2,
            "{lines:?} {want}"
        );
    }
    assert!(html.contains("price change"));
}

#[sqlx::test(migrations = "../migrations")]
async fn the_limit_is_as_high_as_it_is(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    let month = "/usage?range=this-month";
    assert_eq!(tags(&ada.get(month).await.body, "chart__limit").len(), 0);
    ada.submit("/alerts", "/api/limit/set", &[("monthly", "7")])
        .await
        .says("of $7.00 a month");
    let html = ada.get(month).await.body;
    let lines = tags(&html, "chart__limit");
    assert_eq!(lines.len(), 1, "{lines:?}");
    let steps = tags(&html, "data-sum");
    let ground = hundredths(steps[0], "y1");
    let (top, _) = axis(7_000_000_000);
    let want = i64::try_from(7_000_000_000 * 8_100 / top).unwrap();
    let height = ground - hundredths(lines[0], "y1");
    assert!((height - want).abs() <= 1, "{height} {want}");
    // Of one key it would be wrong: the limit is the account's.
    let one = ada.get(&format!("{month}&key=none")).await.body;
    assert_eq!(tags(&one, "chart__limit").len(), 0);
}
