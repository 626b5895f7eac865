//! What each subcommand does, one file each. `bench` has a folder of its own.

pub mod e2e;
pub mod run;
pub mod sbom;
pub mod watch;
