//! Sandboxes: their list, each one alone, and those that cost without working.

pub mod actions;

#[cfg(feature = "ssr")]
pub(crate) mod detail;
#[cfg(feature = "ssr")]
pub(crate) mod list;
#[cfg(feature = "ssr")]
pub(crate) mod waste;
#[cfg(feature = "ssr")]
mod words;
