//! The command line: which words there are and what they start. What `serve` does is in `serve`; what the environment
//! holds is `config`'s, read only once the words are understood.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use backend::Backend;
use clap::{Args, CommandFactory as _, Parser, Subcommand};

use crate::config::{Config, Problems};
use crate::serve::{self, Roles};
use crate::telemetry;

/// The Isorun account dashboard: pages, forms and the background work behind them.
// No `help` subcommand: `--help` is the one way, and an unknown word is wrong use (exit code 2) whatever it says.
#[derive(Debug, Parser)]
#[command(
    name = "isorun-dashboard",
    version,
    after_help = "Configuration comes from the environment; .env.example lists it.",
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer requests and do the background work; migrates first
    Serve(Only),
    /// Bring the database schema up to date and end
    Migrate,
    /// Say what is wrong with the environment, all at once, and end
    CheckConfig,
}

/// What `serve` is narrowed to: one of both, or neither for everything.
#[derive(Args, Clone, Copy, Debug)]
struct Only {
    /// Answer requests, and leave the background work to another process
    #[arg(long, conflicts_with = "worker_only")]
    web_only: bool,
    /// Do the background work, and leave requests to another process
    #[arg(long)]
    worker_only: bool,
}

impl From<Only> for Roles {
    fn from(only: Only) -> Self {
        Self {
            web: !only.worker_only,
            worker: !only.web_only,
        }
    }
}

/// Runs the program with these arguments, the program's own name first.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let command = match CommandLine::try_parse_from(arguments) {
        Ok(CommandLine { command }) => command,
        Err(answer) => return explain(&answer),
    };
    match Config::from_env() {
        Ok(config) => perform(&command, config),
        Err(problems) => refuse(&problems),
    }
}

/// Help and version on standard output; wrong use on standard error, with all there is to choose from.
fn explain(answer: &clap::Error) -> ExitCode {
    // Nobody to tell when the stream is closed.
    let _ = answer.print();
    if !answer.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let is_help = answer.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !is_help {
        say(&format!("\n{}", CommandLine::command().render_help()));
    }
    ExitCode::from(2)
}

fn perform(command: &Command, config: Config) -> ExitCode {
    let done = match command {
        Command::CheckConfig => {
            say("the configuration is sound");
            Ok(())
        }
        Command::Serve(only) => in_runtime(serve::run, config, (*only).into()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_command_line_has_its_sentence() {
        let mut line = CommandLine::command();
        line.build();
        line.clone().debug_assert();
        let mut to_see = vec![line];
        while let Some(command) = to_see.pop() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                let place = (command.get_name(), argument.get_id());
                assert!(argument.get_help().is_some(), "{place:?}");
            }
            to_see.extend(command.get_subcommands().cloned());
        }
    }

    #[test]
    fn serve_does_both_unless_told_one() {
        let roles = |words: &[&str]| {
            let line = [&["isorun-dashboard", "serve"], words].concat();
            let line = CommandLine::try_parse_from(line).ok()?;
            match line.command {
                Command::Serve(only) => {
                    let Roles { web, worker } = only.into();
                    Some((web, worker))
                }
                Command::Migrate | Command::CheckConfig => None,
            }
        };
        assert_eq!(roles(&[]), Some((true, true)));
        assert_eq!(roles(&["--web-only"]), Some((true, false)));
        assert_eq!(roles(&["--worker-only"]), Some((false, true)));
        assert_eq!(roles(&["--web-only", "--worker-only"]), None);
    }
}
