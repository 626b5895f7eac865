//! Imports run down. The rooms stand on floors; a file names its own room and rooms of lower floors, and nothing else.

use std::collections::BTreeSet;

use super::{Source, none, sources, sources_of, word};

/// The floors from the ground up. A room knows every floor below its own and no neighbour on it. A new room goes on the
/// lowest floor from which everything that it needs lies below.
const FLOORS: &[&[&str]] = &[
    // The ground: no table of a customer.
    &["failure", "clock", "random", "settings"],
    &["secret", "passwords", "db", "paging", "zone"],
    // Mechanisms: they own their tables and know no subject.
    &["answers", "audit", "findings", "outside", "root", "targets"],
    &["queue"],
    &["authority", "mail"],
    // Subjects.
    &["prices", "accounts", "identity", "ledger"],
    &["limit", "metering"],
    &["usage"],
    &["keys", "sandboxes", "credit"],
    &["forecast"],
    &["alerts", "checks", "overview"],
    // Workflows: several subjects in one transaction.
    &["sign_up", "watch"],
    // The top: what knows everything so that nothing else must.
    &["registry", "schedule"],
    &["worker"],
    &["testing"],
];

/// The same of what people see. Its crate is the browser's too, so `action` and `islands` stand on the ground.
const APP: &[&[&str]] = &[
    &["action", "islands"],
    &["frame"],
    &["chart", "twin"],
    &[
        "alerts",
        "credit",
        "identity",
        "keys",
        "landing",
        "sandboxes",
        "sign_up",
        "targets",
        "usage",
    ],
    &["overview"],
    &["routes"],
];

fn floor(floors: &[&[&str]], room: &str) -> Option<usize> {
    floors.iter().position(|rooms| rooms.contains(&room))
}

/// The rooms that a file names, each with where: the word behind `crate::`, and behind as many `super::` as lead out.
fn named(source: &Source) -> Vec<(usize, &str)> {
    let text = source.text.as_str();
    let mut found = Vec::new();
    for (at, start) in text.match_indices("crate::") {
        let rest = &text[at + start.len()..];
        let mut names = vec![word(rest)];
        if rest.starts_with('{') {
            names = first_words(rest);
        }
        found.extend(names.into_iter().map(|name| (at, name)));
    }
    // How many `super::` lead from this file to the root: one for each part of its path but `mod.rs`.
    let depth = source.path.trim_end_matches("/mod.rs").split('/').count();
    let out = "super::".repeat(depth);
    found.extend(
        text.match_indices(&out)
            .map(|(at, _)| (at, word(&text[at + out.len()..]))),
    );
    // Types and macros of the root are no rooms.
    found.retain(|(_, name)| name.starts_with(|c: char| c.is_ascii_lowercase()));
    found
}

/// The first word of each entry of a list in braces: `{a::b, c::{d, e}}` has `a` and `c`.
fn first_words(list: &str) -> Vec<&str> {
    let (mut depth, mut names) = (0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 1 && (c == '{' || c == ',') {
            names.push(word(list[at + 1..].trim_start()));
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// What is wrong with what a file names.
fn upward(floors: &[&[&str]], source: &Source) -> Vec<String> {
    let room = source.subject();
    let mut wrong = Vec::new();
    for (at, name) in named(source) {
        let (Some(from), to) = (floor(floors, room), floor(floors, name)) else {
            continue;
        };
        if name != room && to.is_none_or(|to| to >= from) {
            wrong.push(format!(
                "{}: `{name}` is not below `{room}`. Move what is needed down into a room below both, or take it as a \
                 parameter; when `{room}` does stand above `{name}`, put it on a higher line here",
                source.place(at)
            ));
        }
    }
    wrong
}

/// Every file but the root of its crate, which names all because it declares them.
fn below_the_root(sources: Vec<Source>) -> impl Iterator<Item = Source> {
    sources.into_iter().filter(|source| source.path != "lib.rs")
}

#[test]
fn imports_only_run_down() {
    let backend = below_the_root(sources()).flat_map(|source| upward(FLOORS, &source));
    let app = below_the_root(sources_of("app/src")).flat_map(|source| upward(APP, &source));
    none(&backend.chain(app).collect::<Vec<_>>());
}

#[test]
fn every_room_stands_on_one_floor() {
    for (floors, sources) in [(FLOORS, sources()), (APP, sources_of("app/src"))] {
        let mut floors: Vec<&str> = floors.concat();
        floors.sort_unstable();
        let sources: Vec<Source> = below_the_root(sources).collect();
        let rooms: BTreeSet<&str> = sources.iter().map(Source::subject).collect();
        let rooms: Vec<&str> = rooms.into_iter().collect();
        assert_eq!(
            floors, rooms,
            "left: the floors here, right: the sources. A new room needs its place"
        );
    }
}

#[test]
fn an_import_is_seen_however_it_is_written() {
    let wrong = |path: &str, code: &str| upward(FLOORS, &Source::new(path, code)).len();
    assert_eq!(wrong("keys/push.rs", "use crate::alerts::raise;"), 1);
    assert_eq!(
        wrong(
            "keys/push.rs",
            "use crate::{Backend, ledger, alerts::{raise, store}};"
        ),
        1
    );
    assert_eq!(
        wrong(
            "keys/push.rs",
            "let x = crate::worker::run(crate::keys::store::get());"
        ),
        1
    );
    assert_eq!(wrong("keys/push.rs", "use super::super::alerts;"), 1);
    assert_eq!(wrong("keys/mod.rs", "use super::alerts;"), 1);
    assert_eq!(
        wrong("keys/mod.rs", "use crate::{\n    credit,\n    sign_up,\n};"),
        2,
        "a neighbour too"
    );
    assert_eq!(
        wrong(
            "keys/push.rs",
            "use super::alerts; use crate::usage; // crate::alerts"
        ),
        0
    );
    let place = upward(FLOORS, &Source::new("keys/mod.rs", "\nuse crate::watch;"));
    assert!(
        place[0].starts_with("server/backend/src/keys/mod.rs:2: `watch`"),
        "{place:?}"
    );
}
