//! What reaches the browser: only crates on the list in wasm_crates.txt, none of the server's. A new dependency fails
//! here until somebody has looked at its size and listed it.

use std::collections::BTreeSet;
use std::process::Command;

const LISTED: &str = include_str!("wasm_crates.txt");
/// Never, whatever the list says: the server's own crates and what does I/O.
const FORBIDDEN: [&str; 12] = [
    "backend",
    "server",
    "peers",
    "tokio",
    "sqlx",
    "axum",
    "hyper",
    "reqwest",
    "argon2",
    "leptos_axum",
    "lettre",
    "rustls",
];

#[test]
fn the_browser_gets_listed_crates_only() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "-p",
            "frontend",
            "--target",
            "wasm32-unknown-unknown",
        ])
        .args([
            "-e",
            "normal,no-proc-macro",
            "--prefix",
            "none",
            "-f",
            "{p}",
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let text = String::from_utf8(tree.stdout).unwrap();
    let found: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert!(
        found.contains("app") && found.contains("domain"),
        "{found:?}"
    );
    for name in FORBIDDEN {
        assert!(!found.contains(name), "{name} reaches the browser");
    }
    let listed: BTreeSet<&str> = LISTED.lines().collect();
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "not listed: {new:?}; listed, but gone: {gone:?}"
    );
}
