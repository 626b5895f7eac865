//! Steps: what is run to its end before the next thing happens, such as a build. A signal ends the step and all after it.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use stand::environment::Environment;
use stand::program::{Log, Program};
use stand::signals::Stop;

/// Somebody asked this program to stop.
#[derive(Debug)]
pub struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for Stopped {}

/// Runs a program of the checkout to its end, its words on the terminal.
pub fn step(
    root: &Path,
    stop: &Stop,
    environment: &Environment,
    words: &[&str],
) -> anyhow::Result<()> {
    let (path, arguments) = words.split_first().context("a step without a program")?;
    let program = Program::new(path, *path, environment)
        .arguments(arguments.iter().copied())
        .folder(root);
    let code = finish(stop, program)?;
    anyhow::ensure!(code == Some(0), "This failed: {}", words.join(" "));
    Ok(())
}

/// The same for a program whose words are only wanted when it fails.
///
/// # Errors
/// When it does not succeed, with the end of its log, or [`Stopped`].
pub fn quiet_step(stop: &Stop, program: Program, log: &Path) -> anyhow::Result<()> {
    let name = program.name().to_owned();
    let code = finish(stop, program.log(Log::File(log.to_owned())))?;
    if code != Some(0) {
        let words = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = words.lines().collect();
        let tail = lines
            .get(lines.len().saturating_sub(20)..)
            .unwrap_or_default();
        anyhow::bail!("{}\n{name} failed.", tail.join("\n"));
    }
    Ok(())
}

/// Waits for the end of a program; the code with which it ended by itself.
pub fn finish(stop: &Stop, mut program: Program) -> anyhow::Result<Option<i32>> {
    program
        .start()
        .with_context(|| format!("{} cannot be started", program.name()))?;
    loop {
        if let Some(status) = program.ended()? {
            return Ok(status.code());
        }
        if stop.is_asked() {
            program.stop();
            return Err(Stopped.into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
