//! The statement as files: the same entries as the page, whole, with balances that add up.

use sqlx::PgPool;

use crate::usage_page::attribute;
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
    // The page says the same by days, a month at a time.
    let page = ada.get("/credit").await;
    assert!(page.body.contains(&format!("data-ticks=\"{balance}\"")));
    let mut path = "/credit".to_owned();
    let (mut sum, mut entries, mut days, mut opened) = (0_i128, 0, Vec::new(), None);
    for _ in 0..20 {
        let page = ada.get(&path).await;
        let table = statement(&page.body);
        for row in table.split("<tr data-entry=\"").skip(1) {
            sum += main_figure(row);
            entries += attribute(row, "data-entries").map_or(1, |count| count.parse().unwrap());
        }
        for day in table.split("<span id=\"day-").skip(1) {
            days.push(day.split('"').next().unwrap().to_owned());
        }
        assert!(days.len() <= 31 * 20, "{days:?}");
        if opened.is_none() {
            opened = table
                .split("href=\"/credit?day=")
                .nth(1)
                .map(|rest| rest[..10].to_owned());
        }
        let Some((_, next)) = page.body.split_once("class=\"pager\"") else {
            break;
        };
        path = attribute(next.split("<a ").nth(1).unwrap(), "href").unwrap();
    }
    assert_eq!(
        (sum, entries),
        (balance, 2_501),
        "no entry is lost or told twice"
    );
    let count = days.len();
    days.dedup();
    assert_eq!(days.len(), count, "a day stands on one page");

    // A day opens to its hours, which add up to its line.
    let day = opened.expect("a day that can be opened");
    let folded = ada.get("/credit").await;
    let folded = statement(&folded.body);
    let opens = format!("href=\"/credit?day={day}#");
    let mut lines = folded.split("<tr data-entry=\"usage\"").skip(1);
    let line = lines.find(|line| line.contains(&opens)).unwrap();
    let count: usize = attribute(line, "data-entries").unwrap().parse().unwrap();
    let open = ada.get(&format!("/credit?day={day}")).await;
    let hours = statement(&open.body)
        .split(&format!("id=\"day-{day}\""))
        .nth(1)
        .unwrap();
    let hours = hours.split("</tbody>").next().unwrap();
    let hours: Vec<i128> = hours
        .split("<tr data-entry=\"usage\"")
        .skip(1)
        .map(main_figure)
        .collect();
    assert_eq!(
        (hours.len(), hours.iter().sum()),
        (count, main_figure(line))
    );
}

/// The table of the statement in a page.
fn statement(html: &str) -> &str {
    let table = html.split("data-table=\"statement\"").nth(1).unwrap();
    table.split("</table>").next().unwrap()
}

/// The amount of a row, exact.
fn main_figure(row: &str) -> i128 {
    let cell = row.split("table__main").nth(1).unwrap();
    let cell = cell.split("data-ticks=\"").nth(1).unwrap();
    cell.split('"').next().unwrap().parse().unwrap()
}

/// What ran beyond the credit moves no balance, and says all the same how much it was.
#[sqlx::test(migrations = "../migrations")]
async fn lines_that_are_not_charged_say_how_much_that_is(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("entries are booked by hand");
    let mut ada = world.customer("ada@example.org").await;
    // $0.50 beyond the credit, of which $0.20 are taken back.
    world
        .execute(
            "WITH own AS (
                 INSERT INTO ledger_accounts (account_id, ledger_account_id, kind, is_tracked)
                 SELECT account_id, gen_random_uuid(), 'overrun', false FROM accounts RETURNING account_id, ledger_account_id)
             INSERT INTO transfers (account_id, transfer_id, debit_id, credit_id, ticks, kind, key, service_hour, booked_at)
             SELECT g.account_id, gen_random_uuid(), own.ledger_account_id, g.debit_id, 1843200000000000, 'overrun', 'test:1',
                    date_trunc('hour', now(), 'UTC'), now()
             FROM transfers AS g JOIN own USING (account_id) WHERE g.kind = 'grant'
             UNION ALL
             SELECT g.account_id, gen_random_uuid(), g.debit_id, own.ledger_account_id, 737280000000000, 'correction', 'test:2',
                    date_trunc('hour', now(), 'UTC'), now() + interval '1 second'
             FROM transfers AS g JOIN own USING (account_id) WHERE g.kind = 'grant'",
        )
        .await;
    let page = ada.get("/credit").await;
    page.says("$0.500000 not charged")
        .says("$0.200000 of what was not charged taken back");
    let csv = ada.get("/credit/statement.csv?kind=overrun").await;
    let line = csv.body.lines().nth(1).unwrap();
    assert!(line.ends_with(",0.500000000000,1843200000000000"), "{line}");
    let json = ada.get("/credit/statement.json").await;
    let json: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    let (first, second) = (&json["entries"][0], &json["entries"][1]);
    assert_eq!(first["not_charged_ticks"], "-737280000000000");
    assert_eq!(first["amount_ticks"], "0");
    assert_eq!(second["not_charged_usd"], "0.500000000000");
    assert_eq!(second["balance_ticks"], first["balance_ticks"]);
}
