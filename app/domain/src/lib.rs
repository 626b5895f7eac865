//! The rules of the Isorun account: what an address, a key, an interval, a price and a refusal are.
//! Pure by decree: no clock, no randomness, no I/O. Time and random bytes arrive as parameters, and everything builds for wasm.
#![deny(missing_docs)]

pub mod act;
pub mod alert;
pub mod burn_down;
pub mod calendar;
pub mod ceilings;
pub mod country;
pub mod credit;
pub mod document;
#[cfg(feature = "text")]
pub mod email;
pub mod feed;
pub mod figures;
pub mod forecast;
pub mod id;
pub mod identity;
pub mod incident;
pub mod interval;
pub mod key;
pub mod limit;
pub mod moment;
pub mod money;
#[cfg(feature = "text")]
pub mod name;
pub mod number;
pub mod page;
#[cfg(feature = "text")]
pub mod password;
pub mod price;
pub mod role;
pub mod sandbox;
pub mod search;
pub mod shown;
pub mod sign_up;
pub mod target;
pub mod usage;
pub mod webhook;
