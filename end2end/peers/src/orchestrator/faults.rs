//! Fault switches: for the next N requests of a plane, fail in one chosen way. Never part of the contract, never
//! stored: a restart is well again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{core::Shared, wire::Refusal};
use crate::serve::CloseConnection;

/// How long a hanging request is held before its connection closes.
const HANG: Duration = Duration::from_secs(60);

/// The requests that a fault concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plane {
    /// `/internal/v1`, but for the feed.
    Control,
    /// `/v1`.
    Public,
    /// `GET /internal/v1/feed`.
    Feed,
}

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

/// A switched-on fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    pub plane: Plane,
    pub fault: Fault,
    /// For how many requests.
    #[serde(default = "once")]
    pub times: u32,
}

const fn once() -> u32 {
    1
}

/// Switches waiting for requests; older ones first.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Switch>>);

impl Faults {
    const MAX: usize = 100;

    pub(crate) fn add(&self, switch: Switch) -> Result<(), Refusal> {
        let mut switches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if switches.len() >= Self::MAX {
            return Err(Refusal::invalid("Too many faults are switched on."));
        }
        if switch.times > 0 {
            switches.push(switch);
        }
        Ok(())
    }

    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    pub(crate) fn waiting(&self) -> Vec<Switch> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Uses up one turn of the oldest switch of this plane.
    fn take(&self, plane: Plane) -> Option<Fault> {
        let mut switches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

pub(crate) async fn layer(
    Extract(shared): Extract<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let plane = if path == "/internal/v1/feed" {
        Plane::Feed
    } else if path.starts_with("/internal/") {
        Plane::Control
    } else if path.starts_with("/v1/") {
        Plane::Public
    } else {
        return next.run(request).await;
    };
    match shared.faults.take(plane) {
        None => next.run(request).await,
        Some(Fault::Refuse) => CloseConnection.into_response(),
        Some(Fault::Hang) => {
            tokio::time::sleep(HANG).await;
            CloseConnection.into_response()
        }
        Some(Fault::Error) => Refusal::broken("A fault switch is on.").into_response(),
        Some(Fault::DropAnswer) => {
            drop(next.run(request).await);
            CloseConnection.into_response()
        }
        Some(Fault::Garbage) => "<html>this is not {\"json\":".into_response(),
    }
}
