//! People: their addresses and passwords, their sessions, and the proof that an address is theirs.
//! What is billed is `accounts`'; what a person may do is `authority`'s.

pub mod mails;
pub mod sign_in;
pub(crate) mod users;
pub mod verification;
