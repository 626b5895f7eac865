//! Refusing mail that others have sent to one's address, by the link in such a mail; without an account and without scripts.

pub mod actions;
#[cfg(feature = "ssr")]
pub mod no_more_mail;
#[cfg(feature = "ssr")]
mod words;
