//! What breaks is told in the log: once, with the request or job it belongs to, its cause, its line of our source and the
//! verb that was under way.

use std::io;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use serde_json::Value;
use server::config::{Log, LogFormat};
use server::telemetry;
use sqlx::{AssertSqlSafe, PgPool};
use tracing::Level;

use crate::browser::Page;
use crate::world::World;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The errors that are logged on this thread meanwhile, in the format of production.
async fn errors_during<T>(work: impl Future<Output = T>) -> (T, Vec<Value>) {
    let written = Written::default();
    let writer = written.clone();
    let log = Log {
        level: Level::INFO,
        format: LogFormat::Json,
    };
    let guard = tracing::dispatcher::set_default(&telemetry::log(log, move || writer.clone()));
    let done = work.await;
    drop(guard);
    let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let errors = written
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["level"] == "ERROR")
        .collect();
    (done, errors)
}

/// Does this while the table is not where the application looks for it.
pub async fn without_table<T>(world: &World, table: &str, work: impl Future<Output = T>) -> T {
    rename(world, table, "away").await;
    let done = work.await;
    rename(world, "away", table).await;
    done
}

async fn rename(world: &World, from: &str, to: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a fault that no code of ours makes: the table is gone"
    )]
    let done = sqlx::query(AssertSqlSafe(format!("ALTER TABLE {from} RENAME TO {to}")))
        .execute(&world.owner)
        .await;
    done.unwrap();
}

/// The line says what broke, where and during what.
#[track_caller]
fn tells(line: &Value, table: &str, verb: &str) {
    let text = |name: &str| line[name].as_str().unwrap_or_default();
    assert!(text("cause").contains(table), "cause: {line}");
    assert_eq!(text("verb"), verb, "{line}");
    let mut place = text("place").split(':');
    let file = place.next().unwrap();
    assert!(
        file.starts_with("server/backend/src/") && file.ends_with(".rs"),
        "place: {line}"
    );
    assert!(
        place.next().unwrap().parse::<u32>().is_ok(),
        "place: {line}"
    );
}

/// Its own field, or that of the request's span around it.
fn request_id(line: &Value) -> Option<&str> {
    let spans = line["spans"].as_array().into_iter().flatten();
    let of_span = |span: &'_ Value| span["name"] == "request";
    line["request_id"]
        .as_str()
        .or_else(|| spans.into_iter().find(|span| of_span(span))?["request_id"].as_str())
}

#[track_caller]
fn one_line_of(page: &Page, errors: &[Value], table: &str, verb: &str) {
    let [line] = errors else {
        panic!("{} lines of {}: {errors:#?}", errors.len(), page.path)
    };
    tells(line, table, verb);
    let id = page.headers["x-request-id"].to_str().unwrap();
    assert_eq!(request_id(line), Some(id), "{line}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_broken_request_is_one_line_with_its_id_place_and_verb(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("ada@example.org").await;
    for (path, table, verb) in [
        ("/alerts", "webhooks", "alerts.read"),
        ("/live/overview", "sandboxes", "overview.figures"),
        ("/usage.csv", "usage_hours", "usage.breakdown"),
        ("/credit/statement.csv", "transfers", "statement.read"),
        ("/calendar/0123456789", "token_accounts", "calendar.feed"),
    ] {
        let asking = without_table(&world, table, browser.get(path));
        let (page, errors) = errors_during(asking).await;
        assert!(page.status.is_server_error(), "{path}: {}", page.status);
        assert!(!page.body.contains(table) || !page.body.contains("relation"));
        one_line_of(&page, &errors, table, verb);
    }

    let form = [("name", "ci")];
    let posting = without_table(&world, "keys", browser.post("/api/key/create", &form));
    let (page, errors) = errors_during(posting).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    one_line_of(&page, &errors, "keys", "keys.create");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_broken_job_is_one_line_with_its_id_and_place(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("ada@example.org").await;
    browser
        .post("/api/key/create", &[("name", "ci")])
        .await
        .leads_to("/keys/created");
    let (_, errors) = errors_during(without_table(&world, "keys", world.work())).await;
    let [line] = errors.as_slice() else {
        panic!("{errors:#?}")
    };
    tells(line, "keys", "");
    assert_eq!(line["job.kind"], "push-key", "{line}");
    assert!(line["job.id"].is_string(), "{line}");
    world.expect_leftover_jobs("it broke once and waits for its next try");
}
