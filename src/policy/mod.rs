//! Whether an entry may be called now, when, or never, and by which rule. Pure: `check`, `run` and `explain` share it.
//!
//! [`decide`] is asked in the same transaction that claims an entry. [`window`] knows the hours, [`caps`] how often one
//! number may be called, [`redial`] when an entry is called again, [`forecast`] how long it all takes. Sources: `annie-api.md` and `calling-rules.md`.

pub mod caps;
pub mod forecast;
pub mod redial;
pub mod window;

use chrono::{DateTime, Utc};

pub use caps::{NumberHistory, Placement, Reached};
pub use window::Hours;

use crate::campaign::Caps;
use crate::entry::Reason;

/// What the rules say about calling an entry now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Every rule allows the call.
    Call,
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
    /// The calls to its number so far, from every campaign.
    pub history: &'a NumberHistory,
    /// Whether its number is on the suppression list for this purpose.
    pub suppressed: bool,
    /// The last instant at which the call makes sense.
    pub not_after: Option<DateTime<Utc>>,
}

/// May this entry be called at `now`?
#[must_use]
pub fn decide(case: &Case<'_>, now: DateTime<Utc>) -> Decision {
    let too_late = |at: DateTime<Utc>| case.not_after.is_some_and(|last| at > last);
    if case.suppressed {
        return Decision::Never(Reason::Suppressed);
    }
    if too_late(now) {
        return Decision::TooLate;
    }
    let capped = caps::earliest(case.caps, case.history, now);
    let from = capped.map_or(now, |(until, _)| until);
    // A cap is a span of UTC time and a window is local clock time: the window is asked again after the cap.
    match (case.hours.next_open(from), capped) {
        (None, _) => Decision::Hold(Reason::NoCommonWindow),
        (Some(open), None) if open == now => Decision::Call,
        (Some(open), _) if too_late(open) => Decision::TooLate,
        (Some(until), None) => Decision::Wait { until, reason: Reason::Window },
        (Some(until), Some((_, reason))) => Decision::Wait { until, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::DayWindow;
    use chrono::{NaiveTime, TimeDelta, Weekday};

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
        }
    }

    fn called(instants: &[&str]) -> NumberHistory {
        let placements = instants.iter().map(|at| Placement { at: utc(at), reached: Reached::Somebody }).collect();
        NumberHistory { placements, unsettled: false }
    }

    #[track_caller]
    fn check(history: &NumberHistory, not_after: Option<&str>, now: &str, expected: Decision) {
        let case = Case { hours: &hours(), caps: &caps(), history, suppressed: false, not_after: not_after.map(utc) };
        assert_eq!(decide(&case, utc(now)), expected);
    }

    #[test]
    fn an_open_window_and_an_unused_number_may_be_called() {
        check(&called(&[]), None, "2026-11-24T16:00:00Z", Decision::Call);
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
        let case = Case { hours: &hours(), caps: &caps(), history: &called(&[]), suppressed: true, not_after: None };
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
        let history = called(&[]);
        let case = Case { hours: &none, caps: &caps(), history: &history, suppressed: false, not_after: None };
        assert_eq!(decide(&case, utc("2026-11-24T16:00:00Z")), Decision::Hold(Reason::NoCommonWindow));
    }
}
