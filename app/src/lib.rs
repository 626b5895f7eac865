//! What people see and what their forms reach: server functions, islands and pages.
//! Only `islands`, `api` and `domain` reach the browser; `pages` never does, by construction. Rules belong in `domain`,
//! reading and writing in `backend`.
#![recursion_limit = "256"]

pub mod api;
pub mod islands;

#[cfg(feature = "ssr")]
pub mod assets;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod request_id;
