//! Foreign usage: requests that other software makes from the same budget. The headers show it as requests that are
//! gone and were not ours.

use chrono::{DateTime, TimeDelta, Utc};

/// Foreign requests seen in a shorter span count as spread over this one: two responses close together say little.
const MIN_SPAN: TimeDelta = TimeDelta::seconds(10);

/// Foreign requests seen within one window, and the span in which they were seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ForeignUsage {
    requests: u32,
    span: TimeDelta,
}

/// The usage of one window since its first response.
#[derive(Debug, Clone, Copy)]
pub(super) struct WindowUsage {
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    /// Requests left at its first response.
    first_remaining: u32,
    /// Our requests since its first response.
    ours: u32,
    /// Requests of other software since its first response.
    foreign: u32,
}

impl WindowUsage {
    /// Starts with a window's first response.
    pub(super) fn new(now: DateTime<Utc>, remaining: u32) -> Self {
        Self { since: now, until: now, first_remaining: remaining, ours: 0, foreign: 0 }
    }

    /// Adds a response. The vendor may have counted our requests in flight already, so they are not foreign.
    pub(super) fn observe(self, now: DateTime<Utc>, remaining: u32, in_flight: u32) -> Self {
        let ours = self.ours + 1;
        let gone = self.first_remaining.saturating_sub(remaining);
        let foreign = self.foreign.max(gone.saturating_sub(ours + in_flight));
        Self { ours, foreign, until: now.max(self.until), ..self }
    }

    /// Adds a request of ours that got no response, or one without a count.
    pub(super) fn unanswered(self) -> Self {
        Self { ours: self.ours + 1, ..self }
    }

    /// The foreign usage seen so far.
    pub(super) fn foreign(&self) -> ForeignUsage {
        ForeignUsage { requests: self.foreign, span: self.until - self.since }
    }

    /// The time since the last response.
    pub(super) fn since_last_response(&self, now: DateTime<Utc>) -> TimeDelta {
        now - self.until
    }
}

impl ForeignUsage {
    /// The foreign requests to expect in `span` at this rate, rounded up, so that any foreign usage counts.
    pub(super) fn in_span(self, span: TimeDelta) -> u32 {
        let seen = self.span.max(MIN_SPAN).num_milliseconds();
        let expected = i64::from(self.requests) * span.num_milliseconds().max(0);
        u32::try_from((expected + seen - 1) / seen).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn requests_that_are_gone_and_were_not_ours_are_foreign() {
        let usage = WindowUsage::new(at(0), 59).observe(at(10), 53, 0).observe(at(20), 47, 0);
        assert_eq!(usage.foreign(), ForeignUsage { requests: 10, span: TimeDelta::seconds(20) });
        for (seconds, expected) in [(0, 0), (1, 1), (2, 1), (3, 2), (20, 10), (-5, 0)] {
            assert_eq!(usage.foreign().in_span(TimeDelta::seconds(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn our_own_requests_never_count_as_foreign() {
        // The vendor has counted the requests in flight and the unanswered one.
        let usage =
            WindowUsage::new(at(0), 59).unanswered().observe(at(1), 54, 3).observe(at(2), 54, 2).observe(at(3), 54, 1);
        assert_eq!(usage.foreign(), ForeignUsage { requests: 0, span: TimeDelta::seconds(3) });
    }

    #[test]
    fn two_responses_close_together_say_little() {
        let usage = WindowUsage::new(at(0), 59).observe(at(1), 57, 0);
        assert_eq!(usage.foreign().in_span(TimeDelta::seconds(10)), 1);
    }
}
