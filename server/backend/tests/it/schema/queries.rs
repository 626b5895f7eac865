//! What every query keeps to, read from .sqlx/, where the macros write the text of each. A question about one account names
//! it in each table it reads, by the same parameter: then it can be sent to the one machine that holds the account, and no
//! join can reach into another's rows. A question about many accounts joins them by account_id and has no fence.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::sql::{Tied, read};
use super::{Group, Table, map, repository};

/// Questions that walk tables of accounts without being given the accounts: how each begins, and why it may.
const SCANS: [(&str, &str, &str); 12] = [
    (
        "ledger/chain/store.rs",
        "SELECT account_id FROM accounts WHERE account_id >",
        "sealing a day: page by page of accounts",
    ),
    (
        "metering/months/store.rs",
        "SELECT account_id FROM accounts WHERE account_id >",
        "closing a month: page by page of accounts",
    ),
    (
        "checks/store/ledger.rs",
        "SELECT account_id FROM accounts WHERE account_id >",
        "the round of a check: page by page of accounts",
    ),
    (
        "checks/store/ledger.rs",
        "SELECT i.account_id, i.started_at",
        "check R7: page by page of accounts in which something runs",
    ),
    (
        "checks/store/evidence.rs",
        "SELECT coalesce(min(seq), $1)",
        "how far all are settled: few rows, found by narrow indexes",
    ),
    (
        "forecast/store.rs",
        "SELECT account_id FROM forecasts WHERE due_at",
        "which accounts are due: by forecasts_by_due",
    ),
    (
        "ledger/chain/store.rs",
        "SELECT min(first.booked_at)",
        "the first day of the cell's chain: once, one look per account",
    ),
    (
        "metering/meters.rs",
        "INSERT INTO meters (account_id)",
        "which accounts need a meter: few rows, found by narrow indexes",
    ),
    (
        "metering/meters.rs",
        "SELECT count(*) AS \"count!\" FROM meters",
        "for the alarm: how many accounts do not settle",
    ),
    (
        "metering/meters.rs",
        "WITH candidate AS",
        "which accounts are behind: few rows, found by narrow indexes",
    ),
    (
        "metering/months/store.rs",
        "SELECT NOT EXISTS",
        "whether the cell's month may close",
    ),
    (
        "metering/months/store.rs",
        "SELECT min(first.service_hour)",
        "the first month of the cell: once, one look per account",
    ),
];

/// Questions that read both groups at once. Each looks up people of one account by the ids that the cell gave, and becomes two
/// questions the day that an account can live elsewhere.
const BOTH_GROUPS: [(&str, &str, &str); 5] = [
    (
        "alerts/recipients/store.rs",
        "SELECT m.user_id FROM memberships",
        "the member of an account with an address",
    ),
    (
        "alerts/recipients/store.rs",
        "SELECT r.recipient_id, r.user_id",
        "the addresses of recipients who are members",
    ),
    (
        "alerts/store.rs",
        "SELECT d.alert_id, coalesce(r.email",
        "the addresses that alerts went to",
    ),
    (
        "keys/store.rs",
        "SELECT k.key_id, k.name, k.region",
        "the addresses of those who made the keys",
    ),
    (
        "mail/store.rs",
        "SELECT m.user_id, m.account_id",
        "the address of a mail that is to be sent",
    ),
];

/// A query of the program: where it stands, and its text on one line.
pub(crate) struct Query {
    pub file: String,
    pub text: String,
}

impl Query {
    /// True when it reads a table of accounts by a parameter.
    pub(crate) fn is_of_one_account(&self) -> bool {
        let tables = map();
        let reads = read(&self.text, |name| {
            tables.get(name).is_some_and(|table| table.tenant)
        });
        reads.iter().any(|read| matches!(read.tied, Tied::To(_)))
    }

    fn is(&self, (file, begins, _): (&str, &str, &str)) -> bool {
        self.file == file && self.text.starts_with(begins)
    }
}

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push((
                path.to_string_lossy().into_owned(),
                fs::read_to_string(&path).unwrap(),
            ));
        }
    }
}

/// The queries below `src`; those of tests ask as they like.
pub(crate) fn queries() -> Vec<Query> {
    let backend = repository().join("server/backend");
    let (mut own, mut tests) = (Vec::new(), Vec::new());
    sources(&backend.join("src"), &mut own);
    sources(&backend.join("tests"), &mut tests);
    let mut queries = Vec::new();
    for entry in fs::read_dir(repository().join(".sqlx")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let stored: serde_json::Value = serde_json::from_str(&text).unwrap();
        let query = stored["query"].as_str().unwrap();
        let quoted = format!("\"{query}\"");
        let places = own.iter().filter(|(_, source)| source.contains(&quoted));
        let mut places = places
            .map(|(path, _)| path.rsplit_once("/src/").unwrap().1.to_owned())
            .peekable();
        let in_tests = || tests.iter().any(|(_, source)| source.contains(&quoted));
        assert!(
            places.peek().is_some() || in_tests(),
            "nowhere as it stands in .sqlx/: {query}"
        );
        let text = query.split_whitespace().collect::<Vec<_>>().join(" ");
        queries.extend(places.map(|file| Query {
            file,
            text: text.clone(),
        }));
    }
    assert!(
        queries.len() > 150,
        "{} queries: .sqlx/ is not whole",
        queries.len()
    );
    queries
}

