//! What holds of every twin, whatever its rows: the files end where they are asked to and say where to go on, a file that
//! somebody has already is not sent again, and text that a spreadsheet would run is harmless. The rows are their subjects'.

use app::routes::each_twin;
use app::twin::{Twin, Visit};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use sqlx::PgPool;

use crate::browser::{Browser, Page};
use crate::usage_lives::live;
use crate::usage_page::table;
use crate::world::World;

/// Books entries, one an hour back from now.
macro_rules! entries {
    ($world:expr, $count:literal) => {
        $world.expect_findings("entries are booked by hand");
        $world
            .execute(concat!(
                "INSERT INTO transfers (account_id, transfer_id, debit_id, credit_id, ticks, kind, key, service_hour, booked_at)
                 SELECT g.account_id, gen_random_uuid(), g.credit_id, g.debit_id, n, 'usage', 'test:' || n,
                        date_trunc('hour', now(), 'UTC') - make_interval(hours => n), now() + make_interval(secs => n)
                 FROM transfers AS g, generate_series(1, ",
                $count,
                ") AS n WHERE g.kind = 'grant'"
            ))
            .await;
    };
}

async fn json(browser: &mut Browser, path: &str) -> Value {
    serde_json::from_str(&browser.get(path).await.body).unwrap()
}

fn ids(file: &Value) -> Vec<String> {
    let entries = file["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| entry["transfer_id"].as_str().unwrap().to_owned())
        .collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_file_ends_where_it_is_asked_to_and_says_where_to_go_on(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    // More than is read at once, so that a file of these is sent in pieces.
    entries!(world, 1500);
    let whole = ids(&json(&mut ada, "/credit/statement.json?kind=usage").await);
    assert_eq!(whole.len(), 1_500);
    let (mut gone_on, mut path) = (
        Vec::new(),
        "/credit/statement.json?kind=usage&limit=400".to_owned(),
    );
    for rows in [400, 400, 400, 300] {
        let part = json(&mut ada, &path).await;
        assert_eq!(ids(&part).len(), rows);
        gone_on.extend(ids(&part));
        assert_eq!(part["cut"], rows == 400);
        let next = part["next"].as_str().unwrap_or_default();
        path = format!("/credit/statement.json?kind=usage&limit=400&after={next}");
    }
    assert_eq!(gone_on, whole);

    let cut = ada
        .get("/credit/statement.csv?kind=usage&limit=1200")
        .await
        .body;
    let last = cut.lines().last().unwrap();
    let (said, next) = last.split_once("older ones: ").unwrap();
    assert_eq!(said, "# cut after 1200 entries; ");
    let rest = ada.get(next).await.body;
    assert_eq!(cut.lines().count() - 2 + rest.lines().count() - 1, 1_500);
}

async fn with_tag(browser: &mut Browser, path: &str, tag: &str) -> Page {
    let request = Request::get(path).header("if-none-match", tag);
    browser.send(request.body(Body::empty()).unwrap()).await
}

#[sqlx::test(migrations = "../migrations")]
async fn a_file_that_somebody_has_is_not_sent_again(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    let path = "/credit/statement.csv";
    let first = ada.get(path).await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    for known in [
        tag.clone(),
        tag.trim_start_matches("W/").to_owned(),
        format!("\"x\", {tag}"),
        "*".to_owned(),
    ] {
        let again = with_tag(&mut ada, path, &known).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(
            (again.body.as_str(), &again.headers["etag"]),
            ("", &first.headers["etag"])
        );
    }
    let other = with_tag(&mut ada, path, "\"x\"").await;
    assert_eq!((other.status, &other.body), (StatusCode::OK, &first.body));
    entries!(world, 1);
    let changed = with_tag(&mut ada, path, &tag).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_ne!(changed.headers["etag"], first.headers["etag"]);
    // Of another account the same address is another file.
    let mut eve = world.customer("eve@example.org").await;
    assert_eq!(with_tag(&mut eve, path, &tag).await.status, StatusCode::OK);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_formula_in_a_name_is_text(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("usage is put into the tables by hand");
    let mut ada = world.customer("ada@example.org").await;
    live(&world, 20).await;
    let path = "/usage.csv?range=own&from=2026-10-20&to=2026-11-05&group=image";
    let file = ada.get(path).await.body;
    assert!(file.contains(",'=cmd|' /C calc'!A0,"), "{file}");
    assert!(
        !file.contains(",=cmd") && !file.contains(",\"=cmd"),
        "{file}"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_file_holds_every_series_and_adds_up_to_the_page(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("usage is put into the tables by hand");
    let mut ada = world.customer("ada@example.org").await;
    live(&world, 60).await;
    let words = "range=own&from=2026-10-20&to=2026-11-05&group=sandbox&hide_zero=yes";
    let file = json(&mut ada, &format!("/usage.json?{words}")).await;
    let series = file["series"].as_array().unwrap();
    let ran = world.count(
        "SELECT count(DISTINCT sandbox_id) FROM slices
         WHERE hour_at >= '2026-10-20T00:00Z' AND hour_at < '2026-11-06T00:00Z'",
    );
    assert_eq!(i64::try_from(series.len()).unwrap(), ran.await);
    assert!(series.len() > 8, "{}", series.len());
    let named = series
        .iter()
        .all(|one| one["series"].as_str().unwrap().starts_with("run"));
    assert!(named, "nothing is folded: {series:?}");
    let ticks = |cell: &Value| cell["ticks"].as_str().unwrap().parse::<i128>().unwrap();
    let cells = file["buckets"].as_array().unwrap().iter();
    let cells = cells.flat_map(|bucket| bucket["cells"].as_array().unwrap());
    assert_eq!(cells.map(ticks).sum::<i128>(), ticks(&file["total"]));
    let (rows, _) = table(&ada.get(&format!("/usage?{words}")).await.body);
    assert_eq!(
        rows.iter().map(|row| row.sum).sum::<i128>(),
        ticks(&file["total"])
    );
}

/// The addresses of all twins, each with what its rows are called.
pub fn addresses() -> Vec<(String, &'static str)> {
    let mut paths = Paths(Vec::new());
    each_twin(&mut paths);
    paths.0
}

struct Paths(Vec<(String, &'static str)>);

impl Visit for Paths {
    fn twin<T: Twin>(&mut self) {
        for ending in ["csv", "json"] {
            self.0.push((format!("{}.{ending}", T::PATH), T::ROWS));
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn every_twin_answers_its_owner_and_leads_a_stranger_away(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    let addresses = addresses();
    assert!(addresses.len() >= 4);
    for (path, rows) in addresses {
        world.browser().get(&path).await.leads_to("/sign-in");
        let file = ada.get(&path).await.at(&path);
        let disposition = file.headers["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment; filename=\""), "{path}");
        assert_eq!(file.headers["cache-control"], "no-store", "{path}");
        if path.ends_with(".json") {
            let file: Value = serde_json::from_str(&file.body).unwrap();
            assert!(
                file[rows].is_array() && file["cut"] == false,
                "{path}: {file}"
            );
        } else {
            // A byte order mark, so that Excel reads UTF-8.
            assert!(file.body.starts_with('\u{feff}'), "{path}");
            assert!(file.body.contains("\r\n"), "{path}");
        }
    }
}

/// Addresses that cannot be answered, each with the sentence that says so.
fn unanswerable() -> Vec<(String, &'static str, &'static str)> {
    let usage = [
        ("range=8d", "There is no such range."),
        (
            "range=own&from=2026-11-05&to=2026-10-20",
            "The last day lies before the first.",
        ),
        (
            "from=2026-11-05&to=2026-10-20",
            "The last day lies before the first.",
        ),
        (
            "range=own&from=2026-02-30&to=2026-03-01",
            "Enter the first day as a date",
        ),
        (
            "range=own&from=2020-01-01&to=2026-03-01",
            "longer than 400 days",
        ),
        ("range=7d&from=2026-01-01", "Days count only with"),
        ("metric=joy", "There is no such figure."),
        ("group=x", "cannot be grouped"),
        ("zone=Mars%2FBase", "no such time zone"),
        ("key=1", "A filter in the address"),
        ("hide_zero=maybe", "to hide what is zero"),
    ];
    let usage = usage.map(|(words, text)| ("/usage", words, text));
    let statement = [
        ("kind=gift", "There is no such kind of entry."),
        ("limit=0", "Enter the number of rows"),
        ("limit=x", "Enter the number of rows"),
        ("limit=-1", "Enter the number of rows"),
        ("after=MCAA", "This is no place in the list"),
        ("after=", "This is no place in the list"),
    ];
    let statement = statement.map(|(words, text)| ("/credit/statement", words, text));
    let mut cases: Vec<_> = usage
        .into_iter()
        .chain(statement)
        .map(|(path, words, text)| (path.to_owned(), words, text))
        .collect();
    // Whatever the file: derived from the routes, so that a new one is held to it.
    for (address, _) in addresses() {
        let path = address.rsplit_once('.').unwrap().0.to_owned();
        cases.push((
            path.clone(),
            "joy=1",
            "There is nothing here that `joy` asks for.",
        ));
        cases.push((path, "joy=1&joy=2", "`joy` is said more than once."));
    }
    cases
}

#[sqlx::test(migrations = "../migrations")]
async fn a_file_that_cannot_hold_what_is_asked_says_why(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    for (path, words, text) in unanswerable() {
        for ending in ["csv", "json"] {
            let address = format!("{path}.{ending}?{words}");
            let page = ada.get(&address).await;
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{address}");
            page.says(text);
            let request = Request::get(&address).body(Body::empty()).unwrap();
            let program = ada.send(request).await;
            assert_eq!(program.status, StatusCode::BAD_REQUEST, "{address}");
            assert!(
                program.body.contains(text) && !program.body.contains('<'),
                "{address}: {}",
                program.body
            );
            if ending == "json" {
                let told: Value = serde_json::from_str(&program.body).unwrap();
                assert!(told["problems"][0]["text"].is_string(), "{told}");
            }
        }
    }
}
