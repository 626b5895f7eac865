//! Limit and alerts: what ends the spending, who is told before it does, and by which ways.

pub mod actions;
pub mod calendar_actions;
pub mod limit_actions;
pub mod webhook_actions;

#[cfg(feature = "ssr")]
pub(crate) mod history;
#[cfg(feature = "ssr")]
pub(crate) mod page;
#[cfg(feature = "ssr")]
pub mod recipient_link;
#[cfg(feature = "ssr")]
pub(crate) mod recipients;
#[cfg(feature = "ssr")]
mod ways;
#[cfg(feature = "ssr")]
mod words;
