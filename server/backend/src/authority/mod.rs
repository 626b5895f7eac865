//! Who may do what: from a session to an `Actor`, and from an `Actor` to what it may read and change.
//! What each role may do is `domain`'s; which routes ask is `app`'s and `server`'s.

pub mod actor;
pub mod session;
pub mod store;
pub mod view;
