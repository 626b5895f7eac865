//! Living through the plan: each step at its moment, and between them what the worker of the dashboard would have done. The
//! orchestrator's clock stands still and is moved; the backend's is set by it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use backend::Backend;
use backend::alerts::{calendar, recipients};
use backend::authority::actor::Actor;
use backend::clock::Clock;
use backend::sign_up::opening::{self, Opening};
use backend::sign_up::sign_up;
use backend::{keys, limit, testing};
use domain::id::KeyId;
use peers::orchestrator::{Appended, Control, Kind, Stamp};
use serde_json::{Value, json};
use stand::http::{Ask, ask};
use stand::say;
use time::{OffsetDateTime, Time};

use crate::plan::{DAYS, Deed, Life, Step, plan};

/// How often the worker's work is done, in milliseconds: often enough for every warning to come on its day.
const LOOK_MS: i64 = 3 * 3_600_000;
/// How often that which recurs is.
const RECUR_MS: i64 = 86_400_000;
/// How long a mail may take.
const MAIL_PATIENCE: Duration = Duration::from_secs(10);

/// The account and what it has, at the present moment of the orchestrator.
pub struct Past {
    backend: Backend,
    control: Control,
    url: String,
    mails: String,
    client: reqwest::Client,
    midnight: OffsetDateTime,
    end: OffsetDateTime,
    looked_at: i64,
    recurred_at: i64,
    keys: BTreeMap<&'static str, (KeyId, String)>,
    sandboxes: BTreeMap<&'static str, (&'static str, String)>,
}

fn plain<E: std::fmt::Display>(error: E) -> anyhow::Error {
    anyhow::anyhow!("{error}")
}

/// A refusal of what the plan says has no sentence of its own here.
fn refused<R: std::fmt::Debug>(failure: backend::failure::Failure<R>) -> anyhow::Error {
    anyhow::anyhow!("{failure:?}")
}

impl Past {
    /// Moves both clocks to the beginning.
    pub fn begin(
        backend: Backend,
        control: Control,
        url: String,
        mails: String,
    ) -> anyhow::Result<Self> {
        let end = Clock::system().now();
        let midnight = end.replace_time(Time::MIDNIGHT) - time::Duration::days(DAYS);
        let began = stamp(midnight);
        control.begin_at(began)?;
        control.set_speed(0)?;
        let client = reqwest::Client::builder().timeout(MAIL_PATIENCE).build()?;
        Ok(Self {
            backend,
            control,
            url,
            mails,
            client,
            midnight,
            end,
            looked_at: began.0,
            recurred_at: began.0,
            keys: BTreeMap::new(),
            sandboxes: BTreeMap::new(),
        })
    }

    /// Everything from sign-up to now.
    pub async fn live(&mut self, email: &str, password: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        self.reach(stamp(self.midnight + time::Duration::hours(9)))
            .await?;
        let actor = self.sign_up(email, password).await?;
        calendar::create(&self.backend, &actor)
            .await
            .map_err(refused)?;
        let steps = plan(self.midnight, self.end);
        let count = steps.len();
        for Step { at, deed } in steps {
            self.reach(stamp(at)).await?;
            self.perform(&actor, deed).await?;
        }
        // Up to this very moment, which has moved on meanwhile; from here on time passes by itself.
        self.reach(stamp(Clock::system().now())).await?;
        self.look().await?;
        self.recur().await?;
        self.reach(stamp(Clock::system().now())).await?;
        self.control.set_speed(1)?;
        say::say(format!(
            "{DAYS} days of {email} lived through in {} s: {count} steps",
            began.elapsed().as_secs()
        ));
        Ok(())
    }

    /// Lets time pass up to a moment, with the worker's work on the way.
    async fn reach(&mut self, to: Stamp) -> anyhow::Result<()> {
        while self.looked_at + LOOK_MS <= to.0 {
            let next = Stamp(self.looked_at + LOOK_MS);
            self.set(next)?;
            self.look().await?;
            if next.0 >= self.recurred_at + RECUR_MS {
                self.recur().await?;
            }
        }
        self.set(to)
    }

    fn set(&self, to: Stamp) -> anyhow::Result<()> {
        let now = self.control.now()?;
        self.control.advance_ms(to.since(now).max(0))?;
        let ahead = self.backend.clock().now() - moment(to)?;
        self.backend.clock().advance(-ahead);
        Ok(())
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        testing::turn(&self.backend).await.map_err(plain)?;
        self.looked_at = self.control.now()?.0;
        Ok(())
    }

    async fn recur(&mut self) -> anyhow::Result<()> {
        testing::recur(&self.backend).await.map_err(plain)?;
        self.recurred_at = self.control.now()?.0;
        Ok(())
    }

    async fn sign_up(&self, email: &str, password: &str) -> anyhow::Result<Actor> {
        let typed = Opening {
            password: password.to_owned(),
            country: "NL".to_owned(),
            terms: true,
            aup: true,
            dpa: true,
            export_statement: true,
            leaving: String::new(),
        };
        sign_up(&self.backend, email).await.map_err(refused)?;
        let token = self.token(email, "/open-account/").await?;
        let user_id = opening::open(&self.backend, &token, None, typed)
            .await
            .map_err(refused)?;
        testing::turn(&self.backend).await.map_err(plain)?;
        testing::actor(&self.backend, user_id).await.map_err(plain)
    }

