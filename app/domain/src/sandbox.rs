//! What a sandbox is to the account: its id, its size and the state that its events imply.
//! Commands and the wire format of the orchestrator are `backend`'s; the fold from events is `interval`'s.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::EnumIter;

use crate::ceilings;

/// The orchestrator's id of a sandbox, such as `run78cbccbab85efc28`. Treated as opaque; 1 to 64 of `[A-Za-z0-9_-]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SandboxId(String);

impl SandboxId {
    /// Accepts what can stand safely in a path and a page; `None` otherwise.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=ceilings::SANDBOX_ID_CHARS_MAX).contains(&text.len());
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        (fits && plain).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SandboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a command to a sandbox was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum SandboxRefusal {
    /// No such sandbox in this account.
    NotFound,
    /// It does not run, so it has no timer.
    NotRunning,
    /// Not one of the offered minutes.
    TimeoutUnknown,
}

/// The allocated size, which is what is billed: measured use changes nothing (Terms 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Virtual processors, 1 to 1,024.
    pub vcpus: i32,
    /// Memory in MiB, 1 to 16,777,216 (16 TiB).
    pub mem_mib: i32,
}

impl Size {
    /// A size inside the ranges above, else `None`: beyond them an event is garbage, not a large machine.
    #[must_use]
    pub fn new(vcpus: i32, mem_mib: i32) -> Option<Self> {
        let fits = (1..=1_024).contains(&vcpus) && (1..=16_777_216).contains(&mem_mib);
        fits.then_some(Self { vcpus, mem_mib })
    }
}

/// Processor milliseconds as the orchestrator says them; none beyond what a sandbox of the largest size could have used in a
/// thousand years. It decides what is called waste and nothing that is billed, so it is left out, not guessed.
#[must_use]
pub fn cpu_ms(said: i64) -> Option<i64> {
    const MOST: i64 = 1_024 * 1_000 * 366 * crate::moment::DAY_MS;
    (0..=MOST).contains(&said).then_some(said)
}

/// What a sandbox does now. Only `Running` costs anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxState {
    /// Runs and is billed.
    Running,
    /// Paused to disk, costs nothing, can be resumed.
    Hibernated,
    /// Gone for good.
    Destroyed,
}

impl SandboxState {
    /// The word in the database, on pages and in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Hibernated => "hibernated",
            Self::Destroyed => "destroyed",
        }
    }

    /// None for a word that is none of them.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Running, Self::Hibernated, Self::Destroyed]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}
