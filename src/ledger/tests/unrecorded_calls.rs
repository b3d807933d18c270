//! Calls on the vendor's list that the ledger lacks.

use super::*;

fn observed(id: &str, last: u32, minutes: i64) -> ObservedCall {
    let started = noon() + TimeDelta::minutes(minutes);
    ObservedCall { conversation: ConversationId::new(id), from: number(142), to: number(last), started }
}

fn unrecorded(fixture: &Fixture, calls: &[ObservedCall]) -> Vec<String> {
    let found = committed(fixture.ledger().unrecorded_calls(calls.to_vec())).expect("asked");
    found.iter().map(|call| call.conversation.as_str().to_owned()).collect()
}

fn take_over_calls(fixture: &Fixture, calls: &[ObservedCall]) -> Vec<InFlightAttempt> {
    let now = noon() + TimeDelta::hours(1);
    committed(fixture.ledger().take_over_calls(fixture.run, our_caller_id(), calls.to_vec(), now))
        .expect("adopted over")
}

pub(super) fn the_watermark_is_at_the_ledgers_creation_and_later_at_its_last_claim(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let watermark = || committed(fixture.ledger().watermark(our_caller_id())).expect("read");
    assert_eq!(watermark(), Watermark { at: noon(), takes_over: false, adopted_at: None });
    let later = noon() + TimeDelta::minutes(5);
    assert_eq!(fixture.claim_at(later).claimed.len(), 1);
    assert_eq!(watermark(), Watermark { at: later, takes_over: false, adopted_at: None });
    take_over_calls(&fixture, &[]);
    assert_eq!(watermark().at, noon() + TimeDelta::hours(1));
}

pub(super) fn a_call_to_one_of_our_patients_that_no_attempt_can_have_placed_is_unrecorded(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101), entry("P-2", 102), entry("P-3", 103), entry("P-4", 104)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![update(&claimed[1], Fact::AnswerLost)]).expect("recorded");
    fixture.record(vec![update(&claimed[2], Fact::AnswerLost)]).expect("recorded");
    fixture.record(vec![update(&claimed[2], Fact::Absent { retry: false })]).expect("recorded");
    let known = format!("c-{}", claimed[0].attempt);
    let calls = [
        observed("second-to-the-same", 101, 2),
        observed(&known, 101, 0),
        observed("perhaps-the-lost-one", 102, 1),
        observed("perhaps-the-absent-one", 103, 1),
        observed("later-than-the-absent-one", 103, 30),
        observed("perhaps-the-one-under-way", 104, 1),
        observed("somebody-elses-patient", 199, 1),
        observed("first-to-the-same", 101, 1),
    ];
    assert_eq!(unrecorded(&fixture, &calls), ["first-to-the-same", "second-to-the-same", "later-than-the-absent-one"]);
}

pub(super) fn a_call_that_is_taken_over_is_followed_and_its_entry_not_called_again(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101), entry("P-2", 102)]);
    let adopted = take_over_calls(&fixture, &[observed("lost-and-found", 101, 1)]);
    assert_eq!(adopted.len(), 1);
    assert_eq!(adopted[0].conversation, Some(ConversationId::new("lost-and-found")));
    fixture.check_states(&[("P-1", State::Open), ("P-2", State::Ready)]);
    assert_eq!(fixture.claim().len(), 1, "only the other entry may be called");
    assert!(unrecorded(&fixture, &[observed("lost-and-found", 101, 1)]).is_empty());
}

pub(super) fn a_second_unrecorded_call_to_a_number_still_counts_for_it(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    let tomorrow = noon() + TimeDelta::hours(24);
    fixture.record(vec![ended(&claimed[0], Outcome::NoAnswer, Some(tomorrow))]).expect("recorded");
    // The entry waits for its redial, which the lost part of the ledger placed, followed by another call.
    let adopted = take_over_calls(&fixture, &[observed("redial", 101, 1_450), observed("one-more", 101, 1_455)]);
    assert_eq!(adopted.len(), 2, "one is followed, one is polled once");
    fixture.check_states(&[("P-1", State::Open)]);
    let lost_track = committed(fixture.ledger().lost_track(fixture.run.campaign, noon())).expect("attempts");
    let [asked_again] = lost_track.try_into().expect("one attempt");
    let id = asked_again.conversation.expect("its conversation");
    let recorded = committed(fixture.ledger().recorded_among(vec![id.clone()])).expect("asked");
    assert_eq!(recorded, [(id, false)], "it was found, not named in a response");
    assert_eq!(fixture.events_of([1]).iter().filter(|event| event.kind == "taken_over").count(), 1);
}
