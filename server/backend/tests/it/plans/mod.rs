//! What a read costs does not depend on luck. The reads of pages run over an account of 6,000 sandboxes that PostgreSQL knows
//! nothing about: tables without statistics, plans made without looking at what is asked. PostgreSQL says how many rows each
//! step of each plan went through, and no step may go through more than some times the account. Work is counted, not time.

mod reader;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use backend::authority::actor::Actor;
use backend::{keys, testing};
use domain::moment::{DAY_MS, HOUR_MS};
use peers::orchestrator::{Appended, Kind, Stamp};
use serde_json::Value;
use sqlx::{Executor as _, PgPool};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use self::reader::Reader;
use crate::schema::queries::queries;
use crate::world::World;

const SANDBOXES: i64 = 6_000;
/// Sandboxes that run on.
const RUNNING: i64 = 300;
/// Rows that one step of a plan may go through: a bucket and a row of its own for each sandbox several times over. Each with
/// each other would be 36 million.
const ROWS_MAX: i64 = 20 * SANDBOXES;

/// Reads of an account's tables that no page asks here, and why they may be left out.
const NOT_ASKED: &[(&str, &str, &str)] = &[
    (
        "alerts/calendar/store.rs",
        "SELECT c.calendar_id",
        "a link's own read: one row by its token",
    ),
    (
        "alerts/recipients/store.rs",
        "SELECT m.user_id FROM memberships",
        "a change: the members of one account",
    ),
    (
        "alerts/recipients/store.rs",
        "SELECT recipient_id, confirmed_at",
        "a link's own read: one row by its token",
    ),
    (
        "alerts/recipients/store.rs",
        "SELECT count(*)",
        "a change: recipients are few, by their ceiling",
    ),
    (
        "alerts/recipients/store.rs",
        "SELECT 1 AS one",
        "a change: one row by its key",
    ),
    (
        "alerts/store.rs",
        "SELECT alert_id, delivered_at",
        "only with a webhook, which nobody has here",
    ),
    (
        "alerts/store.rs",
        "SELECT a.alert_id, a.kind",
        "a job: one row by its key",
    ),
    (
        "alerts/webhook/store.rs",
        "SELECT 1 AS one FROM accounts",
        "a change: one row by its key",
    ),
    (
        "overview/store.rs",
        "SELECT count(*)",
        "only while nothing may run",
    ),
    (
        "alerts/recipients/store.rs",
        "SELECT email",
        "a mail: one row by its key",
    ),
    (
        "metering/running.rs",
        "SELECT max(stopped_at)",
        "only while nothing may run",
    ),
    (
        "keys/store.rs",
        "SELECT name FROM keys",
        "a change: keys are few, by their ceiling",
    ),
    (
        "keys/store.rs",
        "SELECT count(*)",
        "a change: keys are few, by their ceiling",
    ),
    (
        "keys/store.rs",
        "SELECT sha256, region",
        "a job: one row by its key",
    ),
    (
        "keys/store.rs",
        "SELECT 1 AS one",
        "a change: one row by its key",
    ),
    (
        "sandboxes/store.rs",
        "SELECT sandbox_id FROM sandboxes",
        "only in an account's first hour",
    ),
    (
        "sandboxes/store.rs",
        "SELECT state FROM sandboxes",
        "a change: one row by its key",
    ),
];

/// What PostgreSQL told of each statement: its text and its plan.
#[derive(Clone, Default)]
struct Plans(Arc<Mutex<Vec<Value>>>);

impl<S: tracing::Subscriber> Layer<S> for Plans {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Message(String);
        impl tracing::field::Visit for Message {
            // As it is: what goes through `Debug` comes out in quotes, with its line ends written out.
            fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
                if field.name() == "message" {
                    value.clone_into(&mut self.0);
                }
            }

            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        if event.metadata().target() != "sqlx::postgres::notice" {
            return;
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        if let Some((_, plan)) = message.0.split_once("plan:\n") {
            let plan = serde_json::from_str(plan).unwrap();
            self.0.lock().unwrap().push(plan);
        }
    }
}

type Worst = BTreeMap<String, (i64, String)>;

impl Plans {
    /// Each statement with the step that went through the most rows.
    fn worst(&self) -> Worst {
        let mut worst = Worst::new();
        for plan in self.0.lock().unwrap().iter() {
            let text = plan["Query Text"].as_str().unwrap();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let found = largest(&plan["Plan"]);
            let known = worst.entry(text).or_default();
            *known = found.max(known.clone());
        }
        worst
    }
}

/// Reads of one account by pages that were not among the statements, but for those that may be left out.
fn unasked(worst: &Worst) -> Vec<String> {
    let mut unasked = Vec::new();
    for query in queries() {
        let reads = query.text.starts_with("SELECT") || query.text.starts_with("WITH");
        let writes = ["INSERT INTO ", "UPDATE ", "DELETE FROM "];
        let writes = writes.iter().any(|word| query.text.contains(word));
        let is_of_a_page = PAGES.iter().any(|folder| query.file.starts_with(folder));
        let may = NOT_ASKED
            .iter()
            .any(|(file, begins, _)| query.file == *file && query.text.starts_with(begins));
        if is_of_a_page
            && reads
            && !writes
            && !may
            && query.is_of_one_account()
            && !worst.contains_key(&query.text)
        {
            unasked.push(format!("{}: {}", query.file, query.text));
        }
    }
    unasked
}

