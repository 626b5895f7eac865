//! The project's own PostgreSQL, by way of `.ci/postgres.sh`, which knows how to start it. With `DATABASE_URL` set that server
//! is used as it is and never stopped; so the script sees the variable as the caller set it, not as programs get it.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

/// A cluster; stopped when dropped, if it was started for this.
pub struct Postgres {
    root: PathBuf,
    /// `run`, which is durable, or `test`.
    kind: &'static str,
    is_ours: bool,
    /// Databases that live as long as this.
    fresh: Vec<String>,
}

impl Postgres {
    /// One that somebody else has started.
    pub fn running(root: &Path, kind: &'static str) -> Self {
        Self {
            root: root.to_owned(),
            kind,
            is_ours: false,
            fresh: Vec::new(),
        }
    }

    /// Starts the cluster unless it runs.
    ///
    /// # Errors
    /// When it does not start; the script says why.
    pub fn start(root: &Path, kind: &'static str) -> anyhow::Result<Self> {
        let mut postgres = Self::running(root, kind);
        let was_running = postgres
            .command(&["running", kind])
            .status()
            .is_ok_and(|status| status.success());
        postgres.is_ours = !was_running;
        postgres.run(&["start", kind])?;
        Ok(postgres)
    }

    /// The address of the database of `make run`.
    pub fn url(&self) -> anyhow::Result<String> {
        self.run(&["url", self.kind])
    }

    /// Makes a database anew and gives its address.
    pub fn fresh(&self, name: &str) -> anyhow::Result<String> {
        self.run(&["fresh", name, self.kind])
    }

    /// The same for a database that is dropped with this.
    pub fn passing(&mut self, name: &str) -> anyhow::Result<String> {
        self.fresh.push(name.to_owned());
        self.fresh(name)
    }

    /// Drops a database now.
    pub fn drop_database(&self, name: &str) -> anyhow::Result<()> {
        self.run(&["drop", name, self.kind]).map(drop)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.root.join(".ci/postgres.sh"));
        // Ctrl-C is for this program, which then lets the script end what it began.
        command
            .args(words)
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .process_group(0);
        command
    }

    fn run(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = self
            .command(words)
            .stderr(Stdio::inherit())
            .output()
            .context(".ci/postgres.sh")?;
        anyhow::ensure!(
            output.status.success(),
            "PostgreSQL: '{}' failed.",
            words.join(" ")
        );
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // What cannot be tidied up is said by the script, and is no reason to leave the rest.
        for name in std::mem::take(&mut self.fresh) {
            let _ = self.drop_database(&name);
        }
        if self.is_ours {
            let _ = self.run(&["stop", self.kind]);
        }
    }
}
