//! A room's SQL is its own. The compiler refuses a call through a wall; this keeps the walls.

use super::{Source, none, sources};

/// What is open in a file that should not be.
fn open(source: &Source) -> Vec<String> {
    let text = source.text.as_str();
    let mut wrong = Vec::new();
    for (at, _) in text.match_indices("mod store;") {
        if text[..at].trim_end_matches(' ').ends_with(['b', ')']) {
            wrong.push(format!(
                "{}: a store is its subject's: `mod store;`, and what others call is named on the face",
                source.place(at)
            ));
        }
    }
    // What tests do by hand is given to them alone.
    let for_tests = source.path == "testing.rs" || source.path.ends_with("/by_hand.rs");
    for kind in ["pub fn ", "pub async fn "] {
        for (at, _) in text.match_indices(kind).filter(|_| !for_tests) {
            let head = text[at..].split('{').next().unwrap_or_default();
            if head.contains("PgConnection") {
                wrong.push(format!(
                    "{}: who is outside the backend has no connection. `pub(super)`, or `pub(crate)` on a face",
                    source.place(at)
                ));
            }
        }
    }
    wrong
}

#[test]
fn sql_is_behind_walls() {
    let wrong: Vec<String> = sources().iter().flat_map(open).collect();
    none(&wrong);
}

#[test]
fn an_open_wall_is_seen() {
    let wrong = |code: &str| open(&Source::new("keys/mod.rs", code)).len();
    assert_eq!(wrong("pub mod store;"), 1);
    assert_eq!(wrong("pub(crate) mod store;"), 1);
    assert_eq!(wrong("mod push;\nmod store;"), 0);
    assert_eq!(
        wrong("pub async fn get(\n    db: &mut PgConnection,\n) -> X {"),
        1
    );
    assert_eq!(wrong("pub(crate) async fn get(db: &mut PgConnection) {"), 0);
}