/// The step of a plan that goes through the most rows, and how many.
fn largest(node: &Value) -> (i64, String) {
    // Averages over loops have decimals in later versions.
    let number = |name: &str| {
        let text = node[name].to_string();
        let whole = text
            .split('.')
            .next()
            .and_then(|whole| whole.parse::<i64>().ok());
        whole.map_or(0, |whole| whole + i64::from(text.contains('.')))
    };
    let each = number("Actual Rows")
        + number("Rows Removed by Filter")
        + number("Rows Removed by Join Filter")
        + number("Rows Removed by Index Recheck");
    let rows = each * number("Actual Loops").max(1);
    let name = format!("{} {}", node["Node Type"], node["Relation Name"]);
    let below = node["Plans"].as_array().into_iter().flatten().map(largest);
    below.fold((rows, name), std::cmp::Ord::max)
}

async fn seed(world: &World, actor: &Actor, keys: &[uuid::Uuid]) {
    let now = world.control().now().unwrap().0;
    let mut lives = Vec::new();
    for number in 0..SANDBOXES {
        // Over thirty days; each with an image of its own, so that what is summed is as much as what ran.
        let began = now - 30 * DAY_MS + number * (29 * DAY_MS / SANDBOXES);
        let say = |kind, at| Appended {
            account: Some(actor.account_id().0),
            sandbox_id: Some(format!("run{number:06}")),
            key_id: usize::try_from(number)
                .ok()
                .and_then(|at| keys.get(at % 20).copied()),
            kind: Some(kind),
            occurred_at: Some(Stamp(at)),
            image: Some(format!("image-{number}")),
            vcpus: Some(1 + number % 4),
            cpu_ms: Some(1),
            ..Appended::default()
        };
        lives.push(say(Kind::Created, began));
        if number < SANDBOXES - RUNNING {
            lives.push(say(Kind::Destroyed, began + HOUR_MS));
        }
    }
    world.control().append(lives).unwrap();
    for _ in 0..4 {
        world.meter().await;
    }
}

/// From here on each new connection plans without looking, and tells its plans.
async fn tell_plans(owner: &PgPool) {
    let sql = "DO $$
        DECLARE setting text;
        BEGIN
            FOREACH setting IN ARRAY ARRAY[
                'session_preload_libraries = auto_explain', 'auto_explain.log_min_duration = 0',
                'auto_explain.log_analyze = on', 'auto_explain.log_timing = off', 'auto_explain.log_format = json',
                'auto_explain.log_level = notice', 'plan_cache_mode = force_generic_plan'] LOOP
                EXECUTE format('ALTER DATABASE %I SET %s', current_database(), setting);
            END LOOP;
        END $$";
    owner.execute("LOAD 'auto_explain'").await.unwrap();
    owner.execute(sql).await.unwrap();
}

/// No statistics, as after hours in which tables grew faster than they were looked at.
async fn know_nothing(owner: &PgPool) {
    let sql = "DO $$
        DECLARE name text;
        BEGIN
            FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
                EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off)', name);
            END LOOP;
        END $$";
    owner.execute(sql).await.unwrap();
}

/// Folders whose reads are pages'.
const PAGES: [&str; 9] = [
    "usage/",
    "sandboxes/",
    "credit/",
    "ledger/statement/",
    "keys/",
    "overview/",
    "alerts/",
    "metering/live.rs",
    "metering/running.rs",
];

#[sqlx::test(migrations = "../../migrations")]
async fn no_read_depends_on_luck_with_statistics(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("no sandbox stands behind the events");
    know_nothing(&world.owner).await;
    world.control().set_speed(0).unwrap();
    let actor = world.customer("ada@example.org").await;
    let mut made = Vec::new();
    for number in 0..20 {
        let key = keys::create(&world.backend, &actor, &format!("key {number}"))
            .await
            .unwrap();
        made.push(key.key_id.0);
    }
    world.work().await;
    seed(&world, &actor, &made).await;
    let known = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM pg_stats WHERE tablename IN ('slices', 'sandboxes', 'intervals', 'usage_hours')"#
    );
    assert_eq!(
        known.fetch_one(&world.owner).await.unwrap(),
        0,
        "nothing is known"
    );
    tell_plans(&world.owner).await;
    let settings = testing::settings(&world.orchestrator.url(), &world.mail.smtp_url()).unwrap();
    let watched = testing::backend_of_owner(&world.owner, settings).unwrap();
    let reader = Reader {
        backend: &watched,
        actor: &actor,
    };
    let plans = Plans::default();
    {
        let _listening = tracing_subscriber::registry()
            .with(plans.clone())
            .set_default();
        reader.usage().await;
        reader.intervals().await;
        reader.sandboxes().await;
        reader.money().await;
        reader.the_rest().await;
    }
    watched.close().await;

    let worst = plans.worst();
    assert!(worst.len() > 40, "{} statements were told", worst.len());
    let most = worst.values().map(|(rows, _)| *rows).max().unwrap();
    assert!(most > SANDBOXES, "the account is as large as it should be");
    let bad: Vec<String> = worst
        .iter()
        .filter(|(_, (rows, _))| *rows > ROWS_MAX)
        .map(|(text, (rows, step))| format!("{rows} rows in {step}: {text}"))
        .collect();
    assert!(bad.is_empty(), "\n{}", bad.join("\n"));
    let unasked = unasked(&worst);
    assert!(unasked.is_empty(), "not asked:\n{}", unasked.join("\n"));
}
