//! `stand run`, `dev` and `demo`: from a checkout to a dashboard that works, and everything it needs beside it. Runs until
//! Ctrl-C or until one of the programs ends; then all of them are stopped.
//!
//! Each address can be changed by the environment: LISTEN_ADDR, METRICS_ADDR, ORCHESTRATOR_URL, SMTP_URL, MAIL_URL. An
//! ORCHESTRATOR_URL or SMTP_URL that is not on this machine is used as it is, and nothing is started for it.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use stand::address::{authority, is_loopback, is_taken};
use stand::environment::{Environment, random_secret};
use stand::program::{Log, Program};
use stand::say;
use stand::signals::Stop;

use super::watch;
use crate::crew::Crew;
use crate::parts::Places;
use crate::postgres::Postgres;
use crate::steps::{Stopped, step};

/// How often it is looked whether a program has ended or a file has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The database of `make demo`, made anew each time.
const DEMO_DATABASE: &str = "isorun_demo";
/// Who signs in to the demonstration.
const DEMO_EMAIL: &str = "robin@ferrywork.example";
const DEMO_PASSWORD: &str = "three quiet rivers meet";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What was there last time goes on.
    Run,
    /// And every change is built.
    Dev,
    /// On a database of its own, with a past.
    Demo,
}

pub fn run(root: &Path, stop: &Stop, kind: Kind) -> anyhow::Result<ExitCode> {
    let data = root.join(if kind == Kind::Demo {
        ".data/demo"
    } else {
        ".data"
    });
    let mut places = Places::new(root, "debug", &data)?;
    let mut environment = configuration(root)?;
    if let Some(dir) = environment.get("PEER_DIR").filter(|_| kind != Kind::Demo) {
        places.orchestrator = root.join(dir);
    }
    let asked = Asked::of(&environment);
    if kind == Kind::Demo {
        anyhow::ensure!(
            asked.own_orchestrator && asked.own_mail,
            "A past is made with the orchestrator and the mail catcher of this checkout: leave ORCHESTRATOR_URL and SMTP_URL on this machine."
        );
    }
    // Asked before the build, so that nobody waits for minutes to hear it.
    require_free(&environment, asked)?;
    let began = Instant::now();

    say::heading("PostgreSQL");
    let postgres = Postgres::start(root, "run")?;
    let database = match kind {
        Kind::Run | Kind::Dev => postgres.url()?,
        Kind::Demo => postgres.fresh(DEMO_DATABASE)?,
    };
    environment.set("DATABASE_URL", &database);
    // The query macros are checked against .sqlx/, not against whatever that database looks like now.
    environment.set("SQLX_OFFLINE", "true");
    build(root, stop, &environment, kind)?;

    say::heading("Start");
    require_free(&environment, asked)?;
    let mut crew = Crew::new(stop.clone());
    let mut stand = Stand {
        root,
        stop,
        kind,
        places,
        environment,
        asked,
    };
    let ended = stand.start(&mut crew).and_then(|()| {
        stand.tell(began);
        stand.watch(&mut crew)
    });
    if !crew.is_empty() {
        say::say("\nStopping");
    }
    crew.stop_all();
    drop(postgres);
    ended
}

fn build(root: &Path, stop: &Stop, environment: &Environment, kind: Kind) -> anyhow::Result<()> {
    say::heading("Server and peers");
    step(
        root,
        stop,
        environment,
        &["cargo", "build", "-p", "server", "-p", "peers"],
    )?;
    if kind == Kind::Demo {
        // Apart from the server: with it, the server would get the test features that a movable clock needs.
        step(
            root,
            stop,
            environment,
            &[
                "cargo",
                "build",
                "-p",
                "stand",
                "--features",
                "world",
                "--bin",
                "past",
            ],
        )?;
    }
    say::heading("Browser files");
    step(root, stop, environment, &[".ci/assets.sh"])
}

/// What is started, besides the dashboard.
#[derive(Clone, Copy)]
struct Asked {
    own_orchestrator: bool,
    own_mail: bool,
}

impl Asked {
    fn of(environment: &Environment) -> Self {
        Self {
            own_orchestrator: is_loopback(&environment.text("ORCHESTRATOR_URL")),
            own_mail: is_loopback(&environment.text("SMTP_URL")),
        }
    }
}

struct Stand<'a> {
    root: &'a Path,
    stop: &'a Stop,
    kind: Kind,
    places: Places,
    environment: Environment,
    asked: Asked,
}

