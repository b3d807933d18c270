//! Whether an entry may be called now: the one function that decides.

use chrono::{DateTime, Utc};

use super::call_facts::{CallFacts, CallRules};
use super::caps;
use crate::entry::{Outcome, Reason};
use crate::phone::E164;

/// What the rules decide about calling an entry now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Every rule allows the call.
    Call {
        /// The number that calls.
        from: E164,
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
    /// Over: a call to the household brought this outcome, which counts for the patient, too.
    Settled(Outcome),
    /// The call would come too late, for this reason: the hours and the gaps, or another call to the number.
    TooLate(Reason),
}

/// Whether the entry may be called at `now`, later or never.
#[must_use]
pub fn decide(facts: &CallFacts<'_>, now: DateTime<Utc>) -> Decision {
    let Some(rules) = facts.rules else { return Decision::Hold(Reason::NoLine) };
    if facts.suppressed {
        return Decision::Never(Reason::Suppressed);
    }
    if let Some(outcome) = facts.settled_before(rules.redial) {
        return Decision::Settled(outcome);
    }
    if facts.is_too_late(now) {
        return Decision::TooLate(Reason::NotAfter);
    }
    if facts.calls >= rules.redial.max_attempts {
        return Decision::Never(Reason::AttemptsUsed);
    }
    let capped = caps::earliest(rules.caps, rules.state_cap, &facts.history, now);
    let gap = facts.gap(rules).filter(|(until, _)| *until > now);
    let deferred = capped.into_iter().chain(gap).max();
    let from = deferred.map_or(now, |(until, _)| until);
    // A cap is a span of UTC time and a window is local clock time, so the window is checked again at the end of the cap.
    let Some(open) = rules.hours.next_open(from) else { return Decision::Hold(Reason::NoCommonWindow) };
    // Another part of the day is preferred unless the call would then be too late.
    let varied = facts.another_part(rules, from).filter(|at| !facts.is_too_late(*at));
    let until = varied.unwrap_or(open);
    let reason = match deferred {
        Some((_, reason)) => reason,
        None if until > open => Reason::PartOfDay,
        None => rules.hours.closed_by(now),
    };
    match until {
        until if facts.is_too_late(until) => Decision::TooLate(why_too_late(facts, rules, deferred, now)),
        until if until > now => Decision::Wait { until, reason },
        _ => facts
            .open_until(rules, now)
            .map_or(Decision::Hold(Reason::NoCommonWindow), |until| Decision::Call { from: rules.caller_id, until }),
    }
}

