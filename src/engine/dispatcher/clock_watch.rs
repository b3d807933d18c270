//! Whether our clock can be trusted: answers of the vendor and real time contradict a wrong one.

use chrono::TimeDelta;

use crate::engine::stop_reason::StopReason;
use crate::engine::vendor_clock::ClockTrust;
use crate::vendor::Response;

use super::state::Dispatcher;
use super::work::Effects;

impl Dispatcher {
    /// Our clock advanced by `drift` more, or less, than real time did since the last turn.
    pub(super) fn on_clock_drift(&mut self, drift: TimeDelta) {
        let by = self.vendor_clock.on_jump(drift);
        self.reconciler.on_clock_jump(by);
    }

    /// Takes the request budget and the vendor's clock from an answer's headers.
    pub(super) fn observe_headers<T>(&mut self, answer: &Response<T>, effects: &mut Effects) {
        let now = effects.now;
        self.quotas.observe(&self.organisation, &answer.rate_headers, now);
        if let Some(date) = answer.date {
            self.vendor_clock.on_date(date, now);
        }
        if let ClockTrust::Wrong(by) = self.vendor_clock.trust() {
            self.enforce_clock(by, effects);
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

    /// Stops placing calls and reading if our clock is off by more than is tolerated, even if the run has
    /// already stopped for another reason.
    pub(super) fn enforce_clock(&mut self, off: TimeDelta, effects: &mut Effects) {
        if self.vendor_clock.is_off(off) && !self.has_stopped_reading {
            self.stop_placing(StopReason::Clock { seconds: off.num_seconds().abs() }, effects);
        }
    }
}
