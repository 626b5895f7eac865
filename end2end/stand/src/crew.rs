//! The programs that run together: started in order, watched, and stopped the other way round, so that the dashboard ends before
//! what it talks to. When one ends by itself, it is said which, with the end of its log.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use stand::program::Program;
use stand::say;
use stand::signals::Stop;

use crate::steps::Stopped;

/// How often it is looked whether a program is ready.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What runs. Dropping it stops all of it.
pub struct Crew {
    programs: Vec<Program>,
    stop: Stop,
}

/// One of the programs has ended by itself; what there is to say has been said.
#[derive(Debug)]
pub struct Ended(String);

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} has ended.", self.0)
    }
}

impl std::error::Error for Ended {}

impl Crew {
    /// Nobody yet.
    pub const fn new(stop: Stop) -> Self {
        Self {
            programs: Vec::new(),
            stop,
        }
    }

    /// Starts a program and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot be started, any program ends meanwhile, or it is not ready in time; or [`Stopped`].
    pub fn start(
        &mut self,
        program: Program,
        patience: Duration,
        is_ready: impl Fn() -> bool,
    ) -> anyhow::Result<()> {
        self.launch(program)?;
        self.wait(patience, LOOK_EVERY, is_ready)
    }

    /// Starts a program.
    pub fn launch(&mut self, mut program: Program) -> anyhow::Result<()> {
        program
            .start()
            .with_context(|| format!("{} cannot be started", program.name()))?;
        self.programs.push(program);
        Ok(())
    }

    /// Waits until the program that was started last is ready.
    ///
    /// # Errors
    /// When any program ends meanwhile, or it is not ready in time; or [`Stopped`].
    pub fn wait(
        &mut self,
        patience: Duration,
        look_every: Duration,
        is_ready: impl Fn() -> bool,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + patience;
        while !is_ready() {
            self.all_alive()?;
            if self.stop.is_asked() {
                return Err(Stopped.into());
            }
            if Instant::now() >= end {
                let (name, words) = match self.programs.last() {
                    Some(last) => (last.name().to_owned(), last.last_words()),
                    None => (String::new(), None),
                };
                anyhow::bail!(
                    "{}\n{name} is not ready in time.",
                    words.unwrap_or_default()
                );
            }
            std::thread::sleep(look_every);
        }
        Ok(())
    }

    /// Fails when any of them has ended, and says what it said last, which is the reason most of the time.
    pub fn all_alive(&mut self) -> anyhow::Result<()> {
        for program in &mut self.programs {
            if program.ended()?.is_some() {
                if let Some(words) = program.last_words() {
                    let file = program.log_file().map(|file| file.display().to_string());
                    say::say(format!("The end of {}:\n{words}", file.unwrap_or_default()));
                }
                return Err(Ended(program.name().to_owned()).into());
            }
        }
        Ok(())
    }

    /// The process of the program that was started last.
    pub fn last_id(&self) -> Option<u32> {
        self.programs.last().and_then(Program::id)
    }

    /// True when nothing was started, or all of it is stopped.
    pub const fn is_empty(&self) -> bool {
        self.programs.is_empty()
    }

    pub fn stop_last(&mut self) {
        if let Some(mut program) = self.programs.pop()
            && !program.stop()
        {
            say::say(format!(
                "{} did not stop within 15 s and was killed.",
                program.name()
            ));
        }
    }

    /// Stops all, the last one first.
    pub fn stop_all(&mut self) {
        while !self.is_empty() {
            self.stop_last();
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.stop_all();
    }
}
