//! Calls of ours that the ledger does not know.

use super::*;

pub(super) fn our_line() -> OurLine {
    let from = E164::parse("+13125550142").expect("a good number");
    OurLine { organisation: OrganisationId::new("Bright Smile Dental"), from }
}

fn sighting(id: &str, last: u32, minutes: i64) -> Sighting {
    let started = noon() + TimeDelta::minutes(minutes);
    Sighting { conversation: ConversationId::new(id), from: number(142), to: number(last), started }
}

fn strangers(desk: &Desk, sightings: &[Sighting]) -> Vec<String> {
    let found = now_or_never(desk.ledger.strangers(sightings.to_vec())).expect("asked");
    found.iter().map(|stranger| stranger.conversation.as_str().to_owned()).collect()
}

fn take_over(desk: &Desk, sightings: &[Sighting]) -> Vec<UnderWay> {
    let now = noon() + TimeDelta::hours(1);
    now_or_never(desk.ledger.in_step(desk.run, our_line(), sightings.to_vec(), now)).expect("taken over")
}

#[test]
fn a_new_ledger_is_in_step_since_it_was_made_and_later_since_its_last_claim() {
    let desk = Desk::with(&[draft("P-1", 101)]);
    let in_step = || now_or_never(desk.ledger.in_step_at(our_line())).expect("read");
    assert_eq!(in_step(), InStep { at: noon(), takes_over: false, adopted_at: None });
    let later = noon() + TimeDelta::minutes(5);
    assert_eq!(desk.claim_at(later).authorised.len(), 1);
    assert_eq!(in_step(), InStep { at: later, takes_over: false, adopted_at: None });
    take_over(&desk, &[]);
    assert_eq!(in_step().at, noon() + TimeDelta::hours(1));
}

#[test]
fn a_stranger_is_a_call_to_one_of_our_patients_that_no_attempt_can_have_made() {
    let desk = Desk::with(&[draft("P-1", 101), draft("P-2", 102), draft("P-3", 103), draft("P-4", 104)]);
    let claimed = desk.claim();
    desk.record(vec![happened(&claimed[0], Fact::Accepted)]).expect("recorded");
    desk.record(vec![happened(&claimed[1], Fact::AnswerLost)]).expect("recorded");
    desk.record(vec![happened(&claimed[2], Fact::AnswerLost)]).expect("recorded");
    desk.record(vec![happened(&claimed[2], Fact::Absent { retry: false })]).expect("recorded");
    let known = format!("c-{}", claimed[0].attempt);
    let sightings = [
        sighting("second-to-the-same", 101, 2),
        sighting(&known, 101, 0),
        sighting("perhaps-the-lost-one", 102, 1),
        sighting("perhaps-the-absent-one", 103, 1),
        sighting("later-than-the-absent-one", 103, 30),
        sighting("perhaps-the-one-under-way", 104, 1),
        sighting("somebody-elses-patient", 199, 1),
        sighting("first-to-the-same", 101, 1),
    ];
    assert_eq!(strangers(&desk, &sightings), ["first-to-the-same", "second-to-the-same", "later-than-the-absent-one"]);
}

#[test]
fn what_is_taken_over_is_followed_and_never_called_again() {
    let desk = Desk::with(&[draft("P-1", 101), draft("P-2", 102)]);
    let taken = take_over(&desk, &[sighting("lost-and-found", 101, 1)]);
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].conversation, Some(ConversationId::new("lost-and-found")));
    desk.check_states(&[("P-1", State::Open), ("P-2", State::Ready)]);
    assert_eq!(desk.claim().len(), 1, "only the other one may be called");
    assert!(strangers(&desk, &[sighting("lost-and-found", 101, 1)]).is_empty());
}

#[test]
fn a_call_that_no_entry_waits_for_still_counts_for_its_number() {
    let desk = Desk::with(&[draft("P-1", 101)]);
    let claimed = desk.claim();
    desk.record(vec![happened(&claimed[0], Fact::Accepted)]).expect("recorded");
    let tomorrow = noon() + TimeDelta::hours(24);
    desk.record(vec![ended(&claimed[0], Outcome::NoAnswer, Some(tomorrow))]).expect("recorded");
    // It waits for its redial, which the lost part of the ledger made; and another came after that.
    let taken = take_over(&desk, &[sighting("redial", 101, 1_450), sighting("one-more", 101, 1_455)]);
    assert_eq!(taken.len(), 2, "one is followed, and one asked for once");
    desk.check_states(&[("P-1", State::Open)]);
    assert_eq!(desk.count("attempt WHERE state = 'lost_track' AND found"), 1, "it is asked for again");
    assert_eq!(desk.count("event WHERE kind = 'taken_over'"), 1);
}
