//! What is left, how fast it goes and what needs a look, drawn from all subjects. Nothing is changed here.

pub(crate) mod page;
