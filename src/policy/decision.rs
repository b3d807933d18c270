//! Whether an entry may be called now: the facts that a decision needs, and the one function that decides.

use chrono::{DateTime, TimeDelta, Utc};

use super::caps::{self, NumberHistory};
use super::dialing_hours::Hours;
use super::redial;
use crate::campaign::{Caps, Redial};
use crate::entry::Reason;
use crate::zone::Zone;

/// What the rules decide about calling an entry now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Every rule allows the call.
    Call {
        /// The first instant at which the call is no longer allowed: the hours have closed or the call would be too late.
        until: DateTime<Utc>,
    },
    /// Not before `until`.
    Wait {
        /// The earliest instant that every rule known now allows.
        until: DateTime<Utc>,
        /// The rule that defers the call longest.
        reason: Reason,
    },
    /// A person must decide.
    Hold(Reason),
    /// Not to be called.
    Never(Reason),
    /// The call would come too late.
    TooLate,
}

/// The facts that a decision needs, except the instant.
#[derive(Debug, Clone, Copy)]
pub struct CallFacts<'a> {
    /// The hours in which this entry may be called.
    pub hours: &'a Hours,
    /// The limits on calls to its number.
    pub caps: &'a Caps,
    /// The calls to its number that the state's rules allow in 24 hours.
    pub state_cap: Option<u32>,
    /// The calls to its number so far, from every campaign.
    pub history: &'a NumberHistory,
    /// Whether its number is on the suppression list for this purpose.
    pub suppressed: bool,
    /// Whether a call to another member of the household has decided for this patient.
    pub spoken_for: bool,
    /// The last instant at which the call makes sense.
    pub not_after: Option<DateTime<Utc>>,
    /// The facts about earlier calls to the entry; `None`: redial rules do not apply.
    pub redial: Option<RedialFacts<'a>>,
}

/// The facts that decide about a further call to an entry.
#[derive(Debug, Clone, Copy)]
pub struct RedialFacts<'a> {
    /// The campaign's redial rules.
    pub rules: &'a Redial,
    /// The practice's zone, whose clock defines the parts of the day.
    pub zone: &'a Zone,
    /// Calls to the entry that were placed, or may have been.
    pub calls: u32,
    /// The instant of the last call to the entry's present number.
    pub last: Option<DateTime<Utc>>,
}

impl CallFacts<'_> {
    /// The first instant after `now` at which a call that is allowed `now` is not.
    fn open_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let closes = self.hours.closes(now)?;
        let last = self.not_after.map(|last| last + TimeDelta::milliseconds(1));
        Some(last.map_or(closes, |last| last.min(closes)))
    }
}

impl RedialFacts<'_> {
    /// The end of the gap between two calls.
    fn gap(&self) -> Option<(DateTime<Utc>, Reason)> {
        Some((self.last? + self.rules.min_gap, Reason::RedialGap))
    }

    /// The start of another part of the day, if the campaign requires one.
    fn another_part(&self, hours: &Hours, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        redial::another_part(hours, self.zone, self.last.filter(|_| self.rules.vary_time)?, from)
    }
}

/// Whether the entry may be called at `now`, later or never.
#[must_use]
pub fn decide(facts: &CallFacts<'_>, now: DateTime<Utc>) -> Decision {
    let too_late = |at: DateTime<Utc>| facts.not_after.is_some_and(|last| at > last);
    if facts.suppressed {
        return Decision::Never(Reason::Suppressed);
    }
    if facts.spoken_for {
        return Decision::Never(Reason::SpokenFor);
    }
    if too_late(now) {
        return Decision::TooLate;
    }
    if facts.redial.is_some_and(|redial| redial.calls >= redial.rules.max_attempts) {
        return Decision::Never(Reason::AttemptsUsed);
    }
    let capped = caps::earliest(facts.caps, facts.state_cap, facts.history, now);
    let gap = facts.redial.and_then(|redial| redial.gap()).filter(|(until, _)| *until > now);
    let deferred = capped.into_iter().chain(gap).max();
    let from = deferred.map_or(now, |(until, _)| until);
    // A cap is a span of UTC time and a window is local clock time, so the window is checked again at the end of the cap.
    let Some(open) = facts.hours.next_open(from) else { return Decision::Hold(Reason::NoCommonWindow) };
    // Another part of the day is preferred unless the call would then be too late.
    let varied = facts.redial.and_then(|redial| redial.another_part(facts.hours, from)).filter(|at| !too_late(*at));
    let until = varied.unwrap_or(open);
    let reason = match deferred {
        Some((_, reason)) => reason,
        None if until > open => Reason::PartOfDay,
        None => facts.hours.closed_by(now),
    };
    match until {
        until if too_late(until) => Decision::TooLate,
        until if until > now => Decision::Wait { until, reason },
        _ => facts.open_until(now).map_or(Decision::Hold(Reason::NoCommonWindow), |until| Decision::Call { until }),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveTime, Weekday};

    use super::super::caps::{ContactResult, PastCall};
    use super::super::dialing_hours::{WEEK, ZoneHours};
    use super::*;
    use crate::campaign::DayWindow;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn hours() -> Hours {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour");
        let chicago = Zone::named("America/Chicago").expect("a zone");
        Hours::all_of(vec![ZoneHours::on(chicago, &WEEK[..6], DayWindow { start: at(9), end: at(20) })])
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
        let placements = instants.iter().map(|at| PastCall { at: utc(at), reached: ContactResult::Somebody }).collect();
        NumberHistory { placements, unsettled: false }
    }

    fn facts<'a>(hours: &'a Hours, caps: &'a Caps, history: &'a NumberHistory) -> CallFacts<'a> {
        CallFacts {
            hours,
            caps,
            state_cap: None,
            history,
            suppressed: false,
            spoken_for: false,
            not_after: None,
            redial: None,
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
            let redial = RedialFacts { rules: &rules, zone: &zone, calls, last: Some(utc("2026-11-24T16:00:00Z")) };
            let facts = CallFacts { redial: Some(redial), ..facts(&hours, &caps, &history) };
            assert_eq!(decide(&facts, utc(now)), expected, "{calls} {vary_time} {now}");
        }
    }

    #[track_caller]
    fn check(history: &NumberHistory, not_after: Option<&str>, now: &str, expected: Decision) {
        let (hours, caps) = (hours(), caps());
        let facts = CallFacts { not_after: not_after.map(utc), ..facts(&hours, &caps, history) };
        assert_eq!(decide(&facts, utc(now)), expected);
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
    fn the_window_is_checked_again_at_the_end_of_a_cap() {
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
        let facts = CallFacts { suppressed: true, ..facts(&hours, &caps, &history) };
        assert_eq!(decide(&facts, utc("2026-11-24T16:00:00Z")), Decision::Never(Reason::Suppressed));
    }

    #[test]
    fn hours_that_never_meet_hold_the_entry() {
        let chicago = Zone::named("America/Chicago").expect("a zone");
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour");
        let none = Hours::all_of(vec![
            ZoneHours::on(chicago.clone(), &[Weekday::Mon], DayWindow { start: at(9), end: at(10) }),
            ZoneHours::on(chicago, &[Weekday::Mon], DayWindow { start: at(11), end: at(12) }),
        ]);
        let (caps, history) = (caps(), called(&[]));
        let facts = facts(&none, &caps, &history);
        assert_eq!(decide(&facts, utc("2026-11-24T16:00:00Z")), Decision::Hold(Reason::NoCommonWindow));
    }
}
