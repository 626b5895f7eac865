//! Refused or broken, nothing else: an expected refusal is a closed enum of `domain`, everything unexpected is `Broken`.
//! How either is shown belongs to `app`; it is logged once, where it turns into an answer (docs/decisions/0010-breakages.md).

mod upset;

use std::fmt;
use std::panic::Location;

use domain::act::Denial;
use tracing::{Metadata, Span};

/// Something unexpected, with its cause chain, its place and its verb for the log. Deliberately not an `Error` and without
/// a public text, so that it cannot slip into a page.
pub struct Broken {
    cause: anyhow::Error,
    place: &'static Location<'static>,
    span: Option<&'static Metadata<'static>>,
}

impl Broken {
    /// The three fields of every log line about a breakage are this, `place` and `verb`. The cause chain in one line; a
    /// database error's DETAIL, which can hold values, is not part of it.
    #[must_use]
    pub const fn cause(&self) -> Cause<'_> {
        Cause(&self.cause)
    }

    /// Where it turned from an error into a breakage: the line of the `?`, or of [`Broken::new`]. `file:line:column`, the
    /// file as the compiler was given it: from the root of the repository.
    #[must_use]
    pub const fn place(&self) -> &'static Location<'static> {
        self.place
    }

    /// What was being done: the innermost span of ours at that line, such as `keys.revoke`. None outside of any, and when
    /// the level of the log leaves spans out.
    #[must_use]
    pub fn verb(&self) -> Option<&'static str> {
        self.span.map(Metadata::name)
    }

    #[track_caller]
    fn here(cause: anyhow::Error) -> Self {
        upset::note(&cause);
        Self {
            cause,
            place: Location::caller(),
            span: Span::current()
                .metadata()
                .filter(|span| span.module_path().is_some_and(is_ours)),
        }
    }

    /// True when the database cannot be reached or is out of connections: the answer is "try again", not "we failed".
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.cause
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

    /// True when nothing was tried because too many wait for it already: the answer is "in a moment, again".
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.cause.is::<Busy>()
    }

    /// True when another transaction was faster: nothing is wrong, and the next try sees what it wrote.
    #[must_use]
    pub fn is_race(&self) -> bool {
        self.cause
            .chain()
            .filter_map(|cause| cause.downcast_ref::<sqlx::Error>())
            .any(|error| {
                // Serialization failure and deadlock.
                matches!(error, sqlx::Error::Database(error)
                    if error.code().is_some_and(|code| code == "40001" || code == "40P01"))
            })
    }

    /// True when the database refused a row for what is in it: a value out of range (class 22) or a constraint (class 23). The
    /// same row is refused again; the others of its statement are not.
    #[must_use]
    pub fn is_of_a_row(&self) -> bool {
        self.cause
            .chain()
            .filter_map(|cause| cause.downcast_ref::<sqlx::Error>())
            .any(|error| {
                matches!(error, sqlx::Error::Database(error)
                    if error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23")))
            })
    }

    /// A breakage without a deeper cause: a row or an answer that makes no sense.
    #[must_use]
    #[track_caller]
    pub fn new(what: &'static str) -> Self {
        Self::here(anyhow::anyhow!(what))
    }

    /// Says what was being done, for the log. The place stays where it broke: that is nearer to the cause.
    #[must_use]
    pub fn context(self, what: &'static str) -> Self {
        Self {
            cause: self.cause.context(what),
            ..self
        }
    }
}

/// There is a queue for this, and it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many wait for this already")]
pub struct Busy;

/// Spans of this crate only: the one around a request says nothing of what was being done.
fn is_ours(module: &str) -> bool {
    module.split("::").next() == module_path!().split("::").next()
}

/// Every `?` on a foreign error passes here, through `Failure` and `JobError` too; `track_caller` hands its line on.
impl<E: Into<anyhow::Error>> From<E> for Broken {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::here(error.into())
    }
}

/// The cause chain of a breakage, to be shown in the log.
#[derive(Clone, Copy)]
pub struct Cause<'a>(&'a anyhow::Error);

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        for cause in self.0.chain().skip(1).map(ToString::to_string) {
            // Some errors, a database's among them, end with the text of their own cause.
            if !said.ends_with(&cause) {
                said.push_str(": ");
                said.push_str(&cause);
            }
        }
        f.write_str(&said)
    }
}

/// Cause and place in one line, for where there are no fields: a program's last words.
impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (self.place.file(), self.place.line());
        write!(f, "{} at {file}:{line}", self.cause())
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
    #[track_caller]
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<u8, std::num::ParseIntError> {
        text.parse()
    }

    /// Says, beside what it gives, on which line it was written.
    macro_rules! with_line {
        ($result:expr) => {
            ($result, line!())
        };
    }

    fn broken(text: &str) -> Result<u8, Broken> {
        Ok(read(text)?)
    }
    const BROKEN: u32 = line!() - 2;

    fn failure(text: &str) -> Result<u8, Failure<()>> {
        Ok(read(text)?)
    }
    const FAILURE: u32 = line!() - 2;

    /// Two floors up, the line below stays.
    fn passed_on(text: &str) -> Result<u8, Failure<()>> {
        let number = broken(text).map_err(|broken| broken.context("a number"))?;
        Ok(number)
    }

    fn place(broken: &Broken) -> (&str, u32) {
        (broken.place().file(), broken.place().line())
    }

    #[test]
    fn each_question_mark_is_a_place() {
        let at = |line: u32| (file!(), line);
        assert_eq!(place(&broken("x").unwrap_err()), at(BROKEN));
        let Err(Failure::Broken(found)) = failure("x") else {
            panic!("not broken")
        };
        assert_eq!(place(&found), at(FAILURE));
        let Err(Failure::Broken(found)) = passed_on("x") else {
            panic!("not broken")
        };
        assert_eq!(place(&found), at(BROKEN));
        assert_eq!(
            found.to_string(),
            format!(
                "a number: invalid digit found in string at {}:{BROKEN}",
                file!()
            )
        );
        let (made, line) = with_line!(Broken::new("no such row"));
        assert_eq!(place(&made), at(line));
        #[expect(
            clippy::redundant_closure,
            reason = "the place is that of the call; a function by name has none of its own"
        )]
        let (made, line) = with_line!(read("x").map_err(|error| Broken::from(error)));
        assert_eq!(place(&made.unwrap_err()), at(line));
    }
}
