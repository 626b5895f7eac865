//! Why sandboxes stop: words only. When an account ends is allowance.rs, what that does transaction.rs.

use serde::{Deserialize, Serialize};

/// Why a sandbox stopped running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// Its owner's key, or the dashboard on behalf of a user.
    Asked,
    /// The end of its auto-destroy timer.
    Timer,
    /// The credit of its account ended.
    Credit,
    /// The monthly limit of its account was reached.
    Limit,
    Suspended,
    Closed,
}

/// What ends at `run_until`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Cause {
    #[default]
    Credit,
    Limit,
}

impl Reason {
    /// In a journal of before reasons were kept.
    pub(crate) const fn of_before() -> Self {
        Self::Credit
    }
}

impl From<Cause> for Reason {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Credit => Self::Credit,
            Cause::Limit => Self::Limit,
        }
    }
}
