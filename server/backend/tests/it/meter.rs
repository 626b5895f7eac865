//! What settling keeps beside the money: sums by hour and cohort, whatever comes in and in whatever pieces.

use backend::testing;
use domain::id::AccountId;
use domain::moment::{HOUR_MS, Moment};
use peers::orchestrator::{Appended, Kind};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::world::World;

/// A cheap sequence of numbers that is the same in each run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// An event of `sandbox` that the orchestrator writes down now and dates `ago_ms` back.
pub fn event(
    world: &World,
    account: uuid::Uuid,
    sandbox: &str,
    kind: Kind,
    ago_ms: i64,
) -> Appended {
    let now = serde_json::to_value(world.control().now().unwrap()).unwrap();
    let rfc3339 = &time::format_description::well_known::Rfc3339;
    let now = OffsetDateTime::parse(now.as_str().unwrap(), rfc3339).unwrap();
    let at = OffsetDateTime::from(Moment::from(now).plus_ms(-ago_ms));
    let text = format!(
        "{}T{:02}:{:02}:{:02}.{:03}Z",
        at.date(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond()
    );
    Appended {
        account: Some(account),
        sandbox_id: Some(sandbox.to_owned()),
        kind: Some(kind),
        occurred_at: Some(serde_json::from_value(text.into()).unwrap()),
        ..Appended::default()
    }
}

/// Lets nothing of an account end at the orchestrator: what is looked at then is the books.
pub async fn unbind(world: &World, account: AccountId) {
    let url = format!("{}/internal/v1/tenants/{account}", world.orchestrator.url());
    let put = reqwest::Client::builder()
        .timeout(std::time::Duration::from_secs(5))
        .build()
        .unwrap()
        .put(url)
        .bearer_auth(testing::CREDENTIAL)
        .header("idempotency-key", "unbind")
        .json(&serde_json::json!({ "generation": 1_000_000, "state": "active" }));
    assert_eq!(put.send().await.unwrap().status(), 200);
}

/// Rows of `usage_hours` and `usage_days` that are not the sum of their slices, either way.
pub async fn sums_that_differ(pool: &PgPool) -> i64 {
    let hours = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM usage_hours AS h
           FULL JOIN (SELECT l.account_id, l.hour_at, s.cohort_id, sum(l.billed_ms)::bigint AS billed_ms, sum(l.ticks) AS ticks
                      FROM slices AS l JOIN sandboxes AS s USING (account_id, sandbox_id)
                      GROUP BY l.account_id, l.hour_at, s.cohort_id) AS summed
               USING (account_id, hour_at, cohort_id)
           WHERE (h.billed_ms, h.ticks) IS DISTINCT FROM (summed.billed_ms, summed.ticks)"#
    );
    let days = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM usage_days AS d
           FULL JOIN (SELECT l.account_id, date_trunc('day', l.hour_at, 'UTC') AS day_at, s.cohort_id,
                             sum(l.billed_ms)::bigint AS billed_ms, sum(l.ticks) AS ticks
                      FROM slices AS l JOIN sandboxes AS s USING (account_id, sandbox_id)
                      GROUP BY l.account_id, 2, s.cohort_id) AS summed
               USING (account_id, day_at, cohort_id)
           WHERE (d.billed_ms, d.ticks) IS DISTINCT FROM (summed.billed_ms, summed.ticks)"#
    );
    hours.fetch_one(pool).await.unwrap() + days.fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn hours_and_days_are_the_sum_of_slices_after_any_lives(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("events are invented, and no sandbox stands behind them");
    let ada = world.customer("ada@example.org").await.account_id().0;
    let bob = world.customer("bob@example.org").await.account_id().0;
    world.control().set_speed(0).unwrap();
    let mut dice = Dice(41);
    for round in 0..40 {
        let mut page = Vec::new();
        for _ in 0..=dice.below(12) {
            let account = if dice.below(3) == 0 { bob } else { ada };
            let kind = match dice.below(8) {
                0..3 => Kind::Created,
                3 => Kind::Hibernated,
                4 => Kind::Resumed,
                5 => Kind::Unreachable,
                6 => Kind::Reachable,
                _ => Kind::Destroyed,
            };
            let sandbox = format!("run{}", dice.below(15));
            let late = i64::try_from(dice.below(3) * dice.below(10_000_000)).unwrap();
            page.push(Appended {
                vcpus: Some(1 + i64::from(sandbox.len() > 4)),
                ..event(&world, account, &sandbox, kind, late)
            });
        }
        world.control().append(page).unwrap();
        let step = i64::try_from(dice.below(4_000_000)).unwrap();
        world.control().advance_ms(step).unwrap();
        if dice.below(2) == 0 {
            world.meter().await;
            assert_eq!(
                sums_that_differ(testing::pool(&world.backend)).await,
                0,
                "round {round}"
            );
        }
    }
    world.control().advance_ms(3 * HOUR_MS).unwrap();
    world.meter().await;
    assert_eq!(sums_that_differ(testing::pool(&world.backend)).await, 0);
    let rows = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM usage_hours"#);
    assert!(rows.fetch_one(testing::pool(&world.backend)).await.unwrap() > 20);
}

#[sqlx::test(migrations = "../../migrations")]
async fn hours_and_days_that_are_taken_back_leave_no_rows(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("an event is invented: the sandbox still runs");
    let actor = world.customer("ada@example.org").await;
    let key = world.key(&actor).await;
    world.control().set_speed(0).unwrap();
    let id = world.start(&key).await;
    world.control().advance_ms(1_000).unwrap();
    let ended = event(&world, actor.account_id().0, &id, Kind::Destroyed, 0);
    world.control().advance_ms(50 * HOUR_MS).unwrap();
    world.meter().await;
    let rows = || async {
        let rows = sqlx::query!(
            r#"SELECT (SELECT count(*) FROM usage_hours) AS "hours!", (SELECT count(*) FROM usage_days) AS "days!""#
        );
        let rows = rows.fetch_one(testing::pool(&world.backend)).await.unwrap();
        (rows.hours, rows.days)
    };
    let (hours, days) = rows().await;
    assert!(hours >= 50 && days >= 3, "{hours} hours, {days} days");
    // It ended in its first second, and that is said two days late.
    world.control().append(vec![ended]).unwrap();
    world.control().advance_ms(1).unwrap();
    world.meter().await;
    assert_eq!(rows().await, (1, 1));
    assert_eq!(sums_that_differ(testing::pool(&world.backend)).await, 0);
}
