//! Mails on their way: one row and one job each. What a mail says is its subject's.

pub mod letter;
pub mod send;
mod store;

pub use crate::mail::store::{MailRow, To};
pub(crate) use crate::mail::store::{count_for_account, count_since};
