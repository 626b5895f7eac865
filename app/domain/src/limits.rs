//! Old paths, until all callers are moved.

pub use crate::ceilings::*;
