//! Who one is here: signing in and out, and what is known of the person. Signing up is `sign_up`'s.

pub mod actions;

#[cfg(feature = "ssr")]
pub(crate) mod settings;
#[cfg(feature = "ssr")]
pub(crate) mod sign_in;
#[cfg(feature = "ssr")]
mod words;
