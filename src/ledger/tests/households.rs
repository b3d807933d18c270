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

/// The due call of the entry, at the earliest at `from`, which reaches nobody.
fn unanswered(fixture: &Fixture, key: &str, from: DateTime<Utc>) -> DateTime<Utc> {
    let mut claimed = fixture.claim_at(from).claimed;
    let at = fixture.row(key).due_at.map_or(from, |due| due.max(from));
    if claimed.is_empty() {
        claimed = fixture.claim_at(at).claimed;
    }
    let redial = at + TimeDelta::hours(72);
    let [call] = claimed.as_slice() else { panic!("one call, not {}", claimed.len()) };
    fixture.record(vec![update(call, Fact::Accepted)]).expect("recorded");
    fixture.record(vec![ended(call, Outcome::NoAnswer, Some(redial))]).expect("recorded");
    redial
}

pub(super) fn a_member_whose_calls_are_used_up_since_the_list_was_read_is_not_named_again(open: Opener) {
    let mut fixture = Fixture::with(open, &[entry("ben", 130)]);
    let second = unanswered(&fixture, "ben", noon());
    let third = unanswered(&fixture, "ben", second);
    let texts = |context: &str| Some(context.to_owned());
    let mut ana = NewEntry { alternatives: vec![number(120)], ..with_ben("ana", 110) };
    ana.content.context = texts("Ana is due, and Ben.");
    ana.content.alone = Some(TextsAlone { context: texts("Ana is due."), voicemail: None });
    fixture.next_list(&[ana]);
    let at = third;
    let claimed = fixture.claim_at(at).claimed;
    assert_eq!(claimed[0].content.context, texts("Ana is due, and Ben."), "his third call");
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![ended(&claimed[0], Outcome::WrongNumber, Some(at))]).expect("recorded");
    let claimed = fixture.claim_at(at).claimed;
    assert_eq!(claimed.iter().map(|call| call.to).collect::<Vec<_>>(), [number(120)]);
    assert_eq!(claimed[0].content.context, texts("Ana is due."));
}

pub(super) fn a_member_of_a_cancelled_household_is_not_called_alone_until_that_is_taken_back(open: Opener) {
    let mut fixture = Fixture::with(open, &[with_ben("ana", 110)]);
    let campaign = DecisionScope::Campaign(fixture.campaign.name.clone());
    fixture.operator(noon()).cancel(&campaign, "operator", noon()).expect("cancelled");
    let is_settled = fixture
        .reader()
        .is_settled(fixture.run.campaign, &fixture.campaign.redial, &EntryKey::new("ben"), number(112))
        .expect("it can be read");
    assert!(is_settled, "no other household's call names him");
    fixture.next_list(&[entry("ana", 110), entry("ben", 111), entry("eva", 112)]);
    let called = |fixture: &Fixture| fixture.claim().iter().map(|call| call.to).collect::<Vec<_>>();
    assert_eq!(called(&fixture), [number(112)], "she is new on the list");
    assert_eq!(fixture.row("ben").state, State::Cancelled);
    fixture.operator(noon()).undo_cancel(&campaign, "operator", noon()).expect("undone");
    assert_eq!(called(&fixture), [number(110), number(111)]);
}

pub(super) fn a_member_whose_household_had_a_wrong_number_is_called_at_another_one(open: Opener) {
    let mut fixture = Fixture::with(open, &[with_ben("ana", 110)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![ended(&claimed[0], Outcome::WrongNumber, None)]).expect("recorded");
    fixture.next_list(&[NewEntry { alternatives: vec![number(120)], ..entry("ben", 110) }]);
    assert_eq!(fixture.claim().iter().map(|call| call.to).collect::<Vec<_>>(), [number(120)]);
}

pub(super) fn a_member_no_longer_waits_for_a_call_that_was_not_placed(open: Opener) {
    let mut fixture = Fixture::with(open, &[with_ben("ana", 110)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::AnswerLost)]).expect("recorded");
    fixture.record(vec![update(&claimed[0], Fact::Absent { retry: false })]).expect("recorded");
    fixture.next_list(&[entry("ben", 111)]);
    let later = noon() + TimeDelta::hours(1);
    assert!(fixture.claim_at(later).claimed.is_empty(), "he may have been called");
    let ana = claimed[0].entry;
    fixture.operator(later).resolve(ana, Resolution::NotPlaced, "operator", later).expect("resolved");
    let called = fixture.claim_at(later).claimed;
    assert!(called.iter().any(|call| call.to == number(111)), "{called:?}");
}

pub(super) fn a_patient_who_joins_a_household_is_not_missing_from_the_list(open: Opener) {
    let ben = |n: u32| format!("ben{n}");
    let alone: Vec<NewEntry> = (0..20).map(|n| entry(&ben(n), 110 + n)).collect();
    let mut fixture = Fixture::with(open, &alone);
    let together: Vec<NewEntry> = (0..20)
        .map(|n| {
            let mut household = with_ben(&format!("ana{n}"), 110 + n);
            household.members[0].key = EntryKey::new(ben(n));
            household
        })
        .collect();
    assert!(fixture.next_list_at_most_withdrawing(&together, 0.3).is_ok());
    let left = &together[..10];
    assert!(fixture.next_list_at_most_withdrawing(left, 0.3).is_err(), "half of them are gone");
}
