//! The world a test lives in: one database, the outside, one backend; a customer's steps; and at its end the proof that nothing
//! was left undone and nothing is wrong in the books. What a test is about stays in the test.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::ops::Deref;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use backend::Backend;
use backend::authority::actor::Actor;
use backend::authority::view::View;
use backend::failure::Failure;
use backend::settings::Settings;
use backend::sign_up::opening::{self, Opening};
use backend::sign_up::sign_up;
use backend::testing::{self, Leftovers};
use backend::{keys, worker};
use domain::key::KeyRefusal;
use domain::money::Ticks;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::outside::Outside;

/// A password that is long enough and on no list.
pub const PASSWORD: &str = "three quiet rivers meet";
/// How long looking at the end may take.
const END_PATIENCE: Duration = Duration::from_secs(60);

/// One database, the outside and a backend between them. It derefs to [`Outside`].
///
/// When it is dropped, and the test has not failed already, the jobs that are due run, every check runs, and the test fails if a
/// job is left over or died or a check has found something; unless it said why that must be so.
pub struct World {
    /// The backend's side, with the rights of the application.
    pub backend: Backend,
    /// The database with the rights of its owner, for what no application may do.
    pub owner: PgPool,
    outside: Outside,
    client: reqwest::Client,
    expected: Mutex<Expected>,
}

/// What a test said must be left at its end.
#[derive(Clone, Copy, Debug, Default)]
struct Expected {
    jobs: bool,
    findings: bool,
    unreadable: bool,
}

impl Deref for World {
    type Target = Outside;

    fn deref(&self) -> &Outside {
        &self.outside
    }
}

impl World {
    /// A world on the database of a `#[sqlx::test]`.
    pub async fn new(pool: PgPool) -> Self {
        Self::with(pool, |_| ()).await
    }

    /// The same with other settings.
    pub async fn with(pool: PgPool, change: impl FnOnce(&mut Settings)) -> Self {
        let outside = Outside::start().await.unwrap();
        let mut settings =
            testing::settings(&outside.orchestrator.url(), &outside.mail.smtp_url()).unwrap();
        change(&mut settings);
        let backend = testing::backend(pool.clone(), settings).unwrap();
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        Self {
            backend,
            owner: pool,
            outside,
            client,
            expected: Mutex::default(),
        }
    }

    /// Jobs are left over or dead at the end of this test, and `why`.
    pub fn expect_leftover_jobs(&self, why: &'static str) {
        self.expect(why, |expected| expected.jobs = true);
    }

    /// Checks find something at the end of this test, and `why`.
    pub fn expect_findings(&self, why: &'static str) {
        self.expect(why, |expected| expected.findings = true);
    }

    /// The database cannot be read as usual at the end of this test, and `why`.
    pub fn expect_nothing_to_read(&self, why: &'static str) {
        self.expect(why, |expected| expected.unreadable = true);
    }

