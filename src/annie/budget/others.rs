//! What other software takes out of the same budget, as far as the headers show it: whatever is gone and was not ours.

use chrono::{DateTime, TimeDelta, Utc};

/// What others did in less than this is spread over it: two answers close together say little.
const SEEN_AT_LEAST: TimeDelta = TimeDelta::seconds(10);

/// Requests that others have made within one window, while we looked on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Others {
    requests: u32,
    span: TimeDelta,
}

/// What one window has shown since its first answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    /// Requests left at its first answer.
    remained: u32,
    /// Answers since.
    ours: u32,
    others: u32,
}

impl Watch {
    /// The first answer of a window, which says that so many remain.
    pub(super) fn from(now: DateTime<Utc>, remained: u32) -> Self {
        Self { since: now, until: now, remained, ours: 0, others: 0 }
    }

    /// One more answer. What is in flight may have been counted already.
    pub(super) fn told(self, now: DateTime<Utc>, remaining: u32, in_flight: u32) -> Self {
        let ours = self.ours + 1;
        let gone = self.remained.saturating_sub(remaining);
        let others = self.others.max(gone.saturating_sub(ours + in_flight));
        Self { ours, others, until: now.max(self.until), ..self }
    }

    /// One of ours that no answer tells of.
    pub(super) fn unanswered(self) -> Self {
        Self { ours: self.ours + 1, ..self }
    }

    /// What others did while it lasted.
    pub(super) fn others(&self) -> Others {
        Others { requests: self.others, span: self.until - self.since }
    }

    /// How long nothing has been seen.
    pub(super) fn unseen_for(&self, now: DateTime<Utc>) -> TimeDelta {
        now - self.until
    }
}

impl Others {
    /// How many requests they make in `span`, going on like this; rounded up, so that whoever shares with us at all counts.
    pub(super) fn in_span(self, span: TimeDelta) -> u32 {
        let seen = self.span.max(SEEN_AT_LEAST).num_milliseconds();
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
    fn what_is_gone_and_was_not_ours_was_others() {
        let watch = Watch::from(at(0), 59).told(at(10), 53, 0).told(at(20), 47, 0);
        assert_eq!(watch.others(), Others { requests: 10, span: TimeDelta::seconds(20) });
        for (seconds, expected) in [(0, 0), (1, 1), (2, 1), (3, 2), (20, 10), (-5, 0)] {
            assert_eq!(watch.others().in_span(TimeDelta::seconds(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn what_is_ours_is_never_taken_for_others() {
        // The vendor has counted what is still in flight, and what was never answered.
        let watch = Watch::from(at(0), 59).unanswered().told(at(1), 54, 3).told(at(2), 54, 2).told(at(3), 54, 1);
        assert_eq!(watch.others(), Others { requests: 0, span: TimeDelta::seconds(3) });
    }

    #[test]
    fn two_answers_close_together_say_little() {
        let watch = Watch::from(at(0), 59).told(at(1), 57, 0);
        assert_eq!(watch.others().in_span(TimeDelta::seconds(10)), 1);
    }
}
