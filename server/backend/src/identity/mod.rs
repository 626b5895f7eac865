//! People: their addresses and passwords, and the pair by which they sign in.
//! What is billed is `accounts`'; what a person may do is `authority`'s; how one becomes a user is `sign_up`'s.

pub mod sign_in;
pub(crate) mod users;
