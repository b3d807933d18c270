//! What the next list changes about the entries.

use super::*;

pub(super) fn enrolling_the_same_list_twice_inserts_nothing(open: Opener) {
    let fixture = Fixture::new(open);
    let list = [entry("P-1", 101), entry("P-2", 102)];
    assert_eq!(fixture.enrol(&list), EnrolmentCounts { new: 2, ..EnrolmentCounts::default() });
    assert_eq!(fixture.enrol(&list), EnrolmentCounts { same: 2, ..EnrolmentCounts::default() });
    let kinds: Vec<_> = fixture.events_of(1..=2).into_iter().map(|event| event.kind).collect();
    assert_eq!((fixture.rows().len(), kinds), (2, vec!["enrolled".to_owned(); 2]));
}

pub(super) fn an_entry_that_is_no_longer_listed_is_withdrawn_and_comes_back_when_listed_again(open: Opener) {
    let mut fixture = Fixture::with(open, &[entry("P-1", 101), entry("P-2", 102)]);
    assert_eq!(fixture.next_list(&[entry("P-1", 101)]), 1);
    fixture.check_states(&[("P-1", State::Ready), ("P-2", State::Withdrawn)]);
    assert_eq!(fixture.next_list(&[entry("P-2", 102), entry("P-1", 101)]), 0);
    fixture.check_states(&[("P-1", State::Ready), ("P-2", State::Ready)]);
}

pub(super) fn a_list_change_during_a_call_is_applied_when_the_call_ends(open: Opener) {
    let booked = NewEntry { eligibility: ListEligibility::Suppressed(Reason::Booked), ..entry("P-1", 101) };
    let unsure = NewEntry { eligibility: ListEligibility::Held(Reason::ConsentBlank), ..entry("P-1", 101) };
    let cases: [(Vec<Vec<NewEntry>>, State); 5] = [
        (vec![vec![entry("P-1", 101)]], State::Waiting),
        (vec![vec![booked.clone()]], State::Suppressed),
        (vec![vec![unsure]], State::Held),
        (vec![vec![]], State::Withdrawn),
        (vec![vec![booked], vec![entry("P-1", 101)]], State::Waiting),
    ];
    for (lists, expected) in cases {
        let mut fixture = Fixture::with(open, &[entry("P-1", 101)]);
        let claimed = fixture.claim();
        fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
        for list in &lists {
            assert_eq!(fixture.next_list(list), 0, "no entry in flight is withdrawn at once");
        }
        fixture.check_states(&[("P-1", State::Open)]);
        let redial = Some(noon() + TimeDelta::days(3));
        fixture.record(vec![ended(&claimed[0], Outcome::NoAnswer, redial)]).expect("recorded");
        fixture.check_states(&[("P-1", expected)]);
    }
}

pub(super) fn an_edited_number_is_the_one_that_is_called_next(open: Opener) {
    let mut fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.next_list(&[entry("P-1", 107)]);
    fixture.record(vec![ended(&claimed[0], Outcome::NoAnswer, Some(noon()))]).expect("recorded");
    assert!(fixture.claim().is_empty(), "it is the same patient, called a moment ago");
    // A week later, in the morning: at another part of the day.
    let later = noon() + TimeDelta::days(8) - TimeDelta::hours(2);
    assert_eq!(fixture.claim_at(later).claimed[0].to, number(107));
    assert_eq!(fixture.calls_to(101).len(), 1, "the call that was made stays as it was");
}

/// An entry that leaves the list and comes back with another number is not called sooner. (The number after a wrong one
/// is called at once: see `tests/numbers.rs`.)
pub(super) fn a_changed_number_still_waits_for_the_redial_gap(open: Opener) {
    let mut fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![ended(&claimed[0], Outcome::NoAnswer, Some(noon()))]).expect("recorded");
    fixture.next_list(&[]);
    fixture.next_list(&[entry("P-1", 107)]);
    fixture.check_states(&[("P-1", State::Ready)]);
    let claims = fixture.claim_at(noon());
    let deferred: Vec<_> = claims.deferred.iter().map(|entry| (entry.state, entry.reason)).collect();
    assert_eq!((claims.claimed.len(), deferred), (0, vec![(State::Waiting, Reason::RedialGap)]));
}

pub(super) fn a_wrong_number_that_is_corrected_is_not_called_if_the_list_forbids_it(open: Opener) {
    let mut fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![ended(&claimed[0], Outcome::WrongNumber, None)]).expect("recorded");
    let booked = ListEligibility::Suppressed(Reason::Booked);
    fixture.next_list(&[NewEntry { eligibility: booked, ..entry("P-1", 102) }]);
    let row = fixture.row("P-1");
    assert_eq!((row.state, row.reason), (State::Suppressed, Some(Reason::Booked)));
    fixture.next_list(&[entry("P-1", 102)]);
    assert_eq!(fixture.claim().iter().map(|call| call.to).collect::<Vec<_>>(), [number(102)]);
}

pub(super) fn a_number_that_changed_during_a_cancellation_does_not_wait_for_the_old_ones_cap(open: Opener) {
    let mut fixture = Fixture::with(open, &[entry("P-1", 101), entry("P-2", 101)]);
    assert_eq!(fixture.claim().len(), 1, "the other waits for the number");
    let campaign = DecisionScope::Campaign(fixture.campaign.name.clone());
    fixture.operator(noon()).cancel(&campaign, "operator", noon()).expect("cancelled");
    fixture.next_list(&[entry("P-1", 101), entry("P-2", 102)]);
    fixture.operator(noon()).undo_cancel(&campaign, "operator", noon()).expect("undone");
    assert_eq!(fixture.claim().iter().map(|call| call.to).collect::<Vec<_>>(), [number(102)]);
}
