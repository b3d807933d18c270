//! Whether an entry may be called now, when, or never, and by which rule. Pure: `check`, `run` and `explain` share it.
//!
//! [`decide`] is asked in the same transaction that claims an entry. [`window`] knows the hours, [`caps`] how often one
//! number may be called, [`states`] the rules of single states, [`redial`] when an entry is called again, [`evidence`] what a decision
//! was made from. Sources: `annie-api.md` and `calling-rules.md`.

pub mod caps;
pub mod evidence;
pub mod redial;
pub mod states;
pub mod window;

use chrono::{DateTime, TimeDelta, Utc};

pub use caps::{NumberHistory, Placement, Reached};
pub use evidence::Evidence;
pub use window::{AnyOf, Hours};

use crate::campaign::{Caps, Redial};
use crate::entry::Reason;
use crate::zone::Zone;

/// What the rules say about calling an entry now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Every rule allows the call.
    Call {
        /// When the hours close, or the call would come too late: from then on it is not allowed any more.
        until: DateTime<Utc>,
    },
    /// Not before `until`; `reason` is the rule that keeps it longest.
    Wait {
        /// The earliest instant that every rule known now allows.
        until: DateTime<Utc>,
        /// The rule.
        reason: Reason,
    },
    /// A person must decide.
    Hold(Reason),
    /// Not to be called.
    Never(Reason),
    /// The call would come too late.
    TooLate,
}

/// What a decision is made from, beside the instant.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The hours in which this entry may be called.
    pub hours: &'a Hours,
    /// How often its number may be called.
    pub caps: &'a Caps,
    /// How often its state's rules let its number be called in 24 hours.
    pub state_cap: Option<u32>,
    /// The calls to its number so far, from every campaign.
    pub history: &'a NumberHistory,
    /// Whether its number is on the suppression list for this purpose.
    pub suppressed: bool,
    /// Whether a call to somebody else of the household has spoken for it.
    pub spoken_for: bool,
    /// The last instant at which the call makes sense.
    pub not_after: Option<DateTime<Utc>>,
    /// What it was called before, if it was.
    pub again: Option<Again<'a>>,
}

/// What a further call to an entry depends on.
#[derive(Debug, Clone, Copy)]
pub struct Again<'a> {
    /// By which rules.
    pub rules: &'a Redial,
    /// The practice's zone, whose clock has the parts of the day.
    pub zone: &'a Zone,
    /// Calls to the entry that were placed, or may have been.
    pub calls: u32,
    /// When the last of them to its present number was.
    pub last: Option<DateTime<Utc>>,
}

impl Case<'_> {
    /// How long a call that is allowed `now` stays allowed.
    fn open_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let closes = self.hours.closes(now)?;
        let last = self.not_after.map(|last| last + TimeDelta::milliseconds(1));
        Some(last.map_or(closes, |last| last.min(closes)))
    }
}

impl Again<'_> {
    /// Until when the gap between two calls lasts.
    fn gap(&self) -> Option<(DateTime<Utc>, Reason)> {
        Some((self.last? + self.rules.min_gap, Reason::RedialGap))
    }

    /// When another part of the day begins, if the campaign asks for one.
    fn another_part(&self, hours: &Hours, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        redial::another_part(hours, self.zone, self.last.filter(|_| self.rules.vary_time)?, from)
    }
}

