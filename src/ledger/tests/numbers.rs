//! Numbers: the calls to one, and the other ones of a patient.

use super::*;

/// A patient with three numbers.
fn draft_with_others(key: &str, last: u32) -> Draft {
    Draft { alternatives: vec![number(last + 1), number(last + 2)], ..draft(key, last) }
}

impl Desk {
    /// One call, from its claim to this outcome; where the entry stands then.
    fn call(&self, to: u32, outcome: Outcome, redial: Option<DateTime<Utc>>) -> State {
        let claimed = self.claim();
        assert_eq!(claimed.iter().map(|call| call.to).collect::<Vec<_>>(), [number(to)]);
        self.record(vec![happened(&claimed[0], Fact::Accepted)]).expect("recorded");
        self.record(vec![ended(&claimed[0], outcome, redial)]).expect("recorded").remove(0)
    }
}

#[test]
fn a_wrong_number_leads_to_the_patients_next_one_and_the_last_ends_it() {
    let desk = Desk::new();
    desk.enrol(&[draft_with_others("1", 110)]);
    assert_eq!(desk.call(110, Outcome::WrongNumber, Some(noon())), State::Waiting);
    assert_eq!(desk.call(111, Outcome::InvalidNumber, Some(noon())), State::Waiting);
    assert_eq!(desk.call(112, Outcome::WrongNumber, Some(noon())), State::Finished);
    assert!(desk.claim().is_empty());
}

#[test]
fn without_another_number_or_another_call_a_wrong_number_is_the_end() {
    let desk = Desk::new();
    desk.enrol(&[draft("1", 110)]);
    assert_eq!(desk.call(110, Outcome::WrongNumber, Some(noon())), State::Finished);
    desk.enrol(&[draft_with_others("2", 120)]);
    assert_eq!(desk.call(120, Outcome::WrongNumber, None), State::Finished);
}

#[test]
fn nobody_who_opted_out_is_called_on_another_number() {
    let desk = Desk::new();
    desk.enrol(&[draft_with_others("1", 110)]);
    assert_eq!(desk.call(110, Outcome::OptOut, None), State::Finished);
    assert!(desk.claim().is_empty());
}

#[test]
fn the_other_number_is_asked_every_rule_of_its_own() {
    let desk = Desk::new();
    desk.enrol(&[draft_with_others("1", 110)]);
    Operator::open(&path_in(&desk.folder), noon())
        .expect("opened")
        .suppress([number(111)], Ban { scope: Scope::All, source: "a letter", expires: None }, noon())
        .expect("suppressed");
    assert_eq!(desk.call(110, Outcome::WrongNumber, Some(noon())), State::Waiting);
    assert!(desk.claim().is_empty(), "it is on the suppression list");
}

#[test]
fn the_next_list_does_not_take_the_entry_back_to_a_number_that_was_wrong() {
    let desk = Desk::new();
    let list = [draft_with_others("1", 110)];
    desk.enrol(&list);
    assert_eq!(desk.call(110, Outcome::WrongNumber, Some(noon())), State::Waiting);
    assert_eq!(desk.enrol(&list), Enrolled { same: 1, ..Enrolled::default() });
    assert_eq!(desk.call(111, Outcome::Booked, None), State::Finished);
}

#[test]
fn a_number_that_a_newer_list_gave_meanwhile_goes_before_the_others() {
    let mut desk = Desk::with(&[draft_with_others("1", 110)]);
    let claimed = desk.claim();
    desk.record(vec![happened(&claimed[0], Fact::Accepted)]).expect("recorded");
    desk.next_list(&[Draft { phone: number(119), ..draft_with_others("1", 110) }]);
    desk.record(vec![ended(&claimed[0], Outcome::WrongNumber, Some(noon()))]).expect("recorded");
    assert_eq!(desk.call(119, Outcome::Booked, None), State::Finished);
}

#[test]
fn a_clock_that_was_set_back_shortens_no_pause_between_two_calls_to_a_number() {
    let desk = Desk::with(&[draft("P-1", 101)]);
    let claimed = desk.claim();
    let earlier = noon() - TimeDelta::hours(8);
    desk.record(vec![Happened { at: earlier, ..happened(&claimed[0], Fact::AnswerLost) }]).expect("recorded");
    let history = claim::history(&desk.committed(), number(101), &desk.campaign.calling.caps).expect("read");
    assert_eq!(history.placements.iter().map(|placement| placement.at).collect::<Vec<_>>(), [noon()]);
}
