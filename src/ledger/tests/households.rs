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
        (Outcome::Booked, None, 0, State::Suppressed),
        (Outcome::Declined, None, 0, State::Suppressed),
        (Outcome::NoAnswer, Some(noon()), 1, State::Submitting),
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
