//! Signing up, and opening the account from the mail that follows.

pub mod actions;

#[cfg(feature = "ssr")]
pub(crate) mod check_mail;
#[cfg(feature = "ssr")]
pub mod open_account;
#[cfg(feature = "ssr")]
pub(crate) mod page;
#[cfg(feature = "ssr")]
mod words;
