//! The addresses of the built files, whose names hold a hash of their content. Read from `assets.json` by `server`.

use serde::Deserialize;

/// Paths below the origin, such as `/pkg/main.1f2e.css`. Provided as context to every page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Assets {
    pub css: String,
    /// The module that loads the islands.
    pub js: String,
    /// What it loads.
    pub wasm: String,
}
