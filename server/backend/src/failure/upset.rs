//! Errors that say nothing of what was asked and everything of the PostgreSQL that was asked: it is being stopped, or its files
//! were replaced underneath it. Each is one sentence in the log, once, above the many lines of what fails by it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the same sentence is not said again.
const AGAIN: Duration = Duration::from_hours(1);

/// What is the matter with PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Upset {
    /// Its program files are of another build than the program that runs: it cannot load its own libraries, plpgsql first of
    /// all, so every new connection fails at the first trigger, and goes on failing until PostgreSQL is restarted.
    Upgraded,
    /// It is stopped or started. It comes back by itself.
    Restarting,
}

impl Upset {
    const fn word(self) -> &'static str {
        match self {
            Self::Upgraded => "upgraded",
            Self::Restarting => "restarting",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::Upgraded => {
                "PostgreSQL was upgraded underneath its running server: it cannot load its own libraries, so triggers fail and \
                 nothing can be written until PostgreSQL is restarted; this program needs no restart (docs/operating.md)"
            }
            Self::Restarting => {
                "PostgreSQL is being stopped or started: what is asked meanwhile fails and is tried again when it is back"
            }
        }
    }

    /// By the code of an error and its text. The text is in the server's language; 58P01, a file that is not there, is not.
    fn of(code: &str, text: &str) -> Option<Self> {
        const LIBRARY: [&str; 4] = [
            "could not load library",
            "could not access file",
            "incompatible library",
            "undefined symbol",
        ];
        match code {
            "57P01" | "57P02" | "57P03" => Some(Self::Restarting),
            "58P01" => Some(Self::Upgraded),
            _ => LIBRARY
                .iter()
                .any(|words| text.contains(words))
                .then_some(Self::Upgraded),
        }
    }
}

/// When each sentence was said last.
static SAID: Mutex<[Option<Instant>; 2]> = Mutex::new([None; 2]);

/// Says what an error tells of PostgreSQL, if it tells anything and it was not said within the hour.
pub(super) fn note(cause: &anyhow::Error) {
    let errors = cause
        .chain()
        .filter_map(|cause| cause.downcast_ref::<sqlx::Error>());
    for error in errors {
        let Some(error) = error.as_database_error() else {
            continue;
        };
        let code = error.code().unwrap_or_default();
        if let Some(upset) = Upset::of(&code, error.message()) {
            say(upset, &code);
        }
    }
}

fn say(upset: Upset, code: &str) {
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let [upgraded, restarting] = &mut *said;
    let last = match upset {
        Upset::Upgraded => upgraded,
        Upset::Restarting => restarting,
    };
    let now = Instant::now();
    if last.is_some_and(|last| now.duration_since(last) < AGAIN) {
        return;
    }
    *last = Some(now);
    drop(said);
    tracing::error!(database = upset.word(), code, "{}", upset.sentence());
    metrics::counter!("database_upsets_total", "what" => upset.word()).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_and_a_restart_are_told_from_what_was_asked_wrongly() {
        let symbol = "could not load library \"/usr/lib/postgresql/15/lib/plpgsql.so\": /usr/lib/postgresql/15/lib/plpgsql.so: \
                      undefined symbol: ExecStoreVirtualTuple";
        let magic =
            "incompatible library \"/usr/lib/postgresql/15/lib/plpgsql.so\": version mismatch";
        for (code, text, upset) in [
            ("XX000", symbol, Some(Upset::Upgraded)),
            ("58000", symbol, Some(Upset::Upgraded)),
            ("XX000", magic, Some(Upset::Upgraded)),
            (
                "58P01",
                "konnte nicht auf Datei »$libdir/plpgsql« zugreifen",
                Some(Upset::Upgraded),
            ),
            (
                "57P01",
                "terminating connection due to administrator command",
                Some(Upset::Restarting),
            ),
            (
                "57P03",
                "the database system is starting up",
                Some(Upset::Restarting),
            ),
            (
                "57014",
                "canceling statement due to statement timeout",
                None,
            ),
            ("XX000", "cache lookup failed for relation 16384", None),
            (
                "23505",
                "duplicate key value violates unique constraint",
                None,
            ),
        ] {
            assert_eq!(Upset::of(code, text), upset, "{code} {text}");
        }
    }
}
