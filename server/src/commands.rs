//! The subcommands, by hand: there are three and two flags. What `serve` does is in `serve`.

use std::io::Write as _;
use std::process::ExitCode;

use backend::Backend;

use crate::config::{Config, Problems};
use crate::serve::{self, Roles};
use crate::telemetry;

const USAGE: &str = "usage: isorun-dashboard <command>

  serve [--web-only | --worker-only]   answer requests and do the background work; migrates first
  migrate                              bring the database schema up to date and end
  check-config                         say what is wrong with the environment, all at once, and end

Configuration comes from the environment; .env.example lists it.";

enum Command {
    Serve(Roles),
    Migrate,
    CheckConfig,
}

/// Runs the program with these arguments.
pub fn run(arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    let Some(command) = parse(&arguments) else {
        say(USAGE);
        return ExitCode::from(2);
    };
    match Config::from_env() {
        Ok(config) => perform(&command, config),
        Err(problems) => refuse(&problems),
    }
}

fn parse(arguments: &[String]) -> Option<Command> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve"] => Some(Command::Serve(Roles {
            web: true,
            worker: true,
        })),
        ["serve", "--web-only"] => Some(Command::Serve(Roles {
            web: true,
            worker: false,
        })),
        ["serve", "--worker-only"] => Some(Command::Serve(Roles {
            web: false,
            worker: true,
        })),
        ["migrate"] => Some(Command::Migrate),
        ["check-config"] => Some(Command::CheckConfig),
        _ => None,
    }
}

fn perform(command: &Command, config: Config) -> ExitCode {
    let done = match command {
        Command::CheckConfig => {
            say("the configuration is sound");
            Ok(())
        }
        Command::Serve(roles) => in_runtime(serve::run, config, *roles),
        Command::Migrate => in_runtime(
            |config, _| migrate(config),
            config,
            Roles {
                web: false,
                worker: false,
            },
        ),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("isorun-dashboard: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn in_runtime<F>(
    work: impl FnOnce(Config, Roles) -> F,
    config: Config,
    roles: Roles,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    telemetry::start_log(config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work(config, roles))
}

async fn migrate(config: Config) -> anyhow::Result<()> {
    Backend::migrate(&config.backend)
        .await
        .map_err(serve::report)?;
    tracing::info!("the schema is up to date");
    Ok(())
}

fn refuse(problems: &Problems) -> ExitCode {
    say(&format!("isorun-dashboard: {problems}"));
    ExitCode::from(78)
}

fn say(text: &str) {
    // Nobody to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}
