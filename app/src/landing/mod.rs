//! The front door: what this is, what it costs and has cost, and the way in.

mod calculator;
mod example;
pub(crate) mod page;
mod words;
