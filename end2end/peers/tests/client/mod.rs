//! How the tests of this crate talk to the orchestrator: real HTTP, with every exchange kept for the contract check.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot set itself up has failed"
)]

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use peers::{
    contract::Exchange,
    orchestrator::{Options, Orchestrator},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub const CREDENTIAL: &str = "service-credential";
pub const KEY: &str = "sk_live_us_tests0000001_a-key-that-only-these-tests-know";

/// A directory of its own that is removed at the end of the test.
pub struct Dir(pub PathBuf);

impl Dir {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("peers-{}", Uuid::now_v7()));
        Self(path)
    }

    pub fn options(&self) -> Options {
        Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            dir: self.0.clone(),
            credential: CREDENTIAL.to_owned(),
            region: "us".to_owned(),
        }
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

pub struct Client {
    http: reqwest::Client,
    pub url: String,
    pub exchanges: Mutex<Vec<Exchange>>,
    commands: AtomicU64,
}

impl Client {
    pub fn new(url: String) -> Self {
        // Somebody else in this process may have been first; one provider is as good as the other.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        Self {
            http,
            url,
            exchanges: Mutex::default(),
            commands: AtomicU64::new(0),
        }
    }

    /// Sends and answers; `Err` if the connection ended without an answer.
    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&str>,
    ) -> Result<(u16, String), reqwest::Error> {
        let method = method.parse().expect("a method");
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(token);
        if path.starts_with("/internal/") {
            let number = self.commands.fetch_add(1, Ordering::Relaxed);
            request = request.header("idempotency-key", format!("test-{number}"));
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_owned());
        }
        let request = request.build()?;
        let mut exchange = Exchange {
            method: request.method().to_string(),
            path: request.url().path().to_owned(),
            query: request.url().query().unwrap_or_default().to_owned(),
            headers: request
                .headers()
                .keys()
                .map(|name| name.as_str().to_owned())
                .collect(),
            request: body.map(ToOwned::to_owned),
            status: 0,
            content_type: None,
            response: None,
        };
        let response = self.http.execute(request).await?;
        exchange.status = response.status().as_u16();
        let content_type = response
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok());
        exchange.content_type = content_type.map(ToOwned::to_owned);
        let text = response.text().await?;
        exchange.response = Some(text.clone());
        let status = exchange.status;
        self.exchanges.lock().expect("the exchanges").push(exchange);
        Ok((status, text))
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let body = body.map(|body| body.to_string());
        let (status, text) = self
            .try_send(method, path, token, body.as_deref())
            .await
            .expect("an answer");
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    pub async fn control(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.send(method, &format!("/internal/v1/{path}"), CREDENTIAL, body)
            .await
    }

    pub async fn public(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.send(method, &format!("/v1/{path}"), KEY, body).await
    }

    /// An active tenant with `KEY`.
    pub async fn tenant_with_key(&self) -> (Uuid, Uuid) {
        let (account, key_id) = (Uuid::now_v7(), Uuid::now_v7());
        let tenant = json!({"generation": 1, "state": "active"});
        assert_eq!(
            self.control("PUT", &format!("tenants/{account}"), Some(tenant))
                .await
                .0,
            200
        );
        let key = json!({"account": account, "sha256": sha256(KEY), "region": "us"});
        assert_eq!(
            self.control("PUT", &format!("keys/{key_id}"), Some(key))
                .await
                .0,
            200
        );
        (account, key_id)
    }

    /// A sandbox without an auto-destroy timer.
    pub async fn create(&self) -> String {
        let (status, run) = self
            .public("POST", "runs", Some(json!({"timeout": 0})))
            .await;
        assert_eq!(status, 201, "{run}");
        id(&run)
    }
}

pub fn id(run: &Value) -> String {
    run["id"].as_str().expect("an id").to_owned()
}

pub fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// An orchestrator whose clock stands still, so that every millisecond is one that the test let pass.
pub async fn frozen(dir: &Dir) -> (Orchestrator, Client) {
    let orchestrator = Orchestrator::start(dir.options())
        .await
        .expect("an orchestrator");
    orchestrator.control().set_speed(0).expect("a frozen clock");
    let client = Client::new(orchestrator.url());
    (orchestrator, client)
}