/// May this entry be called at `now`?
#[must_use]
pub fn decide(case: &Case<'_>, now: DateTime<Utc>) -> Decision {
    let too_late = |at: DateTime<Utc>| case.not_after.is_some_and(|last| at > last);
    if case.suppressed {
        return Decision::Never(Reason::Suppressed);
    }
    if case.spoken_for {
        return Decision::Never(Reason::SpokenFor);
    }
    if too_late(now) {
        return Decision::TooLate;
    }
    if case.again.is_some_and(|again| again.calls >= again.rules.max_attempts) {
        return Decision::Never(Reason::AttemptsUsed);
    }
    let capped = caps::earliest(case.caps, case.state_cap, case.history, now);
    let gap = case.again.and_then(|again| again.gap()).filter(|(until, _)| *until > now);
    let kept = capped.into_iter().chain(gap).max();
    let from = kept.map_or(now, |(until, _)| until);
    // A cap is a span of UTC time and a window is local clock time: the window is asked again after the cap.
    let Some(open) = case.hours.next_open(from) else { return Decision::Hold(Reason::NoCommonWindow) };
    // Another part of the day is better, but not if it would be too late.
    let varied = case.again.and_then(|again| again.another_part(case.hours, from)).filter(|at| !too_late(*at));
    let until = varied.unwrap_or(open);
    let reason = match kept {
        Some((_, reason)) => reason,
        None if until > open => Reason::PartOfDay,
        None => case.hours.closed_by(now),
    };
    match until {
        until if too_late(until) => Decision::TooLate,
        until if until > now => Decision::Wait { until, reason },
        _ => case.open_until(now).map_or(Decision::Hold(Reason::NoCommonWindow), |until| Decision::Call { until }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::DayWindow;
    use chrono::{NaiveTime, Weekday};

    use super::window::{Daily, WEEK};
    use crate::zone::Zone;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn hours() -> Hours {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour");
        let chicago = Zone::named("America/Chicago").expect("a zone");
        Hours::all_of(vec![Daily::on(chicago, &WEEK[..6], DayWindow { start: at(9), end: at(20) })])
    }

    fn caps() -> Caps {
        Caps {
            min_gap: TimeDelta::hours(24),
            per_7_days: 3,
            per_30_days: 6,
            failures_before_cool_down: 3,
            cool_down: TimeDelta::days(30),
            failed: Vec::new(),
        }
    }

    fn called(instants: &[&str]) -> NumberHistory {
        let placements = instants.iter().map(|at| Placement { at: utc(at), reached: Reached::Somebody }).collect();
        NumberHistory { placements, unsettled: false }
    }

    fn case<'a>(hours: &'a Hours, caps: &'a Caps, history: &'a NumberHistory) -> Case<'a> {
        Case {
            hours,
            caps,
            state_cap: None,
            history,
            suppressed: false,
            spoken_for: false,
            not_after: None,
            again: None,
        }
    }

    #[test]
    fn a_further_call_waits_for_its_gap_and_another_part_of_the_day_and_ends_with_the_attempts() {
        let (hours, caps, history) = (hours(), caps(), called(&["2026-11-24T16:00:00Z"]));
        let zone = Zone::named("America/Chicago").expect("a zone");
        let rules = Redial {
            max_attempts: 3,
            min_gap: TimeDelta::hours(72),
            after: Vec::new(),
            vary_time: true,
            stop_before_appointment: None,
        };
        let wait = |until, reason| Decision::Wait { until: utc(until), reason };
        let until = |until| Decision::Call { until: utc(until) };
        for (calls, vary_time, now, expected) in [
            (1, true, "2026-11-26T16:00:00Z", wait("2026-11-27T18:00:00Z", Reason::RedialGap)),
            (1, true, "2026-11-27T16:00:00Z", wait("2026-11-27T18:00:00Z", Reason::PartOfDay)),
            (1, false, "2026-11-27T16:00:00Z", until("2026-11-28T02:00:00Z")),
            (1, true, "2026-11-27T18:00:00Z", until("2026-11-28T02:00:00Z")),
            (3, true, "2026-11-27T18:00:00Z", Decision::Never(Reason::AttemptsUsed)),
        ] {
            let rules = Redial { vary_time, ..rules.clone() };
            let again = Again { rules: &rules, zone: &zone, calls, last: Some(utc("2026-11-24T16:00:00Z")) };
            let case = Case { again: Some(again), ..case(&hours, &caps, &history) };
            assert_eq!(decide(&case, utc(now)), expected, "{calls} {vary_time} {now}");
        }
    }

    #[track_caller]
    fn check(history: &NumberHistory, not_after: Option<&str>, now: &str, expected: Decision) {
        let (hours, caps) = (hours(), caps());
        let case = Case { not_after: not_after.map(utc), ..case(&hours, &caps, history) };
        assert_eq!(decide(&case, utc(now)), expected);
    }

    #[test]
    fn an_open_window_and_an_unused_number_may_be_called_until_it_closes_or_is_too_late() {
        let until = |until| Decision::Call { until: utc(until) };
        check(&called(&[]), None, "2026-11-24T16:00:00Z", until("2026-11-25T02:00:00Z"));
        let (last, next) = ("2026-11-24T16:30:00Z", "2026-11-24T16:30:00.001Z");
        check(&called(&[]), Some(last), "2026-11-24T16:00:00Z", until(next));
        check(&called(&[]), Some(last), last, until(next));
        check(&called(&[]), Some(last), next, Decision::TooLate);
    }

    #[test]
    fn a_closed_window_names_the_instant_it_opens() {
        let until = utc("2026-11-24T15:00:00Z");
        let expected = Decision::Wait { until, reason: Reason::Window };
        check(&called(&[]), None, "2026-11-24T14:59:59Z", expected);
    }

    #[test]
    fn the_window_is_asked_again_after_a_cap() {
        // Saturday 19:30 plus 24 hours across spring-forward is Sunday 20:30: closed, and so is all of Sunday.
        let history = called(&["2026-03-08T01:30:00Z"]);
        let expected = Decision::Wait { until: utc("2026-03-09T14:00:00Z"), reason: Reason::DailyCap };
        check(&history, None, "2026-03-08T01:45:00Z", expected);
    }

    #[test]
    fn a_wait_that_ends_after_the_last_sensible_moment_is_too_late_at_once() {
        let history = called(&["2026-11-24T16:00:00Z"]);
        check(&history, Some("2026-11-25T15:00:00Z"), "2026-11-24T17:00:00Z", Decision::TooLate);
    }

    #[test]
    fn a_suppressed_number_is_never_called_whatever_else_holds() {
        let (hours, caps, history) = (hours(), caps(), called(&[]));
        let case = Case { suppressed: true, ..case(&hours, &caps, &history) };
        assert_eq!(decide(&case, utc("2026-11-24T16:00:00Z")), Decision::Never(Reason::Suppressed));
    }

    #[test]
    fn hours_that_never_meet_hold_the_entry() {
        let chicago = Zone::named("America/Chicago").expect("a zone");
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour");
        let none = Hours::all_of(vec![
            Daily::on(chicago.clone(), &[Weekday::Mon], DayWindow { start: at(9), end: at(10) }),
            Daily::on(chicago, &[Weekday::Mon], DayWindow { start: at(11), end: at(12) }),
        ]);
        let (caps, history) = (caps(), called(&[]));
        let case = case(&none, &caps, &history);
        assert_eq!(decide(&case, utc("2026-11-24T16:00:00Z")), Decision::Hold(Reason::NoCommonWindow));
    }
}
