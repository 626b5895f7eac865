//! Usage: what was asked, its chart and rows, and how each sum is made. Nothing is changed here.

pub(crate) mod controls;
pub(crate) mod facet;
pub(crate) mod intervals;
pub(crate) mod page;
pub(crate) mod reasons;
pub(crate) mod twin;
mod words;
