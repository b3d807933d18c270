//! Household members who have entries of their own in the next list.

use super::*;

/// Ana's entry, whose call also covers Ben.
fn with_ben(key: &str, last: u32) -> NewEntry {
    let patient = PatientInfo { first_name: "Ben".into(), ..PatientInfo::default() };
    NewEntry { members: vec![HouseholdMember { key: EntryKey::new("ben"), patient, line: 3 }], ..entry(key, last) }
}

/// First list: the call to Ana ends with this outcome. Second list: Ben has an entry of his own, and Ana none.
fn after_second_list(open: Opener, outcome: Outcome, redial: Option<DateTime<Utc>>) -> Fixture {
    let mut fixture = Fixture::with(open, &[with_ben("ana", 110)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![ended(&claimed[0], outcome, redial)]).expect("recorded");
    fixture.next_list(&[entry("ben", 111)]);
    fixture
}

pub(super) fn a_patient_for_whom_a_households_call_decided_is_not_called_again_and_others_are(open: Opener) {
    for (outcome, redial, calls, state) in [
        (Outcome::Booked, None, 0, State::Finished),
        (Outcome::Declined, None, 0, State::Finished),
        (Outcome::ReachedOther, None, 0, State::Finished),
        (Outcome::NoAnswer, Some(noon()), 0, State::Waiting),
        (Outcome::WrongNumber, None, 1, State::Submitting),
    ] {
        let fixture = after_second_list(open, outcome, redial);
        assert_eq!(fixture.claim().len(), calls, "{outcome}");
        assert_eq!(fixture.row("ben").state, state, "{outcome}");
    }
}

pub(super) fn while_a_households_call_is_not_settled_no_other_member_is_called(open: Opener) {
    let mut fixture = Fixture::with(open, &[with_ben("ana", 110)]);
    fixture.claim();
    fixture.next_list(&[entry("ana", 110), entry("ben", 111)]);
    assert!(fixture.claim().is_empty());
    let ben = fixture.row("ben");
    assert_eq!((ben.state, ben.reason), (State::Waiting, Some(Reason::NumberBusy)));
}

/// The call to Ana at noon reached nobody; from then on, the list has Ben alone, on the same number.
fn with_ben_alone(open: Opener, outcome: Outcome) -> Fixture {
    let mut fixture = Fixture::with(open, &[with_ben("ana", 110)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![ended(&claimed[0], outcome, None)]).expect("recorded");
    fixture.next_list(&[entry("ben", 110)]);
    fixture
}

pub(super) fn a_member_who_stays_when_another_leaves_keeps_the_gap_and_the_attempts(open: Opener) {
    let fixture = with_ben_alone(open, Outcome::NoAnswer);
    let gap = fixture.campaign.redial.min_gap;
    assert!(fixture.claim_at(noon() + gap - TimeDelta::hours(3)).claimed.is_empty(), "72 hours stay 72 hours");
    let ben = fixture.row("ben");
    assert_eq!((ben.state, ben.reason), (State::Waiting, Some(Reason::RedialGap)));
    let later = noon() + gap + TimeDelta::hours(1);
    let until = ben.due_at.expect("it waits").max(later);
    let claimed = fixture.claim_at(until).claimed;
    assert_eq!(claimed.iter().map(|call| call.number).collect::<Vec<_>>(), [2], "his second call");
}

pub(super) fn a_wrong_number_is_wrong_for_the_member_who_stays_until_it_is_corrected(open: Opener) {
    let mut fixture = with_ben_alone(open, Outcome::WrongNumber);
    assert!(fixture.claim().is_empty());
    let ben = fixture.row("ben");
    assert_eq!((ben.state, ben.reason), (State::Finished, None));
    assert_eq!(ben.outcome, Some(Outcome::WrongNumber), "the outcome follows the person");
    fixture.next_list(&[entry("ben", 110)]);
    assert!(fixture.claim().is_empty(), "the number is the wrong one still");
    fixture.next_list(&[entry("ben", 111)]);
    assert_eq!(fixture.claim().iter().map(|call| call.to).collect::<Vec<_>>(), [number(111)]);
}

pub(super) fn a_household_that_forms_anew_keeps_the_gap_of_each_of_its_patients(open: Opener) {
    let mut fixture = Fixture::with(open, &[entry("ben", 110)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![ended(&claimed[0], Outcome::NoAnswer, Some(noon() + TimeDelta::hours(72)))]).expect("recorded");
    fixture.next_list(&[with_ben("ana", 110)]);
    assert!(fixture.claim_at(noon() + TimeDelta::hours(48)).claimed.is_empty(), "Ben was called two days ago");
    let due = fixture.row("ana").due_at.expect("it waits");
    let claimed = fixture.claim_at(due.max(noon() + TimeDelta::hours(73))).claimed;
    assert_eq!(claimed.iter().map(|call| call.number).collect::<Vec<_>>(), [1], "her first call");
}
