//! When an entry is called again after a conversation that did not do what it was for.

use chrono::{DateTime, NaiveTime, TimeDelta, Timelike, Utc};

use super::Hours;
use crate::campaign::Redial;
use crate::entry::Outcome;
use crate::zone::Zone;

/// How far ahead another part of the day is looked for: a long weekend, and a day.
const DAYS: i64 = 5;

/// A part of the day, by the practice's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PartOfDay {
    /// Before 12.
    Morning,
    /// From 12 to 17.
    Afternoon,
    /// From 17 on.
    Evening,
}

impl PartOfDay {
    fn at(time: NaiveTime) -> Self {
        match time.hour() {
            0..12 => Self::Morning,
            12..17 => Self::Afternoon,
            _ => Self::Evening,
        }
    }
}

/// The first open instant from `from` on at another part of the day than `last`; `None` if the hours have no other.
#[must_use]
pub fn another_part(hours: &Hours, zone: &Zone, last: DateTime<Utc>, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let avoided = PartOfDay::at(zone.local(last).time());
    let differs = |at: &DateTime<Utc>| PartOfDay::at(zone.local(*at).time()) != avoided;
    let day = zone.local(from).date();
    let begins = |ahead: i64| {
        [0, 12, 17].into_iter().filter_map(move |hour| (day + TimeDelta::days(ahead)).and_hms_opt(hour, 0, 0))
    };
    let starts = (0..=DAYS).flat_map(begins).map(|start| zone.first_instant(start).max(from));
    starts.filter_map(|start| hours.next_open(start)).filter(differs).min()
}

/// The earliest instant of the next call, if there is to be one: the outcome asks for it and a call is left.
/// `attempts` counts the calls placed so far, the one that ended at `ended` included.
#[must_use]
pub fn next_call(rules: &Redial, outcome: Outcome, attempts: u32, ended: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let again = rules.after.contains(&outcome) && attempts < rules.max_attempts;
    again.then(|| ended + rules.min_gap)
}

/// Whether the patient's next number may be dialled, if there is one: the call has shown that this one is not theirs, and a
/// call is left. Every other rule is asked of that number as of any.
#[must_use]
pub fn another_number(rules: &Redial, outcome: Outcome, attempts: u32) -> bool {
    outcome.is_of_the_number() && attempts < rules.max_attempts
}

#[cfg(test)]
mod tests {
    use super::super::window::{Daily, WEEK};
    use super::*;
    use crate::campaign::DayWindow;

    #[test]
    fn another_part_of_the_day_is_the_next_one_that_the_hours_have() {
        let utc = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
        let zone = Zone::named("America/Chicago").expect("a zone");
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour");
        for (until, last, from, expected) in [
            (17, "2026-11-24T16:00:00Z", "2026-11-27T16:00:00Z", Some("2026-11-27T18:00:00Z")),
            (17, "2026-11-24T20:00:00Z", "2026-11-27T20:00:00Z", Some("2026-11-30T15:00:00Z")),
            (19, "2026-11-24T20:00:00Z", "2026-11-27T20:00:00Z", Some("2026-11-27T23:00:00Z")),
            (17, "2026-11-24T16:00:00Z", "2026-11-27T19:30:00Z", Some("2026-11-27T19:30:00Z")),
            (12, "2026-11-24T16:00:00Z", "2026-11-27T16:00:00Z", None),
        ] {
            let hours =
                Hours::all_of(vec![Daily::on(zone.clone(), &WEEK[..5], DayWindow { start: at(9), end: at(until) })]);
            assert_eq!(
                another_part(&hours, &zone, utc(last), utc(from)),
                expected.map(utc),
                "until {until}, from {from}"
            );
        }
    }

    #[test]
    fn an_entry_is_called_again_only_after_the_outcomes_that_ask_for_it_and_while_calls_are_left() {
        let rules = Redial {
            max_attempts: 3,
            min_gap: TimeDelta::hours(72),
            after: vec![Outcome::NoAnswer],
            vary_time: false,
            stop_before_appointment: None,
        };
        let ended: DateTime<Utc> = "2026-11-24T16:00:00Z".parse().expect("an instant");
        let gap_later = Some(ended + TimeDelta::hours(72));
        assert_eq!(next_call(&rules, Outcome::NoAnswer, 1, ended), gap_later);
        assert_eq!(next_call(&rules, Outcome::NoAnswer, 3, ended), None);
        assert_eq!(next_call(&rules, Outcome::OptOut, 1, ended), None);
    }
}
