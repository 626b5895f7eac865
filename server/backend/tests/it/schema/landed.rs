//! A migration that has landed is what some database was made by: changed, it would be refused there. So it stays as it is,
//! and what is to be different is another migration.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{migrations, repository};

fn hash(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
}

/// What is wrong with these files beside this list, one sentence each; the list is what `sha256sum` prints.
fn complaints(files: &[(String, String)], list: &str) -> Vec<String> {
    let mut landed: BTreeMap<&str, &str> = list
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(hash, name)| (name, hash))
        .collect();
    let mut complaints = Vec::new();
    for (name, text) in files {
        match landed.remove(name.as_str()) {
            None => complaints.push(format!(
                "{name} is not on the list. Once it is as it shall stay: cd migrations && sha256sum {name} >> landed.sha256"
            )),
            Some(known) if known != hash(text) => complaints.push(format!(
                "{name} has landed and was changed. Put it back (git checkout {name}) and write what you want as a new migration."
            )),
            Some(_) => {}
        }
    }
    complaints.extend(landed.keys().map(|name| {
        format!("{name} has landed and is gone. Put it back; a table that is no longer wanted is dropped by a new migration.")
    }));
    complaints
}

#[test]
fn landed_migrations_stay_as_they_are() {
    let list = std::fs::read_to_string(repository().join("migrations/landed.sha256")).unwrap();
    let complaints = complaints(&migrations(), &list);
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn changed_removed_and_new_migrations_are_told_apart() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let list = format!("{}  0001_a.sql\n{}  0002_b.sql\n", hash("one"), hash("two"));
    let same = [file("0001_a.sql", "one"), file("0002_b.sql", "two")];
    assert!(complaints(&same, &list).is_empty());
    for (files, word) in [
        (
            [file("0001_a.sql", "one"), file("0002_b.sql", "2")],
            "was changed",
        ),
        (
            [file("0002_b.sql", "two"), file("0003_c.sql", "")],
            ">> landed.sha256",
        ),
        (
            [file("0001_a.sql", "one"), file("0003_c.sql", "")],
            "0002_b.sql has landed and is gone",
        ),
    ] {
        let said = complaints(&files, &list).join("\n");
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn numbers_follow_each_other() {
    for (number, (name, _)) in (1..).zip(migrations()) {
        assert!(
            name.starts_with(&format!("{number:04}_")),
            "{name} is number {number}"
        );
    }
}
