//! Whether our clock can be trusted: answers of the vendor and real time contradict a wrong one.

use chrono::{DateTime, TimeDelta, Utc};

use crate::engine::stop_reason::StopReason;
use crate::engine::vendor_clock::{CLOCK_TOLERANCE, ClockTrust};
use crate::vendor::{Response, Vendor};

use super::state::Dispatcher;

impl<V: Vendor> Dispatcher<'_, '_, V> {
    /// Compares our clock with the real time that has passed since the last turn.
    pub(super) fn watch_clock_jumps(&mut self, now: DateTime<Utc>) {
        let drift = self.turn_timer.restart(now);
        let by = self.vendor_clock.on_jump(drift);
        self.reconciler.on_clock_jump(by);
    }

    /// Takes the request budget and the vendor's clock from an answer's headers.
    pub(super) fn observe_headers<T>(&mut self, answer: &Response<T>) {
        let now = self.deps.clock.now();
        self.quotas.observe(&self.organisation, &answer.rate_headers, now);
        if let Some(date) = answer.date {
            self.vendor_clock.on_date(date, now);
        }
        if let ClockTrust::Wrong(by) = self.vendor_clock.trust() {
            self.enforce_clock(by);
        }
    }

    /// How far the vendor's clock is ahead of ours.
    pub(super) fn ahead(&self) -> TimeDelta {
        self.vendor_clock.ahead()
    }

    /// Whether the vendor's last answer contradicts our clock. Until the next answers decide, no call is placed.
    pub(super) fn is_clock_in_doubt(&self) -> bool {
        self.vendor_clock.trust() != ClockTrust::Trusted
    }

    /// Stops placing calls and reading if our clock is off by more than [`CLOCK_TOLERANCE`], even if the run has
    /// already stopped for another reason. A simulated clock may differ.
    pub(super) fn enforce_clock(&mut self, off: TimeDelta) {
        let trusted = self.deps.clock.is_simulated() || off.abs() <= CLOCK_TOLERANCE;
        if !trusted && !self.has_stopped_reading {
            self.stop_placing(StopReason::Clock { seconds: off.num_seconds().abs() });
        }
    }
}
