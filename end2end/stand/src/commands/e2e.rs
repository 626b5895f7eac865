//! `stand e2e`: the browser tests. Real peers and the dashboard on free ports, with a database and peer state of their own, then
//! Playwright; afterwards all of it is gone. Expects everything to be built and a running server at `DATABASE_URL`.

use std::path::Path;
use std::process::ExitCode;

use stand::environment::Environment;
use stand::program::Program;
use stand::say;
use stand::signals::Stop;

use crate::crew::Crew;
use crate::parts::Places;
use crate::postgres::Postgres;
use crate::steps::{finish, quiet_step};

/// Runs the browser tests; the code of Playwright.
pub fn run(root: &Path, stop: &Stop, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let work = std::env::temp_dir().join(format!("isorun-e2e.{}", std::process::id()));
    let places = Places::new(root, "debug", &work)?;
    let done = tests(root, stop, &places, arguments);
    if !matches!(done, Ok(0)) {
        // Playwright keeps its traces in the same place.
        let kept = root.join("end2end/test-results/server-logs");
        if keep(&places.logs, &kept).is_ok() {
            say::say("The logs of the servers are in end2end/test-results/server-logs/");
        }
    }
    std::fs::remove_dir_all(&work)?;
    Ok(ExitCode::from(u8::try_from(done?).unwrap_or(1)))
}

fn tests(root: &Path, stop: &Stop, places: &Places, arguments: &[String]) -> anyhow::Result<i32> {
    let mut postgres = Postgres::running(root, "test");
    let mut environment = Environment::own(root)?;
    let database = postgres.passing(&format!("isorun_e2e_{}", std::process::id()))?;
    environment.set("DATABASE_URL", &database);
    // Stops before the database is dropped.
    let mut crew = Crew::new(stop.clone());
    places.start_mail_catcher(&mut crew, &environment)?;
    places.start_orchestrator(&mut crew, &environment)?;
    let migrate = places.dashboard(&environment, &["migrate"]);
    quiet_step(stop, migrate, &places.logs.join("migrate.log"))?;
    let dashboard = places.dashboard(&environment, &["serve"]);
    places.start_dashboard(&mut crew, dashboard, &environment)?;

    // The Node.js that npm brought, not the system's: the SDK and Playwright then agree about it.
    let node = root.join("end2end/node_modules/node/bin");
    environment.prefer_programs_of(&node);
    environment.set("DASHBOARD_URL", &environment.text("PUBLIC_ORIGIN"));
    let words = ["node_modules/@playwright/test/cli.js", "test"].map(str::to_owned);
    let playwright = Program::new("Playwright", node.join("node"), &environment)
        .arguments(words.into_iter().chain(arguments.iter().cloned()))
        .folder(root.join("end2end"));
    let code = finish(stop, playwright)?.unwrap_or(1);
    // A server that died under the tests is a failure, whatever they say.
    crew.all_alive()?;
    Ok(code)
}

fn keep(logs: &Path, kept: &Path) -> std::io::Result<()> {
    let _ = std::fs::remove_dir_all(kept);
    std::fs::create_dir_all(kept)?;
    for log in std::fs::read_dir(logs)? {
        let log = log?;
        std::fs::copy(log.path(), kept.join(log.file_name()))?;
    }
    Ok(())
}
