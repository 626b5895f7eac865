//! One customer on the journey, as a state machine that repeats a step until it is acknowledged, as people and SDKs do.

use std::collections::BTreeMap;
use std::time::Duration;

use peers::mail::MailCatcher;
use peers::orchestrator::Orchestrator;
use serde_json::{Value, json};

const PASSWORD: &str = "three quiet rivers meet";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    SignUp,
    Open,
    SignIn,
    CreateKey,
    Start,
    Hibernate,
    Resume,
    Destroy,
    Done,
}

pub struct Customer {
    email: String,
    step: Step,
    keys_tried: u32,
    cookies: BTreeMap<String, String>,
    key: String,
    sandbox: String,
    client: reqwest::Client,
}

impl std::fmt::Debug for Customer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {:?}", self.email, self.step)
    }
}

impl Customer {
    pub fn new(number: u32) -> Self {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(5))
            .build()
            .unwrap();
        Self {
            email: format!("customer{number}@example.org"),
            step: Step::SignUp,
            keys_tried: 0,
            cookies: BTreeMap::new(),
            key: String::new(),
            sandbox: String::new(),
            client,
        }
    }

    pub fn is_done(&self) -> bool {
        self.step == Step::Done
    }

    /// True once they hold a key, and start sandboxes as the test tells them.
    pub fn has_key(&self) -> bool {
        !self.key.is_empty()
    }

    pub fn email(&self) -> &str {
        &self.email
    }

    /// Starts a sandbox of a size; its id, or the status of the refusal.
    pub async fn start_sized(
        &self,
        orchestrator: &Orchestrator,
        (vcpus, mem_mib): (u32, u32),
    ) -> Result<String, u16> {
        let body = json!({ "image": "node:22", "vcpus": vcpus, "mem_mib": mem_mib, "timeout": 0 });
        let request = self
            .client
            .post(format!("{}/v1/runs", orchestrator.url()))
            .bearer_auth(&self.key)
            .json(&body);
        let answer = request.send().await.unwrap();
        if !answer.status().is_success() {
            return Err(answer.status().as_u16());
        }
        let run: Value = answer.json().await.unwrap();
        Ok(run["id"].as_str().unwrap().to_owned())
    }

    /// Does something to a sandbox, such as `hibernate`.
    pub async fn turn(&self, orchestrator: &Orchestrator, id: &str, verb: &str) {
        let path = format!("/{id}/{verb}");
        self.call(orchestrator, "POST", &path, None).await.unwrap();
    }

    /// The same for what may be refused.
    pub async fn try_turn(&self, orchestrator: &Orchestrator, id: &str, verb: &str) {
        let path = format!("/{id}/{verb}");
        let _ = self.call(orchestrator, "POST", &path, None).await;
    }

    /// Tries the next step once; without an acknowledgement it is tried again later.
    pub async fn step(&mut self, url: &str, orchestrator: &Orchestrator, mail: &MailCatcher) {
        let next = match self.step {
            Step::SignUp => self.sign_up(url).await.map(|()| Step::Open),
            Step::Open => self.open(url, mail).await.map(|()| Step::SignIn),
            Step::SignIn => self.sign_in(url).await.map(|()| Step::CreateKey),
            Step::CreateKey => self.create_key(url).await.map(|()| Step::Start),
            Step::Start => self.start(orchestrator).await.map(|()| Step::Hibernate),
            Step::Hibernate => self
                .act(orchestrator, "POST", "/hibernate")
                .await
                .map(|()| Step::Resume),
            Step::Resume => self
                .act(orchestrator, "POST", "/resume")
                .await
                .map(|()| Step::Destroy),
            Step::Destroy => self
                .act(orchestrator, "DELETE", "")
                .await
                .map(|()| Step::Done),
            Step::Done => None,
        };
        self.step = next.unwrap_or(self.step);
    }

    async fn sign_up(&mut self, url: &str) -> Option<()> {
        let email = self.email.clone();
        let fields = [("email", email.as_str())];
        (self.post(url, "/api/account/sign-up", &fields).await?.0 == "/check-mail").then_some(())
    }

    async fn open(&mut self, url: &str, mail: &MailCatcher) -> Option<()> {
        let mails = mail.mails();
        let mine = mails
            .iter()
            .find(|mail| mail.to.contains(&self.email) && mail.text.contains("/open-account/"))?;
        let token = mine
            .text
            .split("/open-account/")
            .nth(1)?
            .split_whitespace()
            .next()?;
        self.get(url, &format!("/open-account/{token}")).await?;
        let fields = [
            ("password", PASSWORD),
            ("country", "NL"),
            ("terms", "yes"),
            ("aup", "yes"),
            ("dpa", "yes"),
            ("export_statement", "yes"),
        ];
        let (to, _) = self.post(url, "/api/account/open", &fields).await?;
        // After a kill between commit and answer the account is open already; signing in then shows it.
        (to == "/overview" || to == "/open-account").then_some(())
    }

    async fn sign_in(&mut self, url: &str) -> Option<()> {
        let email = self.email.clone();
        let fields = [("email", email.as_str()), ("password", PASSWORD)];
        (self.post(url, "/api/session/sign-in", &fields).await?.0 == "/overview").then_some(())
    }

    async fn create_key(&mut self, url: &str) -> Option<()> {
        // After a kill between commit and answer there is a key that nobody has seen, and its name is taken.
        self.keys_tried += 1;
        let name = format!("ci {}", self.keys_tried);
        let (to, _) = self
            .post(url, "/api/key/create", &[("name", &name)])
            .await?;
        if to == "/sign-in" {
            self.step = Step::SignIn;
            return None;
        }
        let (_, page) = self.get(url, "/keys/created").await?;
        let start = page.find("sk_live_us_")?;
        self.key = page[start..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        Some(())
    }

    async fn start(&mut self, orchestrator: &Orchestrator) -> Option<()> {
        let body = json!({ "image": "node:22", "vcpus": 2, "mem_mib": 1_536, "timeout": 0 });
        let run = self.call(orchestrator, "POST", "", Some(body)).await?;
        run["id"].as_str()?.clone_into(&mut self.sandbox);
        Some(())
    }

    async fn act(&mut self, orchestrator: &Orchestrator, method: &str, verb: &str) -> Option<()> {
        let path = format!("/{}{verb}", self.sandbox);
        self.call(orchestrator, method, &path, None)
            .await
            .map(|_| ())
    }

    async fn call(
        &self,
        orchestrator: &Orchestrator,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Option<Value> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .client
            .request(method, format!("{}/v1/runs{path}", orchestrator.url()))
            .bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.ok()?;
        if answer.status().is_success() {
            Some(answer.json().await.unwrap_or(Value::Null))
        } else {
            None
        }
    }

    async fn get(&mut self, url: &str, path: &str) -> Option<(String, String)> {
        let request = self
            .client
            .get(format!("{url}{path}"))
            .header("sec-fetch-site", "none");
        self.send(request).await
    }

    async fn post(
        &mut self,
        url: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Option<(String, String)> {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", value.replace(' ', "+").replace('@', "%40")))
            .collect();
        let request = self
            .client
            .post(format!("{url}{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html")
            .header("origin", url)
            .header("sec-fetch-site", "same-origin")
            .body(body.join("&"));
        self.send(request).await
    }

    /// Sends with cookies and keeps those that come back; where it leads and what it says.
    async fn send(&mut self, request: reqwest::RequestBuilder) -> Option<(String, String)> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = request
            .header("cookie", cookies.join("; "))
            .send()
            .await
            .ok()?;
        if answer.status().is_server_error() {
            return None;
        }
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().ok()?.split(';').next()?;
            let (name, value) = pair.split_once('=')?;
            if value.is_empty() {
                self.cookies.remove(name)
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned())
            };
        }
        let to = answer
            .headers()
            .get("location")
            .and_then(|to| to.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        Some((to, answer.text().await.ok()?))
    }
}
