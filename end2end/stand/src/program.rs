//! A program that is started, looked after and ended: in a process group of its own, so that Ctrl-C reaches only who
//! supervises, who then ends things in order; and ended by the system when its supervisor is killed.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::environment::Environment;

/// How long a program may take to end when asked.
const GRACE: Duration = Duration::from_secs(15);
/// How often it is looked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Lines of a log that tell why a program ended, most of the time.
const TAIL_LINES: usize = 20;
/// From util-linux: starts a program that the system ends when the thread that started it does. Where it is missing, a
/// supervisor that is killed outright leaves its programs behind.
const SETPRIV: &str = "/usr/bin/setpriv";

/// Where a program's words go.
#[derive(Clone, Debug)]
pub enum Log {
    Terminal,
    /// Into a file, which begins anew with each start.
    File(PathBuf),
    /// Nowhere.
    None,
}

/// A program, running or not.
#[derive(Debug)]
pub struct Program {
    name: String,
    path: PathBuf,
    arguments: Vec<String>,
    environment: Environment,
    folder: Option<PathBuf>,
    log: Log,
    child: Option<Child>,
}

impl Program {
    /// A program by its path, and what it is called in sentences: "The dashboard".
    pub fn new(name: &str, path: impl Into<PathBuf>, environment: &Environment) -> Self {
        Self {
            name: name.to_owned(),
            path: path.into(),
            arguments: Vec::new(),
            environment: environment.clone(),
            folder: None,
            log: Log::Terminal,
            child: None,
        }
    }

    #[must_use]
    pub fn arguments<I: IntoIterator<Item = S>, S: Into<String>>(mut self, arguments: I) -> Self {
        self.arguments = arguments.into_iter().map(Into::into).collect();
        self
    }

    /// Started in this folder.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// With its words going there.
    #[must_use]
    pub fn log(mut self, log: Log) -> Self {
        self.log = log;
        self
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file of its words, if they go into one.
    #[must_use]
    pub fn log_file(&self) -> Option<&Path> {
        match &self.log {
            Log::File(path) => Some(path),
            Log::Terminal | Log::None => None,
        }
    }

    /// The id of its process while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Starts it. One that runs is killed first.
    pub fn start(&mut self) -> io::Result<()> {
        self.kill();
        let mut command = if Path::new(SETPRIV).exists() {
            let mut command = Command::new(SETPRIV);
            command.args(["--pdeathsig", "TERM", "--"]).arg(&self.path);
            command
        } else {
            Command::new(&self.path)
        };
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .process_group(0);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        for (name, value) in self.environment.changes() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        match &self.log {
            Log::Terminal => {}
            Log::File(path) => {
                let file = File::create(path)?;
                command.stdout(file.try_clone()?).stderr(file);
            }
            Log::None => {
                command.stdout(Stdio::null()).stderr(Stdio::null());
            }
        }
        self.child = Some(command.spawn()?);
        Ok(())
    }

    /// How it ended; none while it runs, or when it was never started.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        match &mut self.child {
            Some(child) => child.try_wait(),
            None => Ok(None),
        }
    }

    /// Asks it to end and waits; false when it did not do so in time and was killed. Those it started end with it.
    pub fn stop(&mut self) -> bool {
        let Some(mut child) = self.child.take() else {
            return true;
        };
        signal(&child, Signal::TERM);
        let end = Instant::now() + GRACE;
        while Instant::now() < end {
            if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) && !is_group_alive(&child) {
                return true;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        signal(&child, Signal::KILL);
        let _ = child.wait();
        false
    }

    /// Ends it at once, with all that it started, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            signal(&child, Signal::KILL);
            let _ = child.wait();
        }
    }

    /// The last lines of its log, if it has one of its own.
    #[must_use]
    pub fn last_words(&self) -> Option<String> {
        let text = std::fs::read(self.log_file()?).ok()?;
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(TAIL_LINES);
        Some(lines.get(from..).unwrap_or_default().join("\n"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn group(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()).ok()?)
}

fn signal(child: &Child, signal: Signal) {
    if let Some(group) = group(child) {
        // One that is gone already needs no signal.
        let _ = kill_process_group(group, signal);
    }
}

fn is_group_alive(child: &Child) -> bool {
    group(child).is_some_and(|group| rustix::process::test_kill_process_group(group).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        Program::new("The shell", "/bin/sh", &Environment::inherited())
            .arguments(["-c", script])
            .log(Log::None)
    }

    #[test]
    fn it_ends_with_what_it_started() {
        let mut program = shell("sleep 60 & sleep 60");
        program.start().unwrap();
        std::thread::sleep(Duration::from_millis(100));
        let id = program.id().unwrap();
        assert_eq!(program.ended().unwrap(), None);
        assert!(program.stop());
        assert!(
            rustix::process::test_kill_process_group(
                Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
            )
            .is_err()
        );
    }

    #[test]
    fn what_it_said_last_is_there_when_it_has_ended() {
        let log = std::env::temp_dir().join(format!("stand-log-{}", std::process::id()));
        let mut program = shell("seq 30; echo the reason >&2; exit 3").log(Log::File(log.clone()));
        program.start().unwrap();
        let status = loop {
            if let Some(status) = program.ended().unwrap() {
                break status;
            }
            std::thread::sleep(LOOK_EVERY);
        };
        assert_eq!(status.code(), Some(3));
        let words = program.last_words().unwrap();
        assert!(
            words.starts_with("12\n") && words.ends_with("\nthe reason"),
            "{words}"
        );
        std::fs::remove_file(log).unwrap();
    }
}
