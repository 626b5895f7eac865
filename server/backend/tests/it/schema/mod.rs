//! What holds of the schema and of the queries beyond what PostgreSQL checks: migrations that have landed stay as they are,
//! every table is classed in docs/data-map.toml, and catalogue and queries keep to the two groups, directory and cell.

mod ceilings;
mod landed;
pub(crate) mod queries;
mod refused;
mod sql;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A table as docs/data-map.toml classes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    owner: String,
    group: Group,
    tenant: bool,
    #[serde(default)]
    append_only: bool,
    at_closing: AtClosing,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Group {
    Directory,
    Cell,
}

/// What becomes of the rows of an account when it is purged.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum AtClosing {
    Deleted,
    Archived,
    Emptied,
    Expires,
    None,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn map() -> BTreeMap<String, Table> {
    #[derive(Deserialize)]
    struct Map {
        table: BTreeMap<String, Table>,
    }
    let text = std::fs::read_to_string(repository().join("docs/data-map.toml")).unwrap();
    toml::from_str::<Map>(&text).unwrap().table
}

/// The migrations: file name and text, in their order.
fn migrations() -> Vec<(String, String)> {
    let folder = repository().join("migrations");
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "sql"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}
