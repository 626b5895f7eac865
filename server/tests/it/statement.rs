//! The statement as files: the same entries as the page, whole, with balances that add up.

use sqlx::PgPool;

use crate::world::World;

#[sqlx::test(migrations = "../migrations")]
async fn both_files_hold_every_entry_and_their_balances_add_up(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("entries are booked by hand");
    let mut ada = world.customer("ada@example.org").await;
    // 2,500 entries: more than two of the pages that a file is read by.
    world
        .execute(
            "INSERT INTO transfers (account_id, transfer_id, debit_id, credit_id, ticks, kind, key, service_hour, booked_at)
             SELECT g.account_id, gen_random_uuid(), g.credit_id, g.debit_id, n, 'usage', 'test:' || n,
                    date_trunc('hour', now(), 'UTC') - make_interval(hours => n), now() + make_interval(secs => n)
             FROM transfers AS g, generate_series(1, 2500) AS n WHERE g.kind = 'grant'",
        )
        .await;
    let csv = ada.get("/credit/statement.csv").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    let lines: Vec<&str> = csv.body.lines().collect();
    assert_eq!(lines.len(), 1 + 2_501, "{}", csv.body);
    assert!(!csv.body.contains("# cut"));
    let mut balance = 0_i128;
    for line in lines[1..].iter().rev() {
        let fields: Vec<&str> = line.split(',').collect();
        balance += fields[5].parse::<i128>().unwrap();
        assert_eq!(fields[6].parse::<i128>().unwrap(), balance, "{line}");
    }
    let json = ada.get("/credit/statement.json?kind=usage").await;
    let json: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!(json["entries"].as_array().unwrap().len(), 2_500);
    assert_eq!(json["cut"], false);
    assert_eq!(json["next"], serde_json::Value::Null);
    assert_eq!(json["entries"][0]["amount_ticks"], "-2500");
    assert_eq!(json["entries"][0]["balance_ticks"], serde_json::Value::Null);
    // The page says the same, fifty at a time.
    let page = ada.get("/credit").await;
    assert!(page.body.contains(&format!("data-ticks=\"{balance}\"")));
    assert_eq!(page.body.matches("data-entry=\"usage\"").count(), 50);
}
