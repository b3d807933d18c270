//! The limits on calls to one number, over all campaigns and runs on the ledger. The vendor has the same limits; they are
//! applied here too, so that no request is spent on a call that it would refuse (`calling-rules.md`, The vendor's own
//! rules).

use chrono::{DateTime, TimeDelta, Utc};

use crate::campaign::Caps;
use crate::entry::{AttemptState, Outcome, Reason};

/// A call waits this much longer than a cap says: our clock and the vendor's differ a little, and the vendor counts from a
/// slightly later instant than we do.
const MARGIN: TimeDelta = TimeDelta::seconds(60);

/// The interval after which a number with an unsettled call is checked again.
const RECHECK: TimeDelta = TimeDelta::minutes(5);

/// The past calls to one number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberHistory {
    /// Calls that were placed, or may have been, oldest first.
    pub placements: Vec<PastCall>,
    /// Whether one of them is in flight, or is not known to have been placed.
    pub unsettled: bool,
}

/// One call that was placed, or may have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastCall {
    /// The instant at which it was placed.
    pub at: DateTime<Utc>,
    /// Whether it reached a person or left a message.
    pub reached: ContactResult,
}

/// Whether a call reached a person or left a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactResult {
    /// It reached a person or left a message.
    Somebody,
    /// It reached nobody: the vendor counts it as failed.
    Nobody,
    /// It was not seen to end, or was never found at the vendor.
    NotKnown,
    /// It has not ended, or its answer is lost and not settled: the next call is decided when that is known.
    NotYetKnown,
}

impl ContactResult {
    /// Whether it is known what the call reached.
    #[must_use]
    pub fn is_known(self) -> bool {
        match self {
            Self::Somebody | Self::Nobody => true,
            Self::NotKnown | Self::NotYetKnown => false,
        }
    }
}

impl NumberHistory {
    /// Adds a call that was placed at `at`, or may have been.
    pub fn add(&mut self, state: AttemptState, outcome: Option<Outcome>, at: DateTime<Utc>, caps: &Caps) {
        self.unsettled |= state.is_in_flight();
        let reached = match outcome.map(|outcome| caps.failed.contains(&outcome)) {
            Some(false) => ContactResult::Somebody,
            Some(true) => ContactResult::Nobody,
            None if state.is_in_flight() => ContactResult::NotYetKnown,
            None => ContactResult::NotKnown,
        };
        self.placements.push(PastCall { at, reached });
    }
}

/// The first instant after a call to a number at which the next one may follow.
#[must_use]
pub fn end_of_gap(caps: &Caps, last: DateTime<Utc>) -> DateTime<Utc> {
    last + caps.min_gap + MARGIN
}

/// The earliest instant that every cap allows, with the cap that defers longest; `None` if all allow a call now.
#[must_use]
pub fn earliest(
    caps: &Caps,
    state_cap: Option<u32>,
    history: &NumberHistory,
    now: DateTime<Utc>,
) -> Option<(DateTime<Utc>, Reason)> {
    let busy = history.unsettled.then_some((now + RECHECK, Reason::NumberBusy));
    let placements = &history.placements;
    let daily = placements.last().map(|placement| (end_of_gap(caps, placement.at), Reason::DailyCap));
    let state = state_cap.and_then(|allowed| end_of_cap(placements, allowed, TimeDelta::hours(24)));
    let state = state.map(|at| (at, Reason::StateCap));
    let weekly = end_of_cap(placements, caps.per_7_days, TimeDelta::days(7)).map(|at| (at, Reason::WeeklyCap));
    let monthly = end_of_cap(placements, caps.per_30_days, TimeDelta::days(30)).map(|at| (at, Reason::MonthlyCap));
    let cool_down = end_of_cool_down(placements, caps).map(|at| (at, Reason::CoolDown));
    [busy, daily, state, weekly, monthly, cool_down].into_iter().flatten().filter(|(until, _)| *until > now).max()
}

/// The instant from which at most `allowed - 1` of the placements lie in a rolling `span`.
fn end_of_cap(placements: &[PastCall], allowed: u32, span: TimeDelta) -> Option<DateTime<Utc>> {
    let nth_newest = placements.len().checked_sub(allowed.max(1) as usize)?;
    Some(placements[nth_newest].at + span + MARGIN)
}

/// A call with an unknown result neither counts as failed nor ends the count: the vendor may have no such call. The cool-down
/// begins with it all the same, unless its result is still to come.
fn end_of_cool_down(placements: &[PastCall], caps: &Caps) -> Option<DateTime<Utc>> {
    let known = placements.iter().rev().filter(|placement| placement.reached.is_known());
    let failures = known.take_while(|placement| placement.reached == ContactResult::Nobody).count();
    let last = placements.iter().rev().find(|placement| placement.reached != ContactResult::NotYetKnown)?;
    (failures >= caps.failures_before_cool_down as usize).then(|| last.at + caps.cool_down + MARGIN)
}

