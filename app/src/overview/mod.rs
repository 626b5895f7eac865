//! What is left, how fast it goes and what needs a look, drawn from all subjects. Nothing is changed here.

mod figures;
pub(crate) mod page;
