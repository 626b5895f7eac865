//! Being asked to stop: Ctrl-C, `kill`, a terminal that closes. It is noted and looked at between two steps, so that a second
//! Ctrl-C never leaves half of the programs running.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How often it is looked whether somebody asked.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Whether this process was asked to stop.
#[derive(Clone, Debug)]
pub struct Stop {
    asked: Arc<AtomicBool>,
}

impl Stop {
    /// From now on signals that ask for an end are noted instead of ending the process.
    pub fn on_signals() -> std::io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(Self { asked })
    }

    /// True from the first signal on.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Waits, and at most until somebody asks.
    pub fn pause(&self, most: Duration) {
        let end = Instant::now() + most;
        while !self.is_asked() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(LOOK_EVERY));
        }
    }
}
