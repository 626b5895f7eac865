//! The one place that reads the time. Billing never does: it lives by the feed's own moments.

#[cfg(feature = "testing")]
use std::sync::Arc;
#[cfg(feature = "testing")]
use std::sync::atomic::{AtomicI64, Ordering};

use time::OffsetDateTime;

/// A clock; the system's, or with feature `testing` one that tests move.
#[derive(Clone, Debug)]
pub struct Clock {
    #[cfg(feature = "testing")]
    ahead_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self {
            #[cfg(feature = "testing")]
            ahead_ms: Arc::default(),
        }
    }

    /// Now, in UTC, cut to microseconds: PostgreSQL keeps no more, so what is written equals what is read back.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the time"
        )]
        let now = OffsetDateTime::now_utc();
        #[cfg(feature = "testing")]
        let now = now + time::Duration::milliseconds(self.ahead_ms.load(Ordering::Relaxed));
        now.replace_nanosecond(now.nanosecond() / 1_000 * 1_000)
            .unwrap_or(now)
    }

    /// Moves a test's clock forward (or, negative, back).
    #[cfg(feature = "testing")]
    pub fn advance(&self, by: time::Duration) {
        let ms = i64::try_from(by.whole_milliseconds()).unwrap_or(i64::MAX);
        self.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }
}
