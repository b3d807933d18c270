//! How often the conversation list is read.
//!
//! While calls wait for a place, each ending that is not known keeps a place idle. Reads every `t` seconds learn of an
//! ending `t / 2` late on average, and cost a request each; so with `n` calls in progress of `m` seconds on average,
//! reads every `t` seconds cost `1 / t` requests and `n / m × t / 2` idle place-seconds a second. If a request is worth
//! `w` place-seconds, the sum is least at `t = √(2 w m / n)`. Two limits apply: [`LONGEST_IDLE`], which holds for few
//! calls, too, and the budget: reads take at most half of what other software leaves. Calls keep the first right to it,
//! because the list is read this often only while none can be placed.

use chrono::TimeDelta;

/// The idle time of a place that an interval may cause on average: until its call's end is known, and until the request
/// budget has the request of the next call.
const LONGEST_IDLE: f64 = 2.0;

/// What a request is worth that nothing else needs, in seconds of one place.
const REQUEST_WORTH: f64 = 0.3;

/// The interval while the request budget is what is short, in seconds for each page.
const DIALING_INTERVAL: i64 = 36;

/// The interval at the end of a run, in seconds for each page.
const DRAINING_INTERVAL: i64 = 25;

/// How urgently ended calls are looked for. The less the calls need of the request budget, the more often the list is
/// read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollUrgency {
    /// Calls wait for others to end: the limit of concurrent calls is reached, or a canary is out.
    Blocked {
        /// The interval for one page: see [`BudgetShare::interval`].
        every: TimeDelta,
    },
    /// Nothing more is to be dialed now; the last conversations are followed to their end.
    Draining,
    /// The request budget goes to calls.
    Dialing,
}

/// What the request budget leaves for reads while calls wait for a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetShare {
    /// Requests a minute that the organisation may send.
    pub requests_per_minute: u32,
    /// Of these, what other software is seen to use.
    pub foreign_per_minute: u32,
    /// Calls in progress.
    pub in_progress: usize,
    /// The average length of a call.
    pub average_call: TimeDelta,
}

impl BudgetShare {
    /// The time between the starts of two reads of one page.
    #[must_use]
    pub fn interval(self) -> TimeDelta {
        let (in_progress, average) = (self.in_progress.max(1) as f64, self.average_call.as_seconds_f64().max(1.0));
        let left = f64::from(self.requests_per_minute.saturating_sub(self.foreign_per_minute));
        let reads_per_minute = left / 2.0;
        let until_next_request = 60.0 / f64::from(self.requests_per_minute.max(1));
        let by_idle_time = 2.0 * (LONGEST_IDLE - until_next_request).max(0.0);
        let by_worth = (2.0 * REQUEST_WORTH * average / in_progress).sqrt();
        let by_budget = if reads_per_minute > 0.0 { 60.0 / reads_per_minute } else { f64::INFINITY };
        let seconds = by_worth.min(by_idle_time).max(by_budget).min(DIALING_INTERVAL as f64);
        TimeDelta::milliseconds((seconds * 1000.0) as i64)
    }
}

impl PollUrgency {
    /// The urgency while a call may be due now, and while it is blocked until another one ends.
    #[must_use]
    pub fn new(is_blocked: bool, may_be_due: bool, budget: BudgetShare) -> Self {
        match (is_blocked, may_be_due) {
            (true, true) => Self::Blocked { every: budget.interval() },
            (false, true) => Self::Dialing,
            (true | false, false) => Self::Draining,
        }
    }

    /// The time between the starts of two scans of this many pages.
    #[must_use]
    pub fn interval(self, pages: u32) -> TimeDelta {
        let every = match self {
            Self::Blocked { every } => every,
            Self::Draining => TimeDelta::seconds(DRAINING_INTERVAL),
            Self::Dialing => TimeDelta::seconds(DIALING_INTERVAL),
        };
        every * i32::try_from(pages.max(1)).unwrap_or(i32::MAX)
    }

    /// The time between the starts of two scans of this many pages for conversations whose call has ended: their places
    /// are free, so only a stop rule may wait for their outcomes.
    #[must_use]
    pub fn closing_interval(self, pages: u32, in_progress: usize) -> TimeDelta {
        match self {
            Self::Blocked { .. } if in_progress > 0 => Self::Dialing.interval(pages),
            Self::Blocked { .. } | Self::Draining | Self::Dialing => self.interval(pages),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(in_progress: usize, average: i64) -> BudgetShare {
        let average_call = TimeDelta::seconds(average);
        BudgetShare { requests_per_minute: 60, foreign_per_minute: 0, in_progress, average_call }
    }

    #[test]
    fn only_calls_that_are_due_wait_for_others_to_end() {
        let blocked = PollUrgency::Blocked { every: TimeDelta::seconds(2) };
        for (is_blocked, may_be_due, urgency) in [
            (true, true, blocked),
            (true, false, PollUrgency::Draining),
            (false, true, PollUrgency::Dialing),
            (false, false, PollUrgency::Draining),
        ] {
            assert_eq!(PollUrgency::new(is_blocked, may_be_due, budget(10, 150)), urgency, "{is_blocked} {may_be_due}");
        }
    }

    #[test]
    fn reads_take_half_of_the_budget_at_most_and_nothing_that_other_software_needs() {
        let other_software = |foreign_per_minute| BudgetShare { foreign_per_minute, ..budget(10, 150) };
        let large = |in_progress| BudgetShare { requests_per_minute: 600, ..budget(in_progress, 150) };
        for (name, share, seconds) in [
            ("the usual: half of the budget", budget(10, 150), 2.0),
            ("few calls wait no longer", budget(1, 150), 2.0),
            ("other software has half of the budget", other_software(30), 4.0),
            ("other software has nearly all of it", other_software(54), 20.0),
            ("other software has all of it", other_software(60), 36.0),
            ("more places than the budget can fill, but the ends are not known", budget(400, 150), 2.0),
            ("a large budget: a request is not worth the time of few places", large(1), 3.8),
            ("a large budget: many places", large(60), 1.224),
        ] {
            assert_eq!(share.interval(), TimeDelta::milliseconds((seconds * 1000.0) as i64), "{name}");
        }
    }

    #[test]
    fn conversations_that_are_only_closing_are_read_seldom_unless_nothing_else_is_waited_for() {
        let blocked = PollUrgency::Blocked { every: TimeDelta::seconds(2) };
        assert_eq!(blocked.closing_interval(1, 3), TimeDelta::seconds(36));
        assert_eq!(blocked.closing_interval(1, 0), TimeDelta::seconds(2));
        assert_eq!(PollUrgency::Draining.closing_interval(2, 3), TimeDelta::seconds(50));
    }
}
