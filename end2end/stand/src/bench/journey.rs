//! Brings a dashboard to the state that is measured: one user with an account, a key, and sandboxes that have run. Goes
//! through the same forms as a person without scripts, and runs the real SDK.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;
use stand::environment::Environment;
use stand::http::{Answer, Ask, ask};
use stand::signals::Stop;

use crate::steps::step;

const PATIENCE: Duration = Duration::from_secs(10);
const PASSWORD: &str = "three quiet rivers meet";
/// How far a redirect may lead on.
const REDIRECTS_MAX: usize = 5;

/// What the SDK does, in order.
const STEPS: [&str; 5] = ["lifecycle", "lifecycle", "create", "create", "create"];

struct Browser<'a> {
    origin: &'a str,
    cookies: BTreeMap<String, String>,
}

/// Lives through the journey; gives the cookies of somebody who is signed in.
pub fn live(root: &Path, stop: &Stop, environment: &Environment) -> anyhow::Result<String> {
    let origin = environment.text("PUBLIC_ORIGIN");
    let mut browser = Browser {
        origin: &origin,
        cookies: BTreeMap::new(),
    };
    let email = format!("bench-{}@example.com", std::process::id());
    let who = format!("email={}", email.replace('@', "%40"));
    browser.post("/api/account/sign-up", &who)?;
    let link = mailed_link(&environment.text("MAIL_URL"), &email, &origin)?;
    browser.get(link.strip_prefix(&origin).unwrap_or(&link))?;
    let password = PASSWORD.replace(' ', "+");
    browser.post(
        "/api/account/open",
        &format!("password={password}&country=NL&terms=yes&aup=yes&dpa=yes&export_statement=yes"),
    )?;
    let page = browser.post("/api/key/create", "name=bench")?.body;
    let from = page
        .find("sk_live_")
        .context("no key on the page that shows it")?;
    let rest = page.get(from..).unwrap_or_default();
    let key: String = rest
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();

    // The key reaches the orchestrator through a job.
    stop.pause(Duration::from_secs(1));
    let sdk = environment
        .clone()
        .with("ISORUN_API_URL", &environment.text("SANDBOX_API_URL"))
        .with("ISORUN_API_KEY", &key);
    let folder = root.join("end2end");
    for one in STEPS {
        step(
            &folder,
            stop,
            &sdk,
            &["node_modules/node/bin/node", "sdk/journey.mjs", one],
        )?;
    }
    Ok(browser.cookie())
}

/// The link in the mail that follows a sign-up.
fn mailed_link(mail: &str, email: &str, origin: &str) -> anyhow::Result<String> {
    let url = format!("{mail}/api/mails?to={}", email.replace('@', "%40"));
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let answer: Value = serde_json::from_str(&ask(&url, Ask::default())?.body)?;
        let text = answer
            .pointer("/mails/0/text")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let mut words = text.split(|c: char| c.is_whitespace() || "<>\"".contains(c));
        if let Some(link) = words.find(|word| word.starts_with(origin)) {
            return Ok(link.to_owned());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    anyhow::bail!("the mail did not arrive within {} s", PATIENCE.as_secs())
}

impl Browser<'_> {
    fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send(path, None)
    }

    fn post(&mut self, path: &str, form: &str) -> anyhow::Result<Answer> {
        self.send(path, Some(form))
    }

    /// Sends with cookies, keeps those that come back, and goes where the answer leads.
    fn send(&mut self, path: &str, form: Option<&str>) -> anyhow::Result<Answer> {
        let (mut path, mut form) = (path.to_owned(), form);
        for _ in 0..REDIRECTS_MAX {
            let cookie = self.cookie();
            let headers = [
                ("Accept", "text/html"),
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Origin", self.origin),
                ("Sec-Fetch-Site", "same-origin"),
                ("Cookie", &cookie),
            ];
            let body = form.take().map(str::as_bytes);
            let url = format!("{}{path}", self.origin);
            let answer = ask(
                &url,
                Ask {
                    headers: &headers,
                    body,
                    patience: Some(PATIENCE),
                },
            )?;
            for (_, value) in answer
                .headers
                .iter()
                .filter(|(name, _)| name == "set-cookie")
            {
                let pair = value.split(';').next().unwrap_or_default();
                match pair.split_once('=') {
                    Some((name, "")) => drop(self.cookies.remove(name)),
                    Some((name, value)) => {
                        drop(self.cookies.insert(name.to_owned(), value.to_owned()))
                    }
                    None => {}
                }
            }
            match answer.header("location") {
                Some(to) => path = to.to_owned(),
                None => {
                    anyhow::ensure!(answer.status == 200, "{path} answered {}", answer.status);
                    return Ok(answer);
                }
            }
        }
        anyhow::bail!("{path} leads on and on")
    }

    fn cookie(&self) -> String {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }
}
