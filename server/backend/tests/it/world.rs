//! The world a test lives in: one database, one orchestrator, one mail catcher, one backend; and a customer's steps.

use std::net::SocketAddr;

use backend::Backend;
use backend::actor::Actor;
use backend::service::{accounts, keys, sessions};
use backend::testing::{self, CREDENTIAL};
use backend::worker;
use domain::money::Ticks;
use peers::mail::{MailCatcher, Options as MailOptions};
use peers::orchestrator::{Control, Options, Orchestrator};
use serde_json::{Value, json};
use sqlx::PgPool;

pub struct World {
    pub backend: Backend,
    /// The database with the rights of its owner, for what no application may do.
    pub owner: PgPool,
    pub orchestrator: Orchestrator,
    pub mail: MailCatcher,
    pub dir: std::path::PathBuf,
    client: reqwest::Client,
}

fn free() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

impl World {
    pub async fn new(pool: PgPool) -> Self {
        let dir = std::env::temp_dir().join(format!("isorun-test-{}", backend::random::base62(16)));
        let options = Options {
            listen: free(),
            dir: dir.clone(),
            credential: CREDENTIAL.into(),
            region: "us".into(),
        };
        let orchestrator = Orchestrator::start(options).await.unwrap();
        let mail = MailCatcher::start(MailOptions {
            smtp: free(),
            http: free(),
        })
        .await
        .unwrap();
        let smtp = format!("smtp://127.0.0.1:{}", mail.smtp_port());
        let settings = testing::settings(&orchestrator.url(), &smtp).unwrap();
        let backend = testing::backend(pool.clone(), settings).unwrap();
        let patience = std::time::Duration::from_secs(10);
        let client = reqwest::Client::builder().timeout(patience);
        let client = client.build().unwrap();
        Self {
            backend,
            owner: pool,
            orchestrator,
            mail,
            dir,
            client,
        }
    }

    pub fn control(&self) -> Control {
        self.orchestrator.control()
    }

    /// Signs up, reads the mail, confirms.
    pub async fn customer(&self, email: &str) -> Actor {
        accounts::sign_up(&self.backend, sign_up(email))
            .await
            .unwrap();
        testing::drain_jobs(&self.backend).await.unwrap();
        let user_id = accounts::confirm_email(&self.backend, &self.token(email))
            .await
            .unwrap();
        testing::drain_jobs(&self.backend).await.unwrap();
        sessions::actor(&self.backend, user_id)
            .await
            .unwrap()
            .unwrap()
    }

    /// The token in the newest mail to an address.
    pub fn token(&self, email: &str) -> String {
        let mails = self.mail.mails();
        let mail = mails
            .iter()
            .filter(|mail| mail.to.iter().any(|to| to == email))
            .max_by_key(|mail| mail.received_at);
        let text = mail.unwrap().text.clone();
        text.split("/verify-email/")
            .nth(1)
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap()
            .to_owned()
    }

    /// A key that the orchestrator knows.
    pub async fn key(&self, actor: &Actor) -> String {
        let key = keys::create(&self.backend, actor, "ci").await.unwrap();
        testing::drain_jobs(&self.backend).await.unwrap();
        key.text.expose().to_owned()
    }

    /// Speaks to the public plane as the SDK does.
    pub async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        key: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request = self
            .client
            .request(method, format!("{}/v1/{path}", self.orchestrator.url()))
            .bearer_auth(key);
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

    pub async fn act(&self, key: &str, id: &str, verb: &str) {
        let (status, body) = self
            .call(
                reqwest::Method::POST,
                &format!("runs/{id}/{verb}"),
                key,
                None,
            )
            .await;
        assert!((200..300).contains(&status), "{verb}: {status} {body}");
    }

    pub async fn destroy(&self, key: &str, id: &str) {
        let (status, body) = self
            .call(reqwest::Method::DELETE, &format!("runs/{id}"), key, None)
            .await;
        assert!((200..300).contains(&status), "{status} {body}");
    }

    /// Pulls and settles until the figures are exact up to now.
    pub async fn meter(&self) {
        worker::meter(&self.backend).await.unwrap();
        worker::meter(&self.backend).await.unwrap();
    }

    /// What a sandbox must have cost by the orchestrator's own events: whole seconds on the absolute grid.
    pub fn due(&self, id: &str) -> Ticks {
        let mut ticks = 0_i128;
        let mut since: Option<i64> = None;
        for event in self
            .control()
            .events()
            .unwrap()
            .into_iter()
            .filter(|event| event.sandbox_id == id)
        {
            let event: Value = serde_json::to_value(event).unwrap();
            let at = time::OffsetDateTime::parse(
                event["occurred_at"].as_str().unwrap(),
                &time::format_description::well_known::Rfc3339,
            );
            let second = at.unwrap().unix_timestamp();
            let rate = 26_000 * 1_024 * event["vcpus"].as_i64().unwrap()
                + 15_000 * event["mem_mib"].as_i64().unwrap();
            match event["kind"].as_str().unwrap() {
                "created" | "resumed" => since = Some(second),
                "hibernated" | "destroyed" => {
                    if let Some(start) = since.take() {
                        ticks += i128::from(second - start) * 1_000 * i128::from(rate);
                    }
                }
                _ => {}
            }
        }
        Ticks::new(ticks).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

pub fn sign_up(email: &str) -> accounts::SignUp {
    accounts::SignUp {
        email: email.into(),
        password: "three quiet rivers meet".into(),
        country: "NL".into(),
        terms: true,
        aup: true,
        dpa: true,
        export_statement: true,
    }
}
