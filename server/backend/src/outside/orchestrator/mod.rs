//! The client of the orchestrator's control plane (docs/orchestrator.yaml): every wait and every body is bounded, redirects
//! are off, and nothing it says is logged. Commands are called from jobs only; reads from the feed puller.

pub mod wire;

use std::time::Duration;

use domain::id::{AccountId, KeyId};
use domain::sandbox::SandboxId;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use url::Url;

use crate::failure::Broken;
use crate::outside::orchestrator::wire::{
    Conflict, FeedPage, KeyPut, LiveRuns, TenantPut, TimeoutPost,
};
use crate::settings::Settings;

/// Bytes of the largest answer that is read: a full page of the feed is near 1 MB.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How a call to the orchestrator fails, by what to do next. The names go into logs, metrics and `jobs.last_failure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No connection, no answer in time, or a connection cut: the effect is unknown, so commands are repeated.
    #[error("orchestrator unreachable")]
    Unreachable,
    /// It answered 5xx or 429: try again later.
    #[error("orchestrator busy or failing")]
    Failing,
    /// It answered something that the contract does not know.
    #[error("orchestrator answered out of contract")]
    Garbage,
    /// It does not know what the command refers to (yet): try again later.
    #[error("orchestrator does not know this id")]
    Unknown,
    /// It refuses the command for good.
    #[error("orchestrator refused the command")]
    Refused,
    /// It answered more than is read at once: ask for less.
    #[error("orchestrator answered too much at once")]
    TooLarge,
    /// The feed has another epoch than our cursor.
    #[error("feed epoch changed")]
    EpochChanged,
    /// The feed ends before our cursor.
    #[error("feed ends before what it said already")]
    CursorAhead,
}

/// The client. Cheap to clone; one connection pool.
#[derive(Clone)]
pub struct Orchestrator {
    client: Client,
    base: Url,
    credential: SecretString,
}

impl Orchestrator {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Broken> {
        // The first provider wins for the whole process; a second attempt only says that it is set.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(Duration::from_secs(30))
            .build()?;
        let base = settings.orchestrator_url.clone();
        Ok(Self {
            client,
            base,
            credential: settings.orchestrator_credential.clone(),
        })
    }

    /// Tells the state of a tenant. An older generation than the orchestrator's is ignored there.
    ///
    /// # Errors
    /// [`CallError`], by what to do next.
    pub async fn put_tenant(
        &self,
        account_id: AccountId,
        tenant: &TenantPut,
    ) -> Result<(), CallError> {
        let key = format!("tenant:{account_id}:{}", tenant.generation);
        self.command(
            Method::PUT,
            &format!("tenants/{account_id}"),
            &key,
            Some(tenant),
        )
        .await
    }

    /// Registers the hash of a key.
    ///
    /// # Errors
    /// [`CallError`], by what to do next.
    pub async fn put_key(&self, key_id: KeyId, key: &KeyPut) -> Result<(), CallError> {
        self.command(
            Method::PUT,
            &format!("keys/{key_id}"),
            &format!("key:{key_id}:put"),
            Some(key),
        )
        .await
    }

    /// Drops a key. Unknown is done.
    ///
    /// # Errors
    /// [`CallError`], by what to do next.
    pub async fn delete_key(&self, key_id: KeyId) -> Result<(), CallError> {
        self.command::<()>(
            Method::DELETE,
            &format!("keys/{key_id}"),
            &format!("key:{key_id}:delete"),
            None,
        )
        .await
    }

    /// Restarts the auto-destroy timer of a sandbox: it ends `timeout_s` seconds from now. The same `command` again, however
    /// late, changes nothing.
    ///
    /// # Errors
    /// [`CallError`], by what to do next.
    pub async fn set_timeout(
        &self,
        sandbox_id: &SandboxId,
        timeout_s: i64,
        command: &str,
    ) -> Result<(), CallError> {
        self.command(
            Method::POST,
            &format!("runs/{sandbox_id}/timeout"),
            command,
            Some(&TimeoutPost { timeout_s }),
        )
        .await
    }

    /// Reads the feed after a position; from the beginning when none is given.
    ///
    /// # Errors
    /// [`CallError`], by what to do next.
    pub async fn feed(
        &self,
        after: Option<(&str, i64)>,
        limit: u32,
    ) -> Result<FeedPage, CallError> {
        let mut url = self.url("feed")?;
        url.query_pairs_mut()
            .append_pair("limit", &limit.to_string());
        if let Some((epoch, seq)) = after {
            url.query_pairs_mut()
                .append_pair("after", &format!("{epoch}:{seq}"));
        }
        let response = self.send(self.client.get(url)).await?;
        if response.status() == StatusCode::CONFLICT {
            let said: Conflict =
                serde_json::from_slice(&read(response).await?).map_err(|_| CallError::Garbage)?;
            return Err(match said.error.as_str() {
                "epoch_changed" => CallError::EpochChanged,
                "cursor_ahead" => CallError::CursorAhead,
                _ => CallError::Garbage,
            });
        }
        check(response.status())?;
        let body = read(response).await?;
        FeedPage::parse(&body).ok_or(CallError::Garbage)
    }

    /// Reads which sandboxes of an account are not destroyed, and of which moment that is true.
    ///
    /// # Errors
    /// [`CallError`], by what to do next; [`CallError::Unknown`] when it does not know the account.
    pub async fn live_runs(&self, account_id: AccountId) -> Result<LiveRuns, CallError> {
        let url = self.url(&format!("tenants/{account_id}/runs"))?;
        let response = self.send(self.client.get(url)).await?;
        check(response.status())?;
        let body = read(response).await?;
        serde_json::from_slice(&body).map_err(|_| CallError::Garbage)
    }

    async fn command<T: Serialize>(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: Option<&T>,
    ) -> Result<(), CallError> {
        let mut request = self
            .client
            .request(method, self.url(path)?)
            .header("idempotency-key", key);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = self.send(request).await?;
        check(response.status())
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, CallError> {
        let request = request.bearer_auth(self.credential.expose_secret());
        request.send().await.map_err(|_| CallError::Unreachable)
    }

    fn url(&self, path: &str) -> Result<Url, CallError> {
        // Paths are built from ids of ours only, so joining can fail for no input of a customer.
        self.base
            .join(&format!("/internal/v1/{path}"))
            .map_err(|_| CallError::Refused)
    }
}

fn check(status: StatusCode) -> Result<(), CallError> {
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::NOT_FOUND => Err(CallError::Unknown),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Err(CallError::Failing),
        status if status.is_client_error() => Err(CallError::Refused),
        status if status.is_server_error() => Err(CallError::Failing),
        _ => Err(CallError::Garbage),
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| CallError::Unreachable)? {
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(CallError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
