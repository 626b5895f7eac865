//! How a form ended, for the edge, which keeps its answer: the answer itself is a redirect in any case and does not say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::http::request::Parts;
use leptos::prelude::use_context;

use super::ActionError;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was done.
    Done,
    /// It was refused, and the page says why.
    Refused,
    /// Our side broke.
    Broken,
}

/// A place for it in the extensions of a request, put there by the edge.
#[derive(Clone, Debug, Default)]
pub struct Ending(Arc<AtomicU8>);

impl Ending {
    /// Notes how it ends, or has to end after all.
    pub fn set(&self, end: End) {
        let number = match end {
            End::Done => 0,
            End::Refused => 1,
            End::Broken => 2,
        };
        self.0.store(number, Ordering::Relaxed);
    }

    /// What was noted last; done, when nothing went wrong.
    #[must_use]
    pub fn get(&self) -> End {
        match self.0.load(Ordering::Relaxed) {
            0 => End::Done,
            1 => End::Refused,
            _ => End::Broken,
        }
    }
}

/// Notes that the form of this request was not done.
pub(super) fn failed(error: &ActionError) {
    let ending = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Ending>().cloned());
    if let Some(ending) = ending {
        ending.set(match error {
            ActionError::Refused(_) | ActionError::Denied(_) | ActionError::SignedOut => {
                End::Refused
            }
            ActionError::Busy | ActionError::Unexpected { .. } => End::Broken,
        });
    }
}