impl Stand<'_> {
    fn start(&mut self, crew: &mut Crew) -> anyhow::Result<()> {
        if self.asked.own_mail {
            self.places.start_mail_catcher(crew, &self.environment)?;
        }
        let migrate = self
            .places
            .programs
            .join("isorun-dashboard")
            .display()
            .to_string();
        step(
            self.root,
            self.stop,
            &self.environment,
            &[&migrate, "migrate"],
        )?;
        if self.kind == Kind::Demo {
            self.live_through_the_past()?;
        }
        if self.asked.own_orchestrator {
            self.places.start_orchestrator(crew, &self.environment)?;
        }
        self.places
            .start_dashboard(crew, self.dashboard(), &self.environment)
    }

    fn dashboard(&self) -> Program {
        self.places
            .dashboard(&self.environment, &["serve"])
            .log(Log::Terminal)
    }

    /// Has the program `past` make the account, on an orchestrator that has the state which the real one then goes on from.
    fn live_through_the_past(&mut self) -> anyhow::Result<()> {
        let dir = &self.places.orchestrator;
        if dir.exists() {
            std::fs::remove_dir_all(dir).with_context(|| dir.display().to_string())?;
        }
        let environment = self
            .environment
            .clone()
            .with("PEER_DIR", &dir.display().to_string());
        let past = self.places.programs.join("past").display().to_string();
        step(
            self.root,
            self.stop,
            &environment,
            &[&past, DEMO_EMAIL, DEMO_PASSWORD],
        )
    }

    fn tell(&self, began: Instant) {
        let of = |name| self.environment.text(name);
        say::say("");
        say::bold(&format!("Dashboard     {}", of("PUBLIC_ORIGIN")));
        if self.kind == Kind::Demo {
            say::bold(&format!("Sign in as    {DEMO_EMAIL}"));
            say::bold(&format!("Password      {DEMO_PASSWORD}"));
        }
        if self.asked.own_mail {
            say::say(format!("Mail          {}", of("MAIL_URL")));
        }
        say::say(format!("Orchestrator  {}", of("ORCHESTRATOR_URL")));
        say::say(format!(
            "Metrics       http://{}/metrics",
            of("METRICS_ADDR")
        ));
        say::say(format!("Database      psql '{}'", of("DATABASE_URL")));
        let logs = self
            .places
            .logs
            .strip_prefix(self.root)
            .unwrap_or(&self.places.logs);
        say::say(format!(
            "Ready after {} s. Logs of the others are in {}/. Ctrl-C stops everything.\n",
            began.elapsed().as_secs(),
            logs.display()
        ));
    }

    fn watch(&self, crew: &mut Crew) -> anyhow::Result<ExitCode> {
        let mut seen = watch::look(self.root);
        loop {
            crew.all_alive()?;
            self.stop.pause(LOOK_EVERY);
            if self.stop.is_asked() {
                return Err(Stopped.into());
            }
            if self.kind == Kind::Dev {
                let now = watch::look(self.root);
                if now != seen {
                    self.rebuild(crew, seen, now)?;
                    seen = now;
                }
            }
        }
    }

    /// A build that fails has said why; what ran before goes on.
    fn rebuild(&self, crew: &mut Crew, seen: watch::Seen, now: watch::Seen) -> anyhow::Result<()> {
        let began = Instant::now();
        let build = |words: &[&str]| match step(self.root, self.stop, &self.environment, words) {
            Err(error) if error.is::<Stopped>() => Err(error),
            built => Ok(built.is_ok()),
        };
        if now.browser != seen.browser && !build(&[".ci/assets.sh"])? {
            return Ok(());
        }
        if now.server != seen.server && !build(&["cargo", "build", "-q", "-p", "server"])? {
            return Ok(());
        }
        crew.stop_last();
        self.places
            .start_dashboard(crew, self.dashboard(), &self.environment)?;
        say::bold(&format!("Restarted after {} s", began.elapsed().as_secs()));
        Ok(())
    }
}

/// What the caller has set, and for the rest the secrets of this checkout and the defaults for development.
fn configuration(root: &Path) -> anyhow::Result<Environment> {
    let mut environment = Environment::inherited();
    let secrets = root.join(".data/dev.env");
    if !secrets.exists() {
        let text = format!(
            "SECRET_KEY={}\nORCHESTRATOR_CREDENTIAL={}\n",
            random_secret()?,
            random_secret()?
        );
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&secrets)?;
        file.write_all(text.as_bytes())?;
    }
    environment.set_default("MAIL_URL", "http://127.0.0.1:3080");
    // What follows from an address that was changed changes with it.
    if let Some(listen) = environment
        .get("LISTEN_ADDR")
        .filter(|listen| !listen.is_empty())
    {
        environment.set_default("PUBLIC_ORIGIN", &format!("http://{listen}"));
    }
    if let Some(url) = environment
        .get("ORCHESTRATOR_URL")
        .filter(|url| !url.is_empty())
    {
        environment.set_default("SANDBOX_API_URL", &url);
    }
    environment.use_defaults(&secrets)?;
    environment.use_defaults(&root.join(".env.example"))?;
    Ok(environment)
}

fn require_free(environment: &Environment, asked: Asked) -> anyhow::Result<()> {
    let mut wanted = vec![
        ("dashboard", "LISTEN_ADDR"),
        ("dashboard's metrics page", "METRICS_ADDR"),
    ];
    if asked.own_orchestrator {
        wanted.push(("orchestrator", "ORCHESTRATOR_URL"));
    }
    if asked.own_mail {
        wanted.extend([
            ("mail catcher's SMTP side", "SMTP_URL"),
            ("mail catcher's web page", "MAIL_URL"),
        ]);
    }
    for (what, name) in wanted {
        let value = environment.text(name);
        let address = authority(&value);
        anyhow::ensure!(
            !is_taken(address),
            "The {what} cannot listen on {address}: something else does. Stop that, or choose another address with {name}."
        );
    }
    Ok(())
}
