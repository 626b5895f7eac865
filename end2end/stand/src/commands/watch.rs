//! What has changed in the checkout since it was last looked at: by names, sizes and times of files, for `make dev`.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

/// The state of everything that is built, in two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Of what reaches the browser.
    pub browser: u64,
    /// Of what the server is made of.
    pub server: u64,
}

/// What becomes the files of the browser, besides parts of `app/src`.
const BROWSER: [&str; 4] = ["style", "public", "app/domain", "app/frontend"];
const SERVER: [&str; 6] = [
    "app",
    "server",
    "migrations",
    ".sqlx",
    "Cargo.toml",
    "Cargo.lock",
];

pub fn look(root: &Path) -> Seen {
    let mut browser: Vec<PathBuf> = BROWSER
        .iter()
        .flat_map(|part| files(&root.join(part)))
        .collect();
    browser.extend(
        files(&root.join("app/src"))
            .into_iter()
            .filter(|file| reaches_browser(file)),
    );
    let server = SERVER
        .iter()
        .flat_map(|part| files(&root.join(part)))
        .collect();
    Seen {
        browser: stamp(browser),
        server: stamp(server),
    }
}

/// Pages never reach the browser as wasm, so a change in them does not need the long build of it. What does is an island, the
/// caller's side of a server function with what it answers, or says which modules there are.
fn reaches_browser(file: &Path) -> bool {
    let is_list = file
        .file_name()
        .is_some_and(|name| name == "lib.rs" || name == "mod.rs");
    let is_of_both = file
        .components()
        .any(|part| part.as_os_str() == "islands" || part.as_os_str() == "action");
    is_list
        || is_of_both
        || std::fs::read_to_string(file)
            .is_ok_and(|text| text.contains("#[island") || text.contains("#[server"))
}

/// Every file below a path. One that is not there counts for nothing, and so does a file that vanishes meanwhile.
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else {
        return if path.is_file() {
            vec![path.to_owned()]
        } else {
            Vec::new()
        };
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .flat_map(|entry| files(&entry.path()))
        .collect();
    found.sort();
    found
}

fn stamp(files: Vec<PathBuf>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in files {
        if let Ok(meta) = file.metadata() {
            (file, meta.len(), meta.modified().ok()).hash(&mut hasher);
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_not_built_for_the_browser_and_an_island_is() {
        let root = std::env::temp_dir().join(format!("stand-watch-{}", std::process::id()));
        let write = |file: &str, text: &str| {
            let file = root.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        write("app/src/keys/page.rs", "fn page() {}");
        write("app/src/keys/actions.rs", "#[server(endpoint = \"x\")]");
        let first = look(&root);
        assert_eq!(first, look(&root));
        write("app/src/keys/page.rs", "fn page() { }");
        let page = look(&root);
        assert_eq!(
            (first.browser, first.server == page.server),
            (page.browser, false)
        );
        write("app/src/keys/actions.rs", "#[server(endpoint = \"xy\")]");
        assert_ne!(look(&root).browser, page.browser);
        write("style/main.css", "a{}");
        assert_ne!(look(&root).browser, page.browser);
        std::fs::remove_dir_all(root).unwrap();
    }
}
