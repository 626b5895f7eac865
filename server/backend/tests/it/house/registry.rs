//! A job or a letter that its subject declares has its line in the registry: without it the job would lie on the dead list
//! as one of an unknown kind, and the mail never leave.

use std::collections::BTreeSet;

use super::{Source, none, sources, word};

/// The types that implement a trait, each with where.
fn implementors<'a>(source: &'a Source, of: &str) -> Vec<(usize, &'a str)> {
    let text = source.text.as_str();
    let head = format!("impl {of} for ");
    text.match_indices(&head)
        .map(|(at, head)| (at, word(&text[at + head.len()..])))
        .collect()
}

/// The types on a list of the registry.
fn registered(registry: &Source, line: &str) -> BTreeSet<String> {
    let text = registry.text.as_str();
    text.match_indices(line)
        .map(|(at, line)| word(&text[at + line.len()..]).to_owned())
        .collect()
}

#[test]
fn every_job_and_letter_is_registered() {
    let sources = sources();
    let registry = sources.iter().find(|source| source.path == "registry.rs");
    let registry = registry.unwrap();
    let mut wrong = Vec::new();
    for (of, line, list) in [
        ("Job", "Kind::of::<", "KINDS"),
        ("Letter", "Text::of::<", "LETTERS"),
    ] {
        let known = registered(registry, line);
        let found = sources.iter().flat_map(|source| {
            let here = implementors(source, of).into_iter();
            here.map(move |(at, name)| (source.place(at), name))
        });
        let found: Vec<(String, &str)> = found.collect();
        assert!(found.len() >= 3, "{of}: {found:?}");
        wrong.extend(
            found
                .into_iter()
                .filter(|(_, name)| !known.contains(*name))
                .map(|(place, name)| {
                    format!("{place}: `{name}` has no line in {list} of registry.rs")
                }),
        );
    }
    none(&wrong);
}

#[test]
fn a_declaration_is_seen() {
    let source = Source::new(
        "keys/push.rs",
        "struct A;\nimpl Job for PushKey {\nconst X: Kind = Kind::of::<RemoveKey>();",
    );
    assert_eq!(implementors(&source, "Job"), [(10, "PushKey")]);
    assert!(implementors(&source, "Letter").is_empty());
    assert!(registered(&source, "Kind::of::<").contains("RemoveKey"));
}
