//! The program `stand`: what `make run`, `dev`, `demo`, `e2e` and `bench` start. It builds, starts database, peers and dashboard
//! as programs, looks after them and stops them in order. What each command does is in `commands`.

mod bench;
mod commands;
mod crew;
mod parts;
mod postgres;
mod steps;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use stand::say;
use stand::signals::Stop;

use crate::steps::Stopped;

/// Starts everything that the dashboard needs around it, and stops it again.
#[derive(Parser)]
#[command(name = "stand")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds and starts everything, and prints the addresses; until Ctrl-C
    Run,
    /// The same, and builds and restarts the dashboard after every change
    Dev,
    /// The same as run, with an account that has a past of 60 days
    Demo,
    /// The browser tests, on servers and a database of their own at DATABASE_URL
    E2e {
        /// Handed on to Playwright
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Prints which packages are in what is shipped, as CycloneDX JSON
    Sbom,
    /// Measures a release build
    Bench {
        /// What to measure; all of it if nothing is named
        measures: Vec<bench::Measure>,
    },
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let root = root();
    let stop = match Stop::on_signals() {
        Ok(stop) => stop,
        Err(error) => return failed(&error.into()),
    };
    let done = match &command {
        Command::Run => commands::run::run(&root, &stop, commands::run::Kind::Run),
        Command::Dev => commands::run::run(&root, &stop, commands::run::Kind::Dev),
        Command::Demo => commands::run::run(&root, &stop, commands::run::Kind::Demo),
        Command::E2e { arguments } => commands::e2e::run(&root, &stop, arguments),
        Command::Sbom => commands::sbom::run(&root),
        Command::Bench { measures } => bench::run(&root, &stop, measures),
    };
    match done {
        Ok(code) => code,
        // Being asked to stop is no failure of what runs until it is stopped.
        Err(error) if error.is::<Stopped>() => match command {
            Command::Run | Command::Dev | Command::Demo => ExitCode::SUCCESS,
            Command::E2e { .. } | Command::Sbom | Command::Bench { .. } => ExitCode::from(130),
        },
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    say::red(&format!("{error:#}"));
    ExitCode::FAILURE
}

/// The checkout that this program was built in.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    here.canonicalize().unwrap_or(here)
}
