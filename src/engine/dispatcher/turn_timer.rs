//! Measures how far our clock and real time drift apart during one turn of the dispatcher.

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// The start of the current turn, by our clock and by the time that passes while the machine is awake.
#[derive(Debug)]
pub(super) struct TurnTimer {
    started: DateTime<Utc>,
    instant: Instant,
}

impl TurnTimer {
    pub(super) fn start(now: DateTime<Utc>) -> Self {
        Self { started: now, instant: Instant::now() }
    }

    /// Starts the next turn. Returns by how much our clock advanced more, or less, than real time did.
    pub(super) fn restart(&mut self, now: DateTime<Utc>) -> TimeDelta {
        let last = std::mem::replace(self, Self::start(now));
        let passed = TimeDelta::from_std(last.instant.elapsed()).unwrap_or(TimeDelta::MAX);
        (now - last.started) - passed
    }
}
