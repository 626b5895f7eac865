//! Who may do what: from a session to an [`actor::Actor`], from an actor to what it may read ([`view::View`]) and change
//! ([`change::Change`]). What each role may do is `domain::act`'s.

pub mod actor;
pub mod change;
pub mod session;
pub mod sessions;
mod store;
pub mod view;
