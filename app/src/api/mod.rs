//! The server functions: every change a person can make, one POST each to a fixed address under `/api`.
//! A body has three steps: get the authority, call one service, say where to go. Reads are not here; pages call `backend`.

mod error;

pub mod account;
pub mod alert;
pub mod calendar;
pub mod keys;
pub mod limit;
pub mod sandboxes;
pub mod session;
pub mod webhook;

#[cfg(feature = "ssr")]
pub mod answer;
#[cfg(feature = "ssr")]
pub mod flash;
#[cfg(feature = "ssr")]
pub mod once;
#[cfg(feature = "ssr")]
pub mod request;

pub use error::ActionError;
