//! What is left of the credit, where it went and where it leads. Nothing is changed here.

pub(crate) mod page;
pub(crate) mod statement;
pub(crate) mod twin;
pub(crate) mod what_if;
mod words;