#[cfg(test)]
mod tests {
    use super::ContactResult::{Nobody, NotKnown, NotYetKnown, Somebody};
    use super::*;

    static VENDOR: Caps = Caps {
        min_gap: TimeDelta::hours(24),
        per_7_days: 3,
        per_30_days: 6,
        failures_before_cool_down: 3,
        cool_down: TimeDelta::days(30),
        failed: Vec::new(),
    };

    fn start() -> DateTime<Utc> {
        "2026-11-24T16:00:00Z".parse().expect("an instant")
    }

    /// Calls at so many hours after the start, each with its result.
    fn history(calls: &[(i64, ContactResult)]) -> NumberHistory {
        let placement = |&(hours, reached)| PastCall { at: start() + TimeDelta::hours(hours), reached };
        NumberHistory { placements: calls.iter().map(placement).collect(), unsettled: false }
    }

    #[track_caller]
    fn check(calls: &[(i64, ContactResult)], now_hours: i64, expected: Option<(i64, Reason)>) {
        let now = start() + TimeDelta::hours(now_hours);
        let expected = expected.map(|(hours, reason)| (start() + TimeDelta::hours(hours) + MARGIN, reason));
        assert_eq!(earliest(&VENDOR, None, &history(calls), now), expected);
    }

    #[test]
    fn a_call_in_progress_does_not_begin_another_cool_down() {
        let failed = [(0, Nobody), (24, Nobody), (48, Nobody)];
        let after = |reached| [failed.as_slice(), &[(48 + 721, reached)]].concat();
        let daily = Some((48 + 721 + 24, Reason::DailyCap));
        check(&after(NotYetKnown), 48 + 722, daily);
        check(&after(Somebody), 48 + 722, daily);
        check(&after(NotKnown), 48 + 722, Some((48 + 721 + 720, Reason::CoolDown)));
    }

    #[test]
    fn a_number_without_calls_has_no_cap() {
        check(&[], 0, None);
    }

    #[test]
    fn a_day_lies_between_two_calls() {
        check(&[(0, Somebody)], 23, Some((24, Reason::DailyCap)));
        check(&[(0, Somebody)], 25, None);
    }

    #[test]
    fn the_fourth_call_waits_until_the_first_of_three_is_a_week_old() {
        check(&[(0, Somebody), (48, Somebody), (96, Somebody)], 130, Some((168, Reason::WeeklyCap)));
    }

    #[test]
    fn the_seventh_call_waits_until_the_first_of_six_is_30_days_old() {
        let six: Vec<_> = (0..6).map(|n| (n * 96, Somebody)).collect();
        check(&six, 600, Some((720, Reason::MonthlyCap)));
    }

    #[test]
    fn three_failures_in_a_row_start_a_cool_down_and_a_contact_ends_the_count() {
        check(&[(0, Nobody), (72, Nobody), (144, Nobody)], 400, Some((144 + 720, Reason::CoolDown)));
        check(&[(0, Nobody), (72, Nobody), (144, Somebody)], 400, None);
    }

    #[test]
    fn a_call_that_was_never_found_does_not_end_the_count_of_failures() {
        let calls = [(0, Nobody), (72, Nobody), (144, NotKnown), (216, Nobody)];
        check(&calls, 400, Some((216 + 720, Reason::CoolDown)));
        check(&calls[..3], 200, None);
    }

    #[test]
    fn a_states_cap_counts_the_calls_of_24_hours() {
        let loose = Caps { min_gap: TimeDelta::zero(), per_7_days: 9, per_30_days: 9, ..VENDOR.clone() };
        let calls = history(&[(0, Somebody), (2, Somebody), (4, Somebody)]);
        let at = |hours| start() + TimeDelta::hours(hours);
        assert_eq!(earliest(&loose, Some(3), &calls, at(5)), Some((at(24) + MARGIN, Reason::StateCap)));
        assert_eq!(earliest(&loose, Some(4), &calls, at(5)), None);
        assert_eq!(earliest(&loose, Some(3), &calls, at(25)), None);
    }

    #[test]
    fn a_calls_outcome_says_whether_it_reached_somebody() {
        let caps = Caps { failed: vec![Outcome::Busy], ..VENDOR.clone() };
        for (state, outcome, reached, unsettled) in [
            (AttemptState::Ended, Some(Outcome::Busy), Nobody, false),
            (AttemptState::Ended, Some(Outcome::NoAnswer), Somebody, false),
            (AttemptState::Absent, None, NotKnown, false),
            (AttemptState::Unknown, None, NotYetKnown, true),
        ] {
            let mut history = NumberHistory::default();
            history.add(state, outcome, start(), &caps);
            assert_eq!(history, NumberHistory { placements: vec![PastCall { at: start(), reached }], unsettled });
        }
    }

    #[test]
    fn a_call_that_is_not_settled_keeps_the_number_busy() {
        let busy = NumberHistory { unsettled: true, ..history(&[]) };
        assert_eq!(earliest(&VENDOR, None, &busy, start()), Some((start() + RECHECK, Reason::NumberBusy)));
    }
}
