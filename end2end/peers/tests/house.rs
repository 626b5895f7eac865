//! How this crate is laid out: imports only run down, and peers share mechanisms but do not know each other.
//! Reading the sources is floors/mod.rs.

mod floors;

use std::{collections::BTreeMap, path::Path};

/// Lowest first. Who is on one floor does not name each other. A file that is not here fails the test.
const FLOORS: &[&[&str]] = &[
    // The mechanisms that every peer is built from. They know no peer.
    &["contract", "outside", "serve", "stamp"],
    &["clock", "exchanges", "faults", "journal"],
    // The mail catcher.
    &["mail::inbox"],
    &["mail::smtp", "mail::web"],
    &["mail"],
    // The orchestrator: what is known, how it changes, and the lock and journal around that.
    &[
        "orchestrator::ending",
        "orchestrator::plane",
        "orchestrator::wire",
    ],
    &["orchestrator::allowance"],
    &["orchestrator::records"],
    &["orchestrator::state"],
    &["orchestrator::transaction"],
    &["orchestrator::shared"],
    // Its rules, each as `impl Transaction`, which may call those of the floors below.
    &["orchestrator::tenants"],
    &["orchestrator::keys"],
    &["orchestrator::runs"],
    &["orchestrator::snapshots"],
    // Its handlers, and the switches of tests.
    &[
        "orchestrator::commands",
        "orchestrator::control",
        "orchestrator::feed",
        "orchestrator::guest",
        "orchestrator::public",
        "orchestrator::usage",
    ],
    &["orchestrator::peer"],
    &["orchestrator::routes"],
    &["orchestrator"],
    &["lib"],
];

fn sources() -> std::io::Result<BTreeMap<String, String>> {
    floors::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

#[test]
fn imports_only_run_down() {
    let problems = floors::check(&sources().unwrap(), FLOORS);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn peers_do_not_know_each_other() {
    let sources = sources().unwrap();
    let peers = ["mail", "orchestrator"];
    let peer_of = |module: &str| {
        let folder = module.split("::").next().unwrap_or_default().to_owned();
        peers.contains(&folder.as_str()).then_some(folder)
    };
    for (module, text) in &sources {
        for named in floors::names(&sources, module, text) {
            if let (Some(peer), Some(other)) = (peer_of(module), peer_of(&named)) {
                assert_eq!(peer, other, "{module} names {named}");
            }
        }
    }
}

#[test]
fn the_scan_sees_groups_renames_and_paths_in_code() {
    let text = "\
//! Not crate::comment.
use std::{collections::BTreeMap, self};
use crate::{
    ground::{self, Thing as Other}, // nor crate::comment
    below::*,
};
use super::sibling::{One, Two};
use super::super::top;
fn call(x: Self) -> crate::path::Type {
    x::self_made::<super::turbo::Fish>(self::folder::own())
}
#[cfg(test)]
mod tests {
    use crate::tested;
}
";
    let modules: Vec<&str> = vec![
        "comment",
        "ground",
        "below",
        "top",
        "path",
        "tested",
        "std",
        "self_made",
        "a::sibling",
        "a::turbo",
        "a::b",
        "a::b::folder",
        "a",
    ];
    let modules = modules
        .into_iter()
        .map(|module| (module.to_owned(), text.to_owned()))
        .collect();
    let named: Vec<String> = floors::names(&modules, "a::b", text).into_iter().collect();
    let expected = [
        "a::b::folder",
        "a::sibling",
        "a::turbo",
        "below",
        "ground",
        "path",
        "top",
    ];
    assert_eq!(named, expected);
}

#[test]
fn a_module_that_names_up_or_sideways_or_has_no_floor_is_reported() {
    let modules = [
        ("low", "use crate::high::Thing;"),
        ("beside", "use super::low;"),
        ("high", "use crate::Root; use crate::low::Thing;"),
        ("high::part", ""),
        ("new", ""),
        ("lib", "mod low;"),
    ];
    let modules = modules
        .into_iter()
        .map(|(module, text)| (module.to_owned(), text.to_owned()))
        .collect();
    let floors: &[&[&str]] = &[
        &["low", "beside"],
        &["high"],
        &["high::part", "gone"],
        &["lib"],
    ];
    let expected = [
        "beside names low, which is not below it",
        "high names lib, which is not below it",
        "high::part is not below its own folder",
        "low names high, which is not below it",
        "new stands on no floor",
        "gone is on a floor, but there is no such file",
    ];
    assert_eq!(floors::check(&modules, floors), expected);
}
