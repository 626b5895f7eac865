//! Signing up, and the confirmation of the address that opens the account.

pub mod actions;

#[cfg(feature = "ssr")]
pub(crate) mod check_mail;
#[cfg(feature = "ssr")]
pub(crate) mod page;
#[cfg(feature = "ssr")]
pub mod verify_email;
#[cfg(feature = "ssr")]
mod words;
