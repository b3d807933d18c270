//! The beginning of a run: what earlier runs left.

use super::*;
use crate::entry::Fact;

/// How many answers are found lost, how many conversations are followed, and when the first absence can be proved.
fn left(attempt: InFlightAttempt) -> (usize, usize, Option<String>) {
    let scene = Scene::carrying("", CarriedOver { in_flight: vec![attempt], ..CarriedOver::default() });
    assert!(scene.found_lost.iter().all(|lost| lost.fact == Fact::AnswerLost && lost.at == start()));
    let proof = scene.dispatcher.reconciler.next_proof_at().map(offset);
    (scene.found_lost.len(), scene.dispatcher.tracker.open_count(), proof)
}

#[test]
fn an_open_conversation_is_followed_and_an_attempt_without_a_reply_is_a_lost_answer() {
    let proof = |seconds: &str| Some(seconds.to_owned());
    assert_eq!(left(in_flight(1, AttemptState::Open)), (0, 1, None));
    // Its request could have been accepted until now.
    assert_eq!(left(in_flight(1, AttemptState::Submitting)), (1, 0, proof("+300")));
    let unknown = in_flight(1, AttemptState::Unknown);
    let lost_at = |seconds| InFlightAttempt { lost_at: Some(after(seconds)), ..unknown.clone() };
    assert_eq!(left(lost_at(-500)), (0, 0, proof("-200")));
    // A clock that had been set back wrote a time before the intent: the true one is unknown.
    assert_eq!(left(lost_at(-601)), (0, 0, proof("+300")));
    assert_eq!(left(unknown.clone()), (0, 0, proof("+300")));
}

#[test]
fn a_conversation_that_was_lost_track_of_is_read_once_more() {
    let lost_track = vec![in_flight(1, AttemptState::LostTrack)];
    let mut scene = Scene::carrying("", CarriedOver { lost_track, ..CarriedOver::default() });
    scene.dispatcher.unchecked_caller_ids.clear();
    scene.dispatcher.staleness_check = None;
    scene.dispatcher.next_due = KnownNextDue::At(None);
    assert_eq!(scene.next_turn(), ["page 0 100"]);
    assert_eq!(scene.comes(page(Ok(page_of(vec![])))), [""; 0]);
    scene.later(2);
    assert_eq!(scene.next_turn(), ["read c-1"]);
    assert_eq!(scene.comes(read(1, Ok(conversation(1, Status::Open)))), [""; 0]);
    assert_eq!(scene.wait(), ["finished Done"]);
}

#[test]
fn a_watermark_later_than_now_is_taken_for_now() {
    let late = Watermark { at: after(86_400), takes_over: false, adopted_at: None };
    let carried = CarriedOver { watermarks: vec![(main_number(), late)], ..CarriedOver::default() };
    let scene = Scene::carrying("", carried);
    let back_to = scene.dispatcher.staleness_check.as_ref().map(|check| check.back_to(TimeDelta::zero()));
    assert!(back_to.is_some_and(|at| at <= start()), "{back_to:?}");
}