/// What is wrong with a query; none when nothing is.
fn complaint(query: &Query, tables: &BTreeMap<String, Table>) -> Option<String> {
    let of_an_account = |name: &str| tables.get(name).is_some_and(|table| table.tenant);
    let reads: Vec<_> = read(&query.text, |name| tables.contains_key(name))
        .into_iter()
        .filter(|read| of_an_account(&read.table))
        .collect();
    let parameters: BTreeSet<&str> = reads
        .iter()
        .filter_map(|read| match &read.tied {
            Tied::To(parameter) => Some(parameter.as_str()),
            _ => None,
        })
        .collect();
    let fenced = query.text.to_ascii_uppercase().contains("OFFSET 0");
    if parameters.len() > 1 {
        return Some(format!(
            "names its account by {parameters:?}, and one will do"
        ));
    }
    if parameters.is_empty() {
        if fenced && !reads.is_empty() {
            return Some(
                "is about many accounts and has OFFSET 0; db::join_by_keys does what it is for"
                    .to_owned(),
            );
        }
        let loose = reads.iter().find(|read| read.tied == Tied::No)?;
        let listed = SCANS.iter().any(|scan| query.is(*scan));
        return (!listed).then(|| {
            format!(
                "reads {} as {} without account_id",
                loose.table, loose.alias
            )
        });
    }
    let loose = reads
        .iter()
        .find(|read| !matches!(read.tied, Tied::To(_)))?;
    Some(format!(
        "is about one account, and {} has no `{}.account_id = $n` beside it",
        loose.table, loose.alias
    ))
}

#[test]
fn a_question_about_an_account_names_it_in_every_table() {
    let tables = map();
    let complaints: Vec<String> = queries()
        .iter()
        .filter_map(|query| {
            Some(format!(
                "{} {}\n  {}",
                query.file,
                complaint(query, &tables)?,
                query.text
            ))
        })
        .collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn only_the_listed_questions_read_both_groups() {
    let tables = map();
    for query in queries() {
        let groups: BTreeSet<Group> = read(&query.text, |name| tables.contains_key(name))
            .iter()
            .map(|read| tables[&read.table].group)
            .collect();
        let listed = BOTH_GROUPS.iter().any(|both| query.is(*both));
        assert_eq!(
            groups.len() > 1,
            listed,
            "{}: a question about both groups has its line in BOTH_GROUPS, and no other has: {}",
            query.file,
            query.text
        );
    }
}

#[test]
fn every_exception_is_still_one() {
    let queries = queries();
    for exception in SCANS.into_iter().chain(BOTH_GROUPS) {
        let count = queries.iter().filter(|query| query.is(exception)).count();
        assert_eq!(count, 1, "{exception:?}");
    }
}

#[test]
fn what_the_rules_are_for_is_seen() {
    let tables = map();
    let said = |text: &str| {
        let query = Query {
            file: "x.rs".to_owned(),
            text: text.to_owned(),
        };
        complaint(&query, &tables).unwrap_or_default()
    };
    for good in [
        "SELECT 1 FROM keys WHERE account_id = $1",
        "SELECT 1 FROM keys AS k JOIN sandboxes AS s ON s.account_id = $1 AND s.key_id = k.key_id WHERE k.account_id = $1",
        "SELECT 1 FROM (SELECT * FROM keys WHERE account_id = $1 LIMIT 2) AS k, unnest($2::text[]) AS u (x)",
        "SELECT k.name FROM unnest($1::uuid[]) AS u (account_id) JOIN keys AS k ON k.account_id = u.account_id",
        "UPDATE keys SET name = $2 WHERE account_id = $1 AND key_id = $3",
        "SELECT count(*) FROM jobs",
    ] {
        assert_eq!(said(good), "", "{good}");
    }
    for (bad, word) in [
        ("SELECT 1 FROM keys WHERE key_id = $1", "without account_id"),
        (
            "SELECT 1 FROM keys AS k JOIN sandboxes AS s USING (account_id, key_id) WHERE k.account_id = $1",
            "s.account_id",
        ),
        (
            "SELECT 1 FROM keys AS k JOIN sandboxes AS s ON s.account_id = k.account_id WHERE k.account_id = $1",
            "s.account_id",
        ),
        (
            "SELECT 1 FROM keys AS k WHERE k.account_id = $1 AND EXISTS (SELECT 1 FROM grants)",
            "grants.account_id",
        ),
        (
            "SELECT 1 FROM keys WHERE account_id = $1 UNION SELECT 1 FROM grants",
            "grants.account_id",
        ),
        (
            "SELECT 1 FROM keys AS k, grants AS g WHERE k.account_id = $1",
            "g.account_id",
        ),
        (
            "SELECT 1 FROM keys AS k, grants AS g WHERE k.account_id = $1 AND g.account_id = $2",
            "one will do",
        ),
        (
            "DELETE FROM keys WHERE key_id = $1 OR (account_id = $2)",
            "without account_id",
        ),
        (
            "SELECT 1 FROM unnest($1::uuid[]) AS u (id), LATERAL (SELECT 1 FROM keys WHERE account_id = u.id OFFSET 0) AS k",
            "join_by_keys",
        ),
    ] {
        assert!(said(bad).contains(word), "{bad}: {}", said(bad));
    }
}
