//! Refused or broken, nothing else: an expected refusal is a closed enum of `domain`, everything unexpected is `Broken`.
//! How either is shown belongs to `app`; it is logged once, where it turns into an answer.

use std::fmt;

use domain::act::Denial;

/// Something unexpected, with its cause chain for the log. Deliberately not an `Error` and without a public text, so that
/// it cannot slip into a page.
pub struct Broken(anyhow::Error);

impl Broken {
    /// True when the database cannot be reached or is out of connections: the answer is "try again", not "we failed".
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.0
            .chain()
            .filter_map(|cause| cause.downcast_ref::<sqlx::Error>())
            .any(|error| match error {
                sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Io(_)
                | sqlx::Error::Tls(_) => true,
                // Classes 08 (connection), 53 (resources) and 57 (operator intervention, statement timeout included).
                sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                    ["08", "53", "57"]
                        .iter()
                        .any(|class| code.starts_with(class))
                }),
                _ => false,
            })
    }

    /// True when another transaction was faster: nothing is wrong, and the next try sees what it wrote.
    #[must_use]
    pub fn is_race(&self) -> bool {
        self.0
            .chain()
            .filter_map(|cause| cause.downcast_ref::<sqlx::Error>())
            .any(|error| {
                // Serialization failure and deadlock.
                matches!(error, sqlx::Error::Database(error)
                    if error.code().is_some_and(|code| code == "40001" || code == "40P01"))
            })
    }

    /// A breakage without a deeper cause: a row or an answer that makes no sense.
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        Self(anyhow::anyhow!(what))
    }

    /// Says what was being done, for the log.
    #[must_use]
    pub fn context(self, what: &'static str) -> Self {
        Self(self.0.context(what))
    }
}

impl<E: Into<anyhow::Error>> From<E> for Broken {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Broken {
    /// The cause chain in one line, for the log. A database error's DETAIL, which can hold values, is not part of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, cause) in self.0.chain().enumerate() {
            let separator = if index == 0 { "" } else { ": " };
            write!(f, "{separator}{cause}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Broken({self})")
    }
}

/// How an operation ends when it does not succeed.
#[derive(Debug)]
pub enum Failure<R> {
    /// Expected: shown in plain words beside the field.
    Refused(R),
    /// The person may not, or not yet: shown in the words of the act.
    Denied(Denial),
    /// Unexpected: logged, shown as one sentence with the request id.
    Broken(Broken),
}

impl<R, E: Into<Broken>> From<E> for Failure<R> {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}
