//! The calls to a number, and a patient's alternate numbers.

use super::*;

/// A patient with three numbers.
fn entry_with_alternates(key: &str, last: u32) -> NewEntry {
    NewEntry { alternatives: vec![number(last + 1), number(last + 2)], ..entry(key, last) }
}

impl Fixture {
    /// Places one call, from its claim to this outcome. Returns the entry's state.
    fn call(&self, to: u32, outcome: Outcome, redial: Option<DateTime<Utc>>) -> State {
        let claimed = self.claim();
        assert_eq!(claimed.iter().map(|call| call.to).collect::<Vec<_>>(), [number(to)]);
        self.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
        self.record(vec![ended(&claimed[0], outcome, redial)]).expect("recorded").remove(0)
    }
}

pub(super) fn after_a_wrong_number_the_patients_next_one_is_called_and_the_last_finishes_the_entry(open: Opener) {
    let fixture = Fixture::new(open);
    fixture.enrol(&[entry_with_alternates("1", 110)]);
    assert_eq!(fixture.call(110, Outcome::WrongNumber, Some(noon())), State::Waiting);
    assert_eq!(fixture.call(111, Outcome::InvalidNumber, Some(noon())), State::Waiting);
    assert_eq!(fixture.call(112, Outcome::WrongNumber, Some(noon())), State::Finished);
    assert!(fixture.claim().is_empty());
}

pub(super) fn without_another_number_or_a_redial_a_wrong_number_finishes_the_entry(open: Opener) {
    let fixture = Fixture::new(open);
    fixture.enrol(&[entry("1", 110)]);
    assert_eq!(fixture.call(110, Outcome::WrongNumber, Some(noon())), State::Finished);
    fixture.enrol(&[entry_with_alternates("2", 120)]);
    assert_eq!(fixture.call(120, Outcome::WrongNumber, None), State::Finished);
}

pub(super) fn nobody_who_opted_out_is_called_on_another_number(open: Opener) {
    let fixture = Fixture::new(open);
    fixture.enrol(&[entry_with_alternates("1", 110)]);
    assert_eq!(fixture.call(110, Outcome::OptOut, None), State::Finished);
    assert!(fixture.claim().is_empty());
}

pub(super) fn every_rule_applies_to_the_alternate_number(open: Opener) {
    let fixture = Fixture::new(open);
    fixture.enrol(&[entry_with_alternates("1", 110)]);
    fixture.suppress(number(111), None, noon());
    assert_eq!(fixture.call(110, Outcome::WrongNumber, Some(noon())), State::Waiting);
    assert!(fixture.claim().is_empty(), "it is on the suppression list");
}

pub(super) fn the_next_list_does_not_restore_a_number_that_was_wrong(open: Opener) {
    let fixture = Fixture::new(open);
    let list = [entry_with_alternates("1", 110)];
    fixture.enrol(&list);
    assert_eq!(fixture.call(110, Outcome::WrongNumber, Some(noon())), State::Waiting);
    assert_eq!(fixture.enrol(&list), EnrolmentCounts { same: 1, ..EnrolmentCounts::default() });
    assert_eq!(fixture.call(111, Outcome::Booked, None), State::Finished);
}

pub(super) fn a_number_from_a_newer_list_comes_before_the_alternates(open: Opener) {
    let mut fixture = Fixture::with(open, &[entry_with_alternates("1", 110)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.next_list(&[NewEntry { phone: number(119), ..entry_with_alternates("1", 110) }]);
    fixture.record(vec![ended(&claimed[0], Outcome::WrongNumber, Some(noon()))]).expect("recorded");
    assert_eq!(fixture.call(119, Outcome::Booked, None), State::Finished);
}

pub(super) fn a_clock_that_was_set_back_shortens_no_pause_between_two_calls_to_a_number(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim();
    let earlier = noon() - TimeDelta::hours(8);
    fixture.record(vec![AttemptUpdate { at: earlier, ..update(&claimed[0], Fact::AnswerLost) }]).expect("recorded");
    assert_eq!(fixture.calls_to(101), [noon()]);
}

pub(super) fn a_corrected_number_is_a_new_chance_while_calls_are_left(open: Opener) {
    let fixture = Fixture::new(open);
    let renumbered = |corrected| EnrolmentCounts { renumbered: 1, corrected, ..EnrolmentCounts::default() };
    let same = EnrolmentCounts { same: 1, ..EnrolmentCounts::default() };
    fixture.enrol(&[entry("1", 110)]);
    assert_eq!(fixture.call(110, Outcome::WrongNumber, None), State::Finished);
    assert_eq!(fixture.enrol(&[entry("1", 110)]), same);
    assert!(fixture.claim().is_empty(), "the number is the wrong one still");
    assert_eq!(fixture.enrol(&[entry("1", 111)]), renumbered(1));
    assert_eq!(fixture.call(111, Outcome::InvalidNumber, None), State::Finished);
    assert_eq!(fixture.enrol(&[entry("1", 110)]), same, "both are wrong");
    assert!(fixture.claim().is_empty());
    assert_eq!(fixture.enrol(&[entry("1", 112)]), renumbered(1));
    assert_eq!(fixture.call(112, Outcome::WrongNumber, None), State::Finished);
    assert_eq!(fixture.enrol(&[entry("1", 113)]), same, "three calls were made");
    assert!(fixture.claim().is_empty());
    fixture.check_states(&[("1", State::Finished)]);
}

pub(super) fn a_corrected_number_reopens_a_call_that_was_refused_for_its_number(open: Opener) {
    for (reason, reopened) in [(Reason::VendorRefused, true), (Reason::ContentRefused, false)] {
        let fixture = Fixture::with(open, &[entry("1", 110)]);
        let claimed = fixture.claim();
        fixture.record(vec![update(&claimed[0], Fact::Refused { reason })]).expect("recorded");
        fixture.enrol(&[entry("1", 110)]);
        fixture.check_states(&[("1", State::Failed)]);
        fixture.enrol(&[entry("1", 111)]);
        let to: Vec<_> = fixture.claim().iter().map(|call| call.to).collect();
        assert_eq!(to, if reopened { vec![number(111)] } else { vec![] }, "{reason}");
    }
}
