//! A table is written by its owner's folder and by no other; reading others' tables in a join is free. Owners stand in
//! docs/data-map.toml.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Source, none, repository, sources, word};

#[derive(Deserialize)]
struct Map {
    table: BTreeMap<String, Table>,
    #[serde(default)]
    exception: Vec<Exception>,
}

#[derive(Deserialize)]
struct Table {
    /// A folder or a file below `src`, without its ending.
    owner: String,
}

/// A file that writes a table of another owner.
#[derive(Deserialize)]
struct Exception {
    table: String,
    file: String,
    reason: String,
}

impl Map {
    fn read() -> Self {
        let text = std::fs::read_to_string(repository().join("docs/data-map.toml")).unwrap();
        toml::from_str(&text).unwrap()
    }

    /// Whether a file may write a table; none when nobody owns it.
    fn allows(&self, path: &str, table: &str) -> Option<bool> {
        let owner = &self.table.get(table)?.owner;
        let rest = path.strip_prefix(owner.as_str());
        let owns = rest.is_some_and(|rest| rest.starts_with('/') || rest == ".rs");
        let mut exceptions = self.exception.iter();
        Some(owns || exceptions.any(|known| known.table == table && known.file == path))
    }
}

/// The tables that a file writes, each with where.
fn written(source: &Source) -> Vec<(usize, &str)> {
    let text = source.text.as_str();
    let mut found = Vec::new();
    for verb in ["INSERT INTO ", "UPDATE ", "DELETE FROM "] {
        for (at, _) in text.match_indices(verb) {
            // `DO UPDATE SET`, `FOR UPDATE OF`, `FOR NO KEY UPDATE`.
            let before = text[..at].trim_end();
            let is_part = ["DO", "FOR", "KEY"].iter().any(|end| before.ends_with(end));
            let table = word(text[at + verb.len()..].trim_start());
            if !is_part && table.starts_with(|c: char| c.is_ascii_lowercase()) {
                found.push((at, table));
            }
        }
    }
    found
}

/// What is wrong with what a file writes.
fn astray(map: &Map, source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, table) in written(source) {
        let place = source.place(at);
        match map.allows(&source.path, table) {
            Some(true) => {}
            Some(false) => wrong.push(format!(
                "{place}: writes {table}, which is of {}. Call a function on that face, or give the column a table of its own; \
                 if neither will do, name the file in an [[exception]] of docs/data-map.toml, with the reason",
                map.table[table].owner
            )),
            None => wrong.push(format!("{place}: writes {table}, which docs/data-map.toml does not know")),
        }
    }
    wrong
}

#[test]
fn a_table_is_written_by_its_owner() {
    let map = Map::read();
    let wrong: Vec<String> = sources()
        .iter()
        .flat_map(|source| astray(&map, source))
        .collect();
    none(&wrong);
}

#[test]
fn every_exception_is_needed_and_says_why() {
    let (map, sources) = (Map::read(), sources());
    for Exception {
        table,
        file,
        reason,
    } in &map.exception
    {
        let writes = sources
            .iter()
            .filter(|source| source.path == *file)
            .any(|source| written(source).iter().any(|(_, written)| *written == table));
        assert!(
            writes,
            "{file} does not write {table} any more: take the exception away"
        );
        let owner = &map.table[table].owner;
        assert!(
            !file.starts_with(&format!("{owner}/")),
            "{file} is of {owner}: no exception"
        );
        assert!(reason.len() > 20, "{file} writes {table}: why?");
    }
}

#[test]
fn every_table_of_the_migrations_has_an_owner() {
    let entries = std::fs::read_dir(repository().join("migrations")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "sql"));
    // In their order: a later one drops what is no longer wanted.
    files.sort();
    let mut made = BTreeSet::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
                made.insert(word(rest).to_owned());
            } else if let Some(rest) = line.strip_prefix("DROP TABLE ") {
                assert!(made.remove(word(rest)), "{line}: no such table before");
            }
        }
    }
    let classed: BTreeSet<String> = Map::read().table.into_keys().collect();
    assert_eq!(
        made, classed,
        "left: the migrations, right: docs/data-map.toml, which says in its head what to write"
    );
}

#[test]
fn a_foreign_write_is_seen() {
    let text = "[table.keys]\nowner = \"keys\"\n[[exception]]\ntable = \"keys\"\nfile = \"metering/x.rs\"\nreason = \"\"";
    let map: Map = toml::from_str(text).unwrap();
    let wrong = |path: &str, code: &str| astray(&map, &Source::new(path, code)).len();
    for sql in [
        "UPDATE keys AS k SET",
        "INSERT INTO keys (key_id)",
        "DELETE FROM keys\n WHERE",
    ] {
        assert_eq!(wrong("usage/days.rs", sql), 1, "{sql}");
        assert_eq!(wrong("keys/store.rs", sql), 0, "{sql}");
        assert_eq!(wrong("metering/x.rs", sql), 0, "{sql}");
    }
    assert_eq!(wrong("keysmith/store.rs", "UPDATE keys SET"), 1);
    assert_eq!(
        wrong("usage/days.rs", "SELECT 1 FROM keys FOR UPDATE OF keys"),
        0
    );
    assert_eq!(
        wrong(
            "usage/days.rs",
            "ON CONFLICT ON CONSTRAINT x DO UPDATE SET y"
        ),
        0
    );
    assert_eq!(
        wrong("keys/store.rs", "UPDATE locks SET"),
        1,
        "a table without an owner"
    );
}
