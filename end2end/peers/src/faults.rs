//! Fault switches: for the next N requests of a plane, fail in one chosen way. Never part of the contract, never
//! stored: a restart is well again. Which planes there are, each peer says.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::serve::{CloseConnection, Refuse};

/// How long a hanging request is held before its connection closes.
const HANG: Duration = Duration::from_secs(60);

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// No effect; the connection closes without an answer.
    Refuse,
    /// No effect; no answer for up to 60 seconds.
    Hang,
    /// No effect; 500.
    Error,
    /// The effect happens; the connection closes without an answer.
    DropAnswer,
    /// No effect; 200 with a body that is not JSON.
    Garbage,
}

/// A switched-on fault of one plane `P` of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch<P> {
    pub plane: P,
    pub fault: Fault,
    /// For how many requests.
    #[serde(default = "once")]
    pub times: u32,
}

const fn once() -> u32 {
    1
}

/// More switches are on than anybody can have meant.
#[derive(Debug, thiserror::Error)]
#[error("Too many faults are switched on.")]
pub(crate) struct TooMany;

/// Switches waiting for requests; older ones first.
pub(crate) struct Faults<P> {
    /// The plane that a path belongs to; `None` never fails.
    plane_of: fn(&str) -> Option<P>,
    refuse: Refuse,
    waiting: Mutex<Vec<Switch<P>>>,
}

impl<P: Copy + PartialEq> Faults<P> {
    const MAX: usize = 100;

    pub(crate) fn new(plane_of: fn(&str) -> Option<P>, refuse: Refuse) -> Self {
        Self {
            plane_of,
            refuse,
            waiting: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn add(&self, switch: Switch<P>) -> Result<(), TooMany> {
        let mut switches = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if switches.len() >= Self::MAX {
            return Err(TooMany);
        }
        if switch.times > 0 {
            switches.push(switch);
        }
        Ok(())
    }

    pub(crate) fn clear(&self) {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    pub(crate) fn waiting(&self) -> Vec<Switch<P>> {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Uses up one turn of the oldest switch of this plane.
    fn take(&self, plane: P) -> Option<Fault> {
        let mut switches = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let index = switches.iter().position(|switch| switch.plane == plane)?;
        let switch = switches.get_mut(index)?;
        switch.times -= 1;
        let fault = switch.fault;
        if switch.times == 0 {
            switches.remove(index);
        }
        Some(fault)
    }
}

pub(crate) async fn layer<P: Copy + PartialEq + Send + 'static>(
    Extract(faults): Extract<Arc<Faults<P>>>,
    request: Request,
    next: Next,
) -> Response {
    let plane = (faults.plane_of)(request.uri().path());
    match plane.and_then(|plane| faults.take(plane)) {
        None => next.run(request).await,
        Some(Fault::Refuse) => CloseConnection.into_response(),
        Some(Fault::Hang) => {
            tokio::time::sleep(HANG).await;
            CloseConnection.into_response()
        }
        Some(Fault::Error) => {
            (faults.refuse)(StatusCode::INTERNAL_SERVER_ERROR, "A fault switch is on.")
        }
        Some(Fault::DropAnswer) => {
            drop(next.run(request).await);
            CloseConnection.into_response()
        }
        Some(Fault::Garbage) => "<html>this is not {\"json\":".into_response(),
    }
}
