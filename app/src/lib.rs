//! What people see and what their forms reach, by subject: each has its server functions, its pages and its words.
//! Only `action`, `islands`, each subject's actions and `domain` reach the browser; pages never do, by construction.
//! Rules belong in `domain`, reading and writing in `backend`.
#![recursion_limit = "256"]

// How forms are received and answered; knows no subject.
pub mod action;
pub mod islands;

// How pages are framed, drawn and read by programs; knows no subject.
#[cfg(feature = "ssr")]
pub mod chart;
#[cfg(feature = "ssr")]
pub mod frame;
#[cfg(feature = "ssr")]
pub mod twin;

// The subjects.
pub mod alerts;
#[cfg(feature = "ssr")]
mod credit;
pub mod identity;
pub mod keys;
#[cfg(feature = "ssr")]
mod landing;
#[cfg(feature = "ssr")]
mod overview;
pub mod sandboxes;
pub mod sign_up;
pub mod targets;
#[cfg(feature = "ssr")]
mod usage;

// Above all of them.
#[cfg(feature = "ssr")]
pub mod routes;
