//! Load by `wrk`, and what a process weighs; each as a line.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use stand::say;
use std::io::Write as _;

use super::Bench;
use crate::steps::Stopped;

/// Seconds that do not count: the first requests of all connections come at once and plan every query anew.
const WARM_UP_S: u32 = 2;

/// What is asked again and again.
pub struct Load<'a> {
    /// What the line is called.
    pub name: &'a str,
    pub path: &'a str,
    /// Connections at once.
    pub connections: u32,
    /// By somebody who is signed in.
    pub signed_in: bool,
    /// A script that says how long each connection waits between two requests; without one, not at all.
    pub pace: Option<&'a Path>,
}

/// Prints a name and its number on standard output.
pub fn line(name: &str, number: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{name:<58} {number}")?)
}

impl Bench<'_> {
    /// Requests per second, p50 and p99. Any answer but 200 spoils the number.
    pub fn load(&self, load: &Load<'_>) -> anyhow::Result<()> {
        let seconds = self
            .environment
            .get("SECONDS_EACH")
            .and_then(|text| text.parse().ok())
            .unwrap_or(10);
        self.wrk(load, WARM_UP_S, false)?;
        let said = self.wrk(load, seconds, true)?;
        if said.contains("Non-2xx") || said.contains("Socket errors") {
            say::say(&said);
            anyhow::bail!("{}: not every answer was a good one.", load.name);
        }
        let after = |word: &str| {
            let mut lines = said.lines().map(str::trim);
            let line = lines.find_map(|line| line.strip_prefix(word));
            line.map(|rest| rest.trim().to_owned()).unwrap_or_default()
        };
        let (rate, p50, p99) = (after("Requests/sec:"), after("50%"), after("99%"));
        line(
            load.name,
            &format!("{rate} requests/s, p50 {p50}, p99 {p99}"),
        )
    }

    fn wrk(&self, load: &Load<'_>, seconds: u32, counts: bool) -> anyhow::Result<String> {
        let mut command = Command::new("wrk");
        command
            .arg("-t1")
            .arg(format!("-c{}", load.connections))
            .arg(format!("-d{seconds}s"));
        if counts {
            command.arg("--latency");
        }
        if load.signed_in {
            command.arg("-H").arg(format!("Cookie: {}", self.cookie));
        }
        if let Some(pace) = load.pace.filter(|_| counts) {
            command.arg("-s").arg(pace);
        }
        command.arg(format!(
            "{}{}",
            self.environment.text("PUBLIC_ORIGIN"),
            load.path
        ));
        let output = command.stdin(Stdio::null()).output().context("wrk")?;
        if self.stop.is_asked() {
            return Err(Stopped.into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr))
    }
}

/// What a process holds now and held at most, as Linux says.
pub fn memory(process: Option<u32>) -> String {
    let read = |id| std::fs::read_to_string(format!("/proc/{id}/status")).ok();
    let Some(status) = process.and_then(read) else {
        return "not known on this system".to_owned();
    };
    let of = |name: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default();
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
        // To a tenth.
        let tenths = (kib * 10 + 512) / 1_024;
        format!("{}.{} MiB", tenths / 10, tenths % 10)
    };
    format!("{} (peak {})", of("VmRSS:"), of("VmHWM:"))
}