    fn expect(&self, why: &'static str, note: impl FnOnce(&mut Expected)) {
        assert!(!why.is_empty(), "say why");
        note(&mut self.expected.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Lets every due job run.
    pub async fn work(&self) {
        testing::drain_jobs(&self.backend).await.unwrap();
    }

    /// Pulls and settles until the figures are exact up to now.
    pub async fn meter(&self) {
        worker::meter(&self.backend).await.unwrap();
        worker::meter(&self.backend).await.unwrap();
    }

    /// Signs up, reads the mail, opens the account.
    pub async fn customer(&self, email: &str) -> Actor {
        sign_up(&self.backend, email).await.unwrap();
        self.work().await;
        let token = self.token(email);
        let opened = opening::open(&self.backend, &token, None, opening());
        let user_id = opened.await.unwrap();
        self.work().await;
        testing::actor(&self.backend, user_id).await.unwrap()
    }

    /// A snapshot in the name of somebody, as each answer has one.
    pub async fn view(&self, actor: &Actor) -> View {
        actor.view(&self.backend).await.unwrap()
    }

    /// The token in the newest mail to an address.
    #[must_use]
    pub fn token(&self, email: &str) -> String {
        let token = self.outside.token(email);
        token.unwrap_or_else(|| panic!("no mail to {email} with a link"))
    }

    /// A key that the orchestrator knows.
    pub async fn key(&self, actor: &Actor) -> String {
        let (mut name, mut number) = ("ci".to_owned(), 1);
        // No two live keys have the same name; no test makes many.
        let key = loop {
            match keys::create(&self.backend, actor, &name).await {
                Err(Failure::Refused(KeyRefusal::NameTaken)) if number < 20 => number += 1,
                made => break made.unwrap(),
            }
            name = format!("ci {number}");
        };
        self.work().await;
        key.text.expose().to_owned()
    }

    /// Speaks to the public plane as the SDK does; status and answer.
    pub async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        key: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let url = format!("{}/v1/{path}", self.orchestrator.url());
        let mut request = self.client.request(method, url).bearer_auth(key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or(Value::Null))
    }

    /// Starts a sandbox of the default size; its id.
    pub async fn start(&self, key: &str) -> String {
        let body = json!({ "image": "node:22", "vcpus": 1, "mem_mib": 1024, "timeout": 0 });
        let (status, run) = self
            .call(reqwest::Method::POST, "runs", key, Some(body))
            .await;
        assert!((200..300).contains(&status), "{status} {run}");
        run["id"].as_str().unwrap().to_owned()
    }

    /// Does something to a sandbox, such as `hibernate`.
    pub async fn act(&self, key: &str, id: &str, verb: &str) {
        let path = format!("runs/{id}/{verb}");
        let (status, body) = self.call(reqwest::Method::POST, &path, key, None).await;
        assert!((200..300).contains(&status), "{verb}: {status} {body}");
    }

    pub async fn destroy(&self, key: &str, id: &str) {
        let (status, body) = self
            .call(reqwest::Method::DELETE, &format!("runs/{id}"), key, None)
            .await;
        assert!((200..300).contains(&status), "{status} {body}");
    }

    /// What a sandbox must have cost by the orchestrator's own events.
    #[must_use]
    pub fn due(&self, id: &str) -> Ticks {
        let events = self.control().events().unwrap();
        Ticks::new(crate::world::due(&events, id).0).unwrap()
    }
}

/// What a sandbox must have cost by the orchestrator's own events, in ticks, whole seconds on the absolute grid; and whether it
/// still runs, which is not part of it.
#[must_use]
pub fn due(events: &[peers::orchestrator::Event], id: &str) -> (i128, bool) {
    let mut ticks = 0_i128;
    let mut since = None;
    for event in events.iter().filter(|event| event.sandbox_id == id) {
        let second = event.occurred_at.0.div_euclid(1_000);
        let rate = 26_000 * 1_024 * i128::from(event.vcpus) + 15_000 * i128::from(event.mem_mib);
        match serde_json::to_value(&event.kind).unwrap().as_str().unwrap() {
            "created" | "resumed" => since = Some(second),
            "hibernated" | "destroyed" => {
                if let Some(start) = since.take() {
                    ticks += i128::from(second - start) * 1_000 * rate;
                }
            }
            _ => {}
        }
    }
    (ticks, since.is_some())
}

/// What is typed to open an account, and in order.
#[must_use]
pub fn opening() -> Opening {
    Opening {
        password: PASSWORD.into(),
        country: "NL".into(),
        terms: true,
        aup: true,
        dpa: true,
        export_statement: true,
        leaving: String::new(),
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let expected = *self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        if std::thread::panicking() || expected.unreadable {
            return;
        }
        let left = leftovers(&self.backend);
        assert!(
            expected.jobs || left.jobs.is_empty(),
            "jobs are left over at the end of the test: {:#?}",
            left.jobs
        );
        assert!(
            expected.findings || left.findings.is_empty(),
            "the checks find something at the end of the test: {:#?}",
            left.findings
        );
    }
}

/// Asked on a thread with a runtime of its own: the test's may be the one that drops the world, and cannot wait for itself.
fn leftovers(backend: &Backend) -> Leftovers {
    let backend = backend.clone();
    let asking = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let looking = testing::leftovers(&backend);
            tokio::time::timeout(END_PATIENCE, looking)
                .await
                .unwrap_or_else(|_| panic!("looking at the end of the test takes too long"))
                .unwrap()
        })
    });
    asking
        .join()
        .unwrap_or_else(|_| panic!("the end of the test could not be looked at"))
}
