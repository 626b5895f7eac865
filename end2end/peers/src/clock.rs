//! A peer's own time: real time, sped up or moved forward on request, never backwards.
//! Reads no other clock and decides nothing about what a peer does.

use serde::{Deserialize, Serialize};

use crate::{outside::real_ms, stamp::Stamp};

/// A function from real to virtual time. Stored, so that a restart continues the same line:
/// what a peer runs goes on running while the peer is down, as in the real one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Clock {
    pub(crate) virtual_ms: i64,
    pub(crate) real_ms: i64,
    /// Virtual milliseconds per real millisecond; 0 stands still.
    pub(crate) speed: u32,
}

impl Clock {
    /// The fastest clock that can be asked for: a day in under a second.
    pub(crate) const MAX_SPEED: u32 = 100_000;
    /// The furthest one jump may go: 400 days.
    pub(crate) const MAX_ADVANCE_MS: i64 = 400 * 86_400_000;

    pub(crate) fn real_time() -> Self {
        let now = real_ms();
        Self {
            virtual_ms: now,
            real_ms: now,
            speed: 1,
        }
    }

    pub(crate) fn now(self) -> Stamp {
        let passed = real_ms().saturating_sub(self.real_ms).max(0);
        Stamp(
            self.virtual_ms
                .saturating_add(passed.saturating_mul(i64::from(self.speed))),
        )
    }

    /// The same moment `now`, from here on at another speed.
    pub(crate) fn at_speed(now: Stamp, speed: u32) -> Self {
        Self {
            virtual_ms: now.0,
            real_ms: real_ms(),
            speed,
        }
    }
}
