//! What holds of the layout of the sources beyond what the compiler checks, read as plain text: who may name whom
//! (`floors`), who may call whose SQL (`walls`), who writes a table (`owners`), where a change begins (`changes`), and that what is declared is registered (`registry`).

mod changes;
mod floors;
mod owners;
mod registry;
mod walls;

use std::path::{Path, PathBuf};

/// The sources that this is about.
const BACKEND: &str = "server/backend/src";

/// A source file. Comments are blanked, so that what they speak of counts for nothing.
struct Source {
    /// The folder of its crate's sources, from the root of the repository.
    root: &'static str,
    /// Its path below that.
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let code: Vec<&str> = text.lines().map(without_comment).collect();
        Self {
            root: BACKEND,
            path: path.to_owned(),
            text: code.join("\n"),
        }
    }

    /// The folder or file at the top that it belongs to.
    fn subject(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The place in the file, as an editor takes it.
    fn place(&self, at: usize) -> String {
        let line = self.text[..at].matches('\n').count() + 1;
        format!("{}/{}:{line}", self.root, self.path)
    }
}

/// The code of a line. A `//` behind a colon is part of an address.
fn without_comment(line: &str) -> &str {
    let mut starts = line.match_indices("//").map(|(at, _)| at);
    let start = starts.find(|at| !line[..*at].ends_with(':'));
    start.map_or(line, |at| &line[..at])
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file of the backend, in the order of their paths.
fn sources() -> Vec<Source> {
    let files = sources_of(BACKEND);
    assert!(files.len() > 100, "the sources are not where they were");
    files
}

/// Every file of a crate, in the order of their paths.
fn sources_of(root: &'static str) -> Vec<Source> {
    let folder = repository().join(root);
    let mut files = Vec::new();
    collect(&folder, &folder, &mut files);
    files.sort_by(|one, other| one.path.cmp(&other.path));
    for file in &mut files {
        file.root = root;
    }
    files
}

fn collect(root: &Path, folder: &Path, into: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let name = path.strip_prefix(root).unwrap().to_string_lossy();
            into.push(Source::new(&name, &std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The word that begins here; empty when none does.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    &text[..end.unwrap_or(text.len())]
}

/// Fails with what was found, one a line.
fn none(found: &[String]) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}
