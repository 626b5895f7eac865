//! What the browser loads: it links `app`, so that the islands are exported, and readies them for the shell's script.
//! Nothing else belongs here; islands live in `app::islands`.

// Without this line the linker drops every island without a word: nothing else here refers to them.
use app as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the script of `app::frame::shell` before it wakes the islands of the page one by one.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
