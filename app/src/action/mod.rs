//! How a form is received and answered: who asks, which request it is, where the answer leads and what the next page
//! says. The forms themselves are their subjects': `actions.rs` there, one POST each to a fixed address under `/api`,
//! in three steps: get the authority, call one subject of `backend`, say where to go.

mod error;
pub mod problem;

#[cfg(feature = "ssr")]
pub mod answer;
#[cfg(feature = "ssr")]
pub mod context;
#[cfg(feature = "ssr")]
pub(crate) mod denial;
#[cfg(feature = "ssr")]
pub mod ending;
#[cfg(feature = "ssr")]
pub mod flash;
#[cfg(feature = "ssr")]
pub mod form_token;
#[cfg(feature = "ssr")]
pub mod request;
#[cfg(feature = "ssr")]
pub mod request_id;
#[cfg(feature = "ssr")]
pub mod sealed;
#[cfg(feature = "ssr")]
pub mod wanted;
#[cfg(feature = "ssr")]
mod words;

pub use error::ActionError;
