//! How often the conversation list is read.

use chrono::TimeDelta;

/// How urgently ended calls are looked for. The less the calls need of the request budget, the more often the list is
/// read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollUrgency {
    /// Calls wait for others to end: the limit of concurrent calls is reached, or a canary is out.
    Blocked,
    /// Nothing more is to be dialed now; the last conversations are followed to their end.
    Draining,
    /// The request budget goes to calls.
    Dialing,
}

impl PollUrgency {
    /// The urgency while the next call is blocked until another one ends, and while a call may be due now.
    #[must_use]
    pub fn new(is_blocked: bool, may_be_due: bool) -> Self {
        match (is_blocked, may_be_due) {
            (true, _) => Self::Blocked,
            (false, true) => Self::Dialing,
            (false, false) => Self::Draining,
        }
    }

    /// The time between the starts of two scans of this many pages.
    #[must_use]
    pub fn interval(self, pages: u32) -> TimeDelta {
        let seconds = match self {
            Self::Blocked => 10,
            Self::Draining => 25,
            Self::Dialing => 36,
        };
        TimeDelta::seconds(seconds) * i32::try_from(pages.max(1)).unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_wait_for_others_to_end_come_before_calls_that_are_due() {
        for (is_blocked, may_be_due, urgency) in [
            (true, true, PollUrgency::Blocked),
            (true, false, PollUrgency::Blocked),
            (false, true, PollUrgency::Dialing),
            (false, false, PollUrgency::Draining),
        ] {
            assert_eq!(PollUrgency::new(is_blocked, may_be_due), urgency, "{is_blocked} {may_be_due}");
        }
    }
}
