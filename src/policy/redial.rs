//! Redial rules: when an entry is called again after a conversation without the wanted result.

use chrono::{DateTime, NaiveTime, TimeDelta, Timelike, Utc};

use super::dialing_hours::Hours;
use crate::campaign::Redial;
use crate::entry::Outcome;
use crate::zone::Zone;

/// How many days ahead another part of the day is searched: a long weekend and one day.
const DAYS: i64 = 5;

/// A part of the day, in the practice's local time.
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

/// The first open instant at or after `from` in another part of the day than `last`; `None` if the hours have no other.
#[must_use]
pub fn another_part(hours: &Hours, zone: &Zone, last: DateTime<Utc>, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let avoided = PartOfDay::at(zone.local(last).time());
    let differs = |at: &DateTime<Utc>| PartOfDay::at(zone.local(*at).time()) != avoided;
    let day = zone.local(from).date();
    let starts_on = |ahead: i64| {
        [0, 12, 17].into_iter().filter_map(move |hour| (day + TimeDelta::days(ahead)).and_hms_opt(hour, 0, 0))
    };
    let starts = (0..=DAYS).flat_map(starts_on).map(|start| zone.first_instant(start).max(from));
    starts.filter_map(|start| hours.next_open(start)).filter(differs).min()
}

/// The earliest instant of the next call; `None` if the outcome asks for none or no attempt is left.
/// `attempts` counts the calls placed so far, including the one that ended at `ended`.
#[must_use]
pub fn next_call(rules: &Redial, outcome: Outcome, attempts: u32, ended: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let is_redialed = rules.after.contains(&outcome) && attempts < rules.max_attempts;
    is_redialed.then(|| ended + rules.min_gap)
}

/// The earliest instant of the next call to the patient, at the same number or, after a wrong one, at the next; `None` if
/// there is none. `attempts` counts the calls placed so far, including the one that ended at `ended`.
#[must_use]
pub fn after_ending(rules: &Redial, outcome: Outcome, attempts: u32, ended: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let alternate_number = another_number(rules, outcome, attempts).then_some(ended);
    next_call(rules, outcome, attempts, ended).or(alternate_number)
}

/// Whether the patient's next number may be dialled, if there is one: the call has shown that this number is not the
/// patient's, and an attempt is left. All other rules apply to that number as to any other.
#[must_use]
pub fn another_number(rules: &Redial, outcome: Outcome, attempts: u32) -> bool {
    outcome.means_wrong_number() && attempts < rules.max_attempts
}

#[cfg(test)]
mod tests {
    use super::super::dialing_hours::{WEEK, ZoneHours};
    use super::*;
    use crate::campaign::DayWindow;

    #[test]
    fn another_part_of_the_day_is_the_next_one_within_the_hours() {
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
            let hours = Hours::all_of(vec![ZoneHours::on(
                zone.clone(),
                &WEEK[..5],
                DayWindow { start: at(9), end: at(until) },
            )]);
            assert_eq!(
                another_part(&hours, &zone, utc(last), utc(from)),
                expected.map(utc),
                "until {until}, from {from}"
            );
        }
    }

    #[test]
    fn an_entry_is_called_again_only_after_the_outcomes_that_ask_for_it_and_while_attempts_are_left() {
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
