//! `stand bench`: measures a release build on this machine, with a durable database, and prints one line per number. Everything
//! it starts is its own, on loopback, and is gone afterwards. After the build a full run takes ten minutes, half of them for the
//! ten million intervals. SECONDS_EACH and USAGE_INTERVALS change how long is measured and how much is seeded.

mod feed;
mod journey;
mod load;
mod measures;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::Context as _;
use clap::ValueEnum;
use stand::environment::Environment;
use stand::say;
use stand::signals::Stop;

use crate::crew::Crew;
use crate::parts::Places;
use crate::postgres::Postgres;
use crate::steps::{Stopped, step};

/// What can be measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Measure {
    /// Pages under load, beside a bare handler
    Pages,
    /// Events from the feed to posted ledger lines
    Feed,
    /// Everything folded, rated and booked again
    Replay,
    /// The usage page of an account with very many intervals
    Usage,
    /// From the start to the first page
    Start,
    /// What the browser gets, and the program
    Sizes,
}

/// Where and with what it is measured.
pub struct Bench<'a> {
    root: &'a Path,
    stop: &'a Stop,
    places: Places,
    postgres: Postgres,
    environment: Environment,
    database: String,
    work: PathBuf,
    /// Of somebody who is signed in.
    cookie: String,
}

/// Builds and measures.
pub fn run(root: &Path, stop: &Stop, measures: &[Measure]) -> anyhow::Result<ExitCode> {
    let work = std::env::temp_dir().join(format!("isorun-bench.{}", std::process::id()));
    let done = measure_all(root, stop, measures, &work);
    let _ = std::fs::remove_dir_all(&work);
    done.map(|()| ExitCode::SUCCESS)
}

fn measure_all(root: &Path, stop: &Stop, measures: &[Measure], work: &Path) -> anyhow::Result<()> {
    let inherited = Environment::inherited().with("SQLX_OFFLINE", "true");
    say::heading("Build");
    let build = [
        "cargo",
        "build",
        "--release",
        "-q",
        "-p",
        "server",
        "-p",
        "peers",
        "-p",
        "bench",
        "--bins",
    ];
    step(root, stop, &inherited, &build)?;
    step(root, stop, &inherited, &[".ci/assets.sh"])?;

    let places = Places::new(root, "release", work)?;
    let mut postgres = Postgres::start(root, "run")?;
    let mut environment = Environment::own(root)?.with("LOG", "warn");
    let database = format!("isorun_bench_{}", std::process::id());
    environment.set("DATABASE_URL", &postgres.passing(&database)?);
    let mut crew = Crew::new(stop.clone());
    places.start_mail_catcher(&mut crew, &environment)?;
    places.start_orchestrator(&mut crew, &environment)?;
    let work = work.to_owned();
    let mut bench = Bench {
        root,
        stop,
        places,
        postgres,
        environment,
        database,
        work,
        cookie: String::new(),
    };
    bench.migrate(&bench.environment)?;
    bench.start_dashboard(&mut crew, &["serve"])?;
    bench.cookie = journey::live(root, stop, &bench.environment)?;
    crew.stop_last();
    let all = Measure::value_variants();
    for measure in if measures.is_empty() { all } else { measures } {
        bench.measure(&mut crew, *measure)?;
    }
    // The programs before their database.
    drop(crew);
    drop(bench);
    Ok(())
}

impl Bench<'_> {
    fn start_dashboard(&self, crew: &mut Crew, arguments: &[&str]) -> anyhow::Result<()> {
        let program = self.places.dashboard(&self.environment, arguments);
        self.places
            .start_dashboard(crew, program, &self.environment)
    }

    fn migrate(&self, environment: &Environment) -> anyhow::Result<()> {
        let program = self
            .places
            .programs
            .join("isorun-dashboard")
            .display()
            .to_string();
        step(self.root, self.stop, environment, &[&program, "migrate"])
    }

    /// What the program `bench` says of one measure.
    fn program(&self, environment: &Environment, measure: &str) -> anyhow::Result<String> {
        let mut command = Command::new(self.places.programs.join("bench"));
        command.arg(measure);
        self.output(command, environment, measure)
    }

    /// Runs SQL of `server/bench`, or a statement, on the database of an environment; gives what it prints.
    fn psql(&self, environment: &Environment, words: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new("psql");
        command.args([
            "--no-psqlrc",
            "-qtAX",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            &environment.text("DATABASE_URL"),
        ]);
        command.args(words).current_dir(self.root);
        self.output(command, environment, "psql")
    }

    fn output(
        &self,
        mut command: Command,
        environment: &Environment,
        what: &str,
    ) -> anyhow::Result<String> {
        for (name, value) in environment.changes() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = command
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| what.to_owned())?;
        if self.stop.is_asked() {
            return Err(Stopped.into());
        }
        anyhow::ensure!(output.status.success(), "{what} failed.");
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