    /// The token behind a path in the newest mail to an address, once its job has run.
    async fn token(&self, email: &str, path: &str) -> anyhow::Result<String> {
        testing::drain_jobs(&self.backend).await.map_err(plain)?;
        let url = format!("{}/api/mails?to={}", self.mails, email.replace('@', "%40"));
        let answer = tokio::task::spawn_blocking(move || ask(&url, Ask::default())).await??;
        let answer: Value = serde_json::from_str(&answer.body)?;
        let mails = answer["mails"].as_array().context("no mails")?;
        let texts = mails.iter().filter_map(|mail| mail["text"].as_str());
        let mut rests = texts.filter_map(|text| text.split(path).nth(1));
        let rest = rests
            .next()
            .with_context(|| format!("no mail to {email} with {path}"))?;
        Ok(rest
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned())
    }

    async fn perform(&mut self, actor: &Actor, deed: Deed) -> anyhow::Result<()> {
        match deed {
            Deed::Key(name) => {
                let key = keys::create(&self.backend, actor, name)
                    .await
                    .map_err(refused)?;
                self.keys
                    .insert(name, (key.key_id, key.text.expose().to_owned()));
                // From here on the orchestrator lets it in.
                testing::drain_jobs(&self.backend).await.map_err(plain)
            }
            Deed::Revoke(name) => {
                let (key_id, _) = self.key(name)?;
                keys::revoke(&self.backend, actor, *key_id)
                    .await
                    .map_err(refused)?;
                testing::drain_jobs(&self.backend).await.map_err(plain)
            }
            Deed::Limit(dollars) => limit::set(&self.backend, actor, dollars)
                .await
                .map_err(refused),
            Deed::Recipient(email) => {
                recipients::add(&self.backend, actor, email)
                    .await
                    .map_err(refused)?;
                let token = self.token(email, "/alert-recipient/").await?;
                recipients::agree(&self.backend, &token)
                    .await
                    .map_err(refused)
            }
            Deed::Start(life) => self.start(life).await,
            Deed::Sleep(name) => self.turn(name, "hibernate").await,
            Deed::Wake(name) => self.turn(name, "resume").await,
            Deed::Lose(name) => self.say(actor, name, Kind::Unreachable),
            Deed::Find(name) => self.say(actor, name, Kind::Reachable),
        }
    }

    fn key(&self, name: &str) -> anyhow::Result<&(KeyId, String)> {
        self.keys
            .get(name)
            .with_context(|| format!("there is no key {name}"))
    }

    fn sandbox(&self, name: &str) -> anyhow::Result<&(&'static str, String)> {
        self.sandboxes
            .get(name)
            .with_context(|| format!("there is no sandbox {name}"))
    }

    async fn start(&mut self, life: Life) -> anyhow::Result<()> {
        let body = json!({
            "image": life.image, "vcpus": life.vcpus, "mem_mib": life.gib * 1_024, "timeout": life.timeout_s,
        });
        let run = self.call(life.key, "runs", Some(body)).await?;
        if let Some(name) = life.name {
            let id = run["id"].as_str().context("a sandbox without an id")?;
            self.sandboxes.insert(name, (life.key, id.to_owned()));
        }
        Ok(())
    }

    async fn turn(&self, name: &str, verb: &str) -> anyhow::Result<()> {
        let (key, id) = self.sandbox(name)?;
        self.call(key, &format!("runs/{id}/{verb}"), None)
            .await
            .map(drop)
    }

    /// Speaks to the public plane as the SDK does.
    async fn call(&self, key: &str, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let (_, key) = self.key(key)?;
        let request = self
            .client
            .post(format!("{}/v1/{path}", self.url))
            .bearer_auth(key);
        let request = request.json(&body.unwrap_or_else(|| json!({})));
        let answer = request.send().await?;
        let status = answer.status();
        let answer: Value = answer.json().await?;
        anyhow::ensure!(
            status.is_success(),
            "{path} at {}: {status} {answer}",
            self.control.now()?
        );
        Ok(answer)
    }

    /// What only the orchestrator can say of a sandbox.
    fn say(&self, actor: &Actor, name: &str, kind: Kind) -> anyhow::Result<()> {
        let (_, id) = self.sandbox(name)?;
        let event = Appended {
            account: Some(actor.account_id().0),
            sandbox_id: Some(id.clone()),
            kind: Some(kind),
            ..Appended::default()
        };
        self.control.append(vec![event])?;
        Ok(())
    }
}

/// A moment as the orchestrator writes it.
fn stamp(at: OffsetDateTime) -> Stamp {
    let ms = at.unix_timestamp_nanos().div_euclid(1_000_000);
    Stamp(i64::try_from(ms).unwrap_or(i64::MAX))
}

fn moment(at: Stamp) -> anyhow::Result<OffsetDateTime> {
    Ok(OffsetDateTime::from_unix_timestamp_nanos(
        i128::from(at.0) * 1_000_000,
    )?)
}
