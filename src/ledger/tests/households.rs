//! Household members who are entries of their own by the next list.

use super::*;
use crate::entry::Member;

/// Ana's entry, whose call speaks for Ben, too.
fn with_ben(key: &str, last: u32) -> Draft {
    let patient = PatientInfo { first_name: "Ben".into(), ..PatientInfo::default() };
    Draft { members: vec![Member { key: EntryKey::new("ben"), patient, line: 3 }], ..draft(key, last) }
}

/// Night 1: the call to Ana ends like this. Night 2: Ana is not on the list, and Ben is, on his own.
fn night_two(outcome: Outcome, redial: Option<DateTime<Utc>>) -> Desk {
    let mut desk = Desk::with(&[with_ben("ana", 110)]);
    let claimed = desk.claim();
    desk.record(vec![happened(&claimed[0], Fact::Accepted)]).expect("recorded");
    desk.record(vec![ended(&claimed[0], outcome, redial)]).expect("recorded");
    desk.next_list(&[draft("ben", 111)]);
    desk
}

#[test]
fn who_was_spoken_for_by_a_households_call_is_not_called_once_more_and_others_are() {
    for (outcome, redial, calls, state) in [
        (Outcome::Booked, None, 0, "suppressed"),
        (Outcome::Declined, None, 0, "suppressed"),
        (Outcome::NoAnswer, Some(noon()), 1, "submitting"),
        (Outcome::WrongNumber, None, 1, "submitting"),
    ] {
        let desk = night_two(outcome, redial);
        assert_eq!(desk.claim().len(), calls, "{outcome}");
        assert_eq!(desk.count(&format!("entry WHERE key = 'ben' AND state = '{state}'")), 1, "{outcome}");
    }
}

#[test]
fn while_the_households_call_is_not_settled_nobody_else_of_it_is_called() {
    let mut desk = Desk::with(&[with_ben("ana", 110)]);
    desk.claim();
    desk.next_list(&[draft("ana", 110), draft("ben", 111)]);
    assert!(desk.claim().is_empty());
    assert_eq!(desk.count("entry WHERE key = 'ben' AND state = 'waiting' AND reason = 'number_busy'"), 1);
}