/// Why a call that `deferred` moves beyond its last sensible moment comes too late. If the patient was not called yet and
/// the hours alone would let the call be in time, other calls to the number are why.
fn why_too_late(
    facts: &CallFacts<'_>,
    rules: &CallRules<'_>,
    deferred: Option<(DateTime<Utc>, Reason)>,
    now: DateTime<Utc>,
) -> Reason {
    let is_in_time = || rules.hours.next_open(now).is_some_and(|open| !facts.is_too_late(open));
    if facts.calls == 0 && deferred.is_some() && is_in_time() { Reason::NumberUsed } else { Reason::NotAfter }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use chrono::{NaiveTime, TimeDelta, Weekday};

    use super::super::call_facts::HouseholdCall;
    use super::super::caps::{ContactResult, NumberHistory, PastCall};
    use super::super::dialing_hours::{Hours, WEEK, ZoneHours};
    use super::*;
    use crate::campaign::{Caps, DayWindow, Redial};
    use crate::entry::AttemptState;
    use crate::zone::Zone;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn chicago() -> Zone {
        Zone::named("America/Chicago").expect("a zone")
    }

    fn hours() -> Hours {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour");
        Hours::all_of(vec![ZoneHours::on(chicago(), &WEEK[..6], DayWindow { start: at(9), end: at(20) })])
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

    fn redial() -> Redial {
        Redial {
            max_attempts: 3,
            min_gap: TimeDelta::hours(72),
            after: Vec::new(),
            vary_time: true,
            stop_before_appointment: None,
        }
    }

    /// A call that is allowed until this instant.
    fn allowed(until: &str) -> Decision {
        Decision::Call { from: caller_id(), until: utc(until) }
    }

    fn caller_id() -> E164 {
        E164::parse("+13125550142").expect("a number")
    }

    /// Decides at `now` under these rules; `change` changes the facts first.
    fn decided(hours: Hours, redial: &Redial, change: impl FnOnce(&mut CallFacts<'_>), now: &str) -> Decision {
        let (zone, caps) = (chicago(), caps());
        let (hours, caller_id) = (Rc::new(hours), caller_id());
        let rules = CallRules { caller_id, zone: &zone, caps: &caps, redial, hours, state_cap: None };
        let mut facts = CallFacts::without_ledger(Some(&rules), None);
        change(&mut facts);
        decide(&facts, utc(now))
    }

    #[test]
    fn a_further_call_waits_for_its_gap_and_another_part_of_the_day_and_ends_with_the_attempts() {
        let wait = |until, reason| Decision::Wait { until: utc(until), reason };
        for (calls, vary_time, now, expected) in [
            (1, true, "2026-11-26T16:00:00Z", wait("2026-11-27T18:00:00Z", Reason::RedialGap)),
            (1, true, "2026-11-27T16:00:00Z", wait("2026-11-27T18:00:00Z", Reason::PartOfDay)),
            (1, false, "2026-11-27T16:00:00Z", allowed("2026-11-28T01:59:00Z")),
            (1, true, "2026-11-27T18:00:00Z", allowed("2026-11-28T01:59:00Z")),
            (3, true, "2026-11-27T18:00:00Z", Decision::Never(Reason::AttemptsUsed)),
        ] {
            let redial = Redial { vary_time, ..redial() };
            let last = "2026-11-24T16:00:00Z";
            let change = |facts: &mut CallFacts<'_>| {
                facts.add_own_calls(calls, Some(utc(last)));
                facts.history = called(&[last]);
            };
            assert_eq!(decided(hours(), &redial, change, now), expected, "{calls} {vary_time} {now}");
        }
    }

    #[track_caller]
    fn check(history: &NumberHistory, not_after: Option<&str>, now: &str, expected: Decision) {
        let change = |facts: &mut CallFacts<'_>| {
            (facts.history, facts.not_after) = (history.clone(), not_after.map(utc));
        };
        assert_eq!(decided(hours(), &redial(), change, now), expected);
    }

    #[test]
    fn an_open_window_and_an_unused_number_may_be_called_until_it_closes_or_is_too_late() {
        check(&called(&[]), None, "2026-11-24T16:00:00Z", allowed("2026-11-25T01:59:00Z"));
        let (last, next) = ("2026-11-24T16:30:00Z", "2026-11-24T16:30:00.001Z");
        check(&called(&[]), Some(last), "2026-11-24T16:00:00Z", allowed(next));
        check(&called(&[]), Some(last), last, allowed(next));
        check(&called(&[]), Some(last), next, Decision::TooLate(Reason::NotAfter));
    }

    #[test]
    fn a_closed_window_names_the_instant_it_opens() {
        let until = utc("2026-11-24T15:00:00Z");
        let expected = Decision::Wait { until, reason: Reason::Window };
        check(&called(&[]), None, "2026-11-24T14:59:59Z", expected);
        // What begins in the last minute would ring when the window closes.
        let expected = Decision::Wait { until: until + TimeDelta::days(1), reason: Reason::Window };
        check(&called(&[]), None, "2026-11-25T01:59:30Z", expected);
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
        let by_number = Decision::TooLate(Reason::NumberUsed);
        check(&history, Some("2026-11-25T15:00:00Z"), "2026-11-24T17:00:00Z", by_number);
        // Before the hours open, too, the call would have been too late without the number's cap.
        let by_hours = Decision::TooLate(Reason::NotAfter);
        check(&history, Some("2026-11-24T14:00:00Z"), "2026-11-24T13:00:00Z", by_hours);
    }

    #[test]
    fn a_patient_who_was_called_is_too_late_by_the_redial_rules_not_by_the_number() {
        let last = "2026-11-24T16:00:00Z";
        let change = |facts: &mut CallFacts<'_>| {
            facts.add_own_calls(1, Some(utc(last)));
            facts.history = called(&[last]);
            facts.not_after = Some(utc("2026-11-25T15:00:00Z"));
        };
        let decision = decided(hours(), &redial(), change, "2026-11-24T17:00:00Z");
        assert_eq!(decision, Decision::TooLate(Reason::NotAfter));
    }

    #[test]
    fn a_household_call_to_a_wrong_number_or_with_an_outcome_without_redial_is_the_patients_last() {
        let call = |outcome| HouseholdCall {
            state: AttemptState::Ended,
            outcome: Some(outcome),
            at: utc("2026-11-23T16:00:00Z"),
            is_same_number: true,
        };
        for (outcome, expected) in [
            (Outcome::WrongNumber, Decision::Settled(Outcome::WrongNumber)),
            (Outcome::ReachedOther, Decision::Settled(Outcome::ReachedOther)),
            (Outcome::Booked, Decision::Settled(Outcome::Booked)),
        ] {
            let change = |facts: &mut CallFacts<'_>| facts.add_covering_call(call(outcome));
            assert_eq!(decided(hours(), &redial(), change, "2026-11-30T16:00:00Z"), expected, "{outcome:?}");
        }
    }

    #[test]
    fn a_suppressed_number_is_never_called_whatever_else_holds() {
        let change = |facts: &mut CallFacts<'_>| facts.suppressed = true;
        let decision = decided(hours(), &redial(), change, "2026-11-24T16:00:00Z");
        assert_eq!(decision, Decision::Never(Reason::Suppressed));
    }

    #[test]
    fn an_entry_whose_location_has_no_caller_id_is_held_whatever_else_holds() {
        let change = |facts: &mut CallFacts<'_>| (facts.rules, facts.suppressed) = (None, true);
        let decision = decided(hours(), &redial(), change, "2026-11-24T16:00:00Z");
        assert_eq!(decision, Decision::Hold(Reason::NoLine));
    }

    #[test]
    fn hours_that_never_meet_hold_the_entry() {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour");
        let none = Hours::all_of(vec![
            ZoneHours::on(chicago(), &[Weekday::Mon], DayWindow { start: at(9), end: at(10) }),
            ZoneHours::on(chicago(), &[Weekday::Mon], DayWindow { start: at(11), end: at(12) }),
        ]);
        let decision = decided(none, &redial(), |_| {}, "2026-11-24T16:00:00Z");
        assert_eq!(decision, Decision::Hold(Reason::NoCommonWindow));
    }
}
