//! Tells cargo that a new or changed migration means a new build, because the migrations are embedded.

fn main() {
    // A build script speaks to cargo through its standard output; there is no other way.
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "cargo:rerun-if-changed=../../migrations");
}
