//! Mails on their way: one row and one job each. What a mail says is its subject's.

pub mod letter;
pub mod send;
pub mod store;
