//! API keys: their list, each one alone, making and revoking them.

pub mod actions;

#[cfg(feature = "ssr")]
pub(crate) mod create;
#[cfg(feature = "ssr")]
pub(crate) mod created;
#[cfg(feature = "ssr")]
pub(crate) mod detail;
#[cfg(feature = "ssr")]
pub(crate) mod list;
#[cfg(feature = "ssr")]
mod words;
