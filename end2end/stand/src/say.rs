//! How the program speaks: on standard error, in plain sentences, in bold and red only to a terminal that wants it.

use std::io::{IsTerminal as _, Write as _};
use std::sync::LazyLock;

static IS_COLOURED: LazyLock<bool> = LazyLock::new(|| {
    let wants_none = crate::environment::Environment::inherited().text("NO_COLOR");
    std::io::stderr().is_terminal() && wants_none.is_empty()
});

pub fn say(text: impl AsRef<str>) {
    // Nobody to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
}

/// Begins a part of the work.
pub fn heading(text: &str) {
    say(format!("\n{}", styled("\u{1b}[1m", &format!("== {text}"))));
}

/// Says what matters most.
pub fn bold(text: &str) {
    say(styled("\u{1b}[1m", text));
}

/// Says what went wrong.
pub fn red(text: &str) {
    say(styled("\u{1b}[31m", text));
}

fn styled(code: &str, text: &str) -> String {
    if *IS_COLOURED {
        format!("{code}{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}
