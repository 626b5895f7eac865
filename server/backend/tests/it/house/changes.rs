//! What a person changes begins with `Actor::begin` or `OpenChange::begin`, whose commit writes the audit line. Transactions
//! of any other kind are the work of jobs and loops, and each file that begins one is listed.

use std::collections::BTreeSet;

use super::{Source, none, sources};

/// Files outside `authority` that begin a transaction of their own, and why no person's change is in it.
const WORK: &[(&str, &str)] = &[
    (
        "identity/sign_in/ladder.rs",
        "counts a try to sign in: whoever makes it is nobody yet",
    ),
    (
        "identity/sign_in/mod.rs",
        "notes a failed sign-in: whoever made it is nobody",
    ),
    ("ledger/chain/seal.rs", "a job: seals a day of the ledger"),
    (
        "metering/feed/pull.rs",
        "a loop: stores what the feed brought",
    ),
    (
        "metering/feed/keep.rs",
        "a loop: a part of a page, as a savepoint of the page's transaction",
    ),
    ("metering/months/mod.rs", "a job: closes a month"),
    ("metering/settle/batch.rs", "a loop: settles accounts"),
    ("root/mod.rs", "the start: opens or seals the root secret"),
    ("schedule.rs", "a loop: turns what is due into jobs"),
    (
        "sign_up/mod.rs",
        "keeps an address and mails to it: there is no account yet that could have a line",
    ),
    ("watch.rs", "a loop: computes forecasts and tells of them"),
];

/// Where a file begins a transaction. A change takes its act along; what takes nothing is plain.
fn begins(source: &Source) -> Vec<usize> {
    let text = source.text.as_str();
    let plain = text.match_indices(".begin()").map(|(at, _)| at);
    plain
        .chain(text.match_indices(".begin_with(").map(|(at, _)| at))
        .collect()
}

fn is_of_authority(source: &Source) -> bool {
    source.subject() == "authority"
}

#[test]
fn a_persons_change_begins_with_its_act() {
    let listed: BTreeSet<&str> = WORK.iter().map(|(path, _)| *path).collect();
    let mut wrong = Vec::new();
    for source in sources() {
        if is_of_authority(&source) || listed.contains(source.path.as_str()) {
            continue;
        }
        wrong.extend(begins(&source).into_iter().map(|at| {
            format!(
                "{}: begins a transaction beside the audit log. What a person changes begins with `Actor::begin(Act)` or \
                 `OpenChange::begin`; the file of a job or a loop goes on the list WORK, with the reason",
                source.place(at)
            )
        }));
    }
    none(&wrong);
}

#[test]
fn every_file_on_the_list_begins_one() {
    let begin: BTreeSet<String> = sources()
        .into_iter()
        .filter(|source| !begins(source).is_empty())
        .map(|source| source.path)
        .collect();
    for (path, reason) in WORK {
        assert!(
            begin.contains(*path),
            "{path} begins none any more: take it off the list"
        );
        assert!(reason.len() > 10, "{path}: why?");
    }
}

#[test]
fn a_transaction_is_seen_however_it_is_begun() {
    let found = |code: &str| begins(&Source::new("keys/mod.rs", code)).len();
    assert_eq!(found("let mut tx = backend.pool().begin().await?;"), 1);
    assert_eq!(
        found("let mut tx = backend\n    .pool()\n    .begin_with(\"BEGIN\")\n    .await?;"),
        1
    );
    assert_eq!(
        found("let mut change = actor.begin(backend, Act::KeyCreate).await?;"),
        0
    );
}
