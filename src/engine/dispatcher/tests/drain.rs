//! The end of a run.

use super::*;
use crate::engine::stop_reason::StopReason;

fn stop(scene: &mut Scene, reason: StopReason) -> Vec<String> {
    scene.handle(|dispatcher, effects| dispatcher.stop_placing(reason, effects)).1
}

#[test]
fn an_interrupted_run_awaits_the_answers_in_flight_and_leaves_open_calls_to_the_next() {
    let mut scene = Scene::sending("", &[1]);
    assert_eq!(stop(&mut scene, StopReason::Interrupted), ["! stopping Interrupted"]);
    assert_eq!(scene.turn(), [""; 0]);
    assert_eq!(scene.wait(), ["waits until something comes"]);
    let lines = scene.comes(replied(1, Reply::Accepted(conversation_id(1))));
    assert_eq!(lines, ["record Accepted: accepted attempt=1 conversation=c-1"]);
    assert_eq!(scene.wait(), ["waits until something comes"], "the answer is not on stable storage yet");
    scene.settle();
    assert_eq!(scene.wait(), ["finished Interrupted"]);
}

#[test]
fn a_claim_that_returns_after_a_stop_is_still_sent_for_its_intent_is_written() {
    let mut scene = Scene::dialing("");
    assert_eq!(scene.turn(), ["claim 1, 0 blocked"]);
    stop(&mut scene, StopReason::Interrupted);
    let claim = scene.claim(1);
    assert_eq!(scene.comes(claimed(1, vec![claim])), ["! dialling attempt=1 call=1", "place 1"]);
}

fn paused() -> StopReason {
    StopReason::Paused { by: "Ann".into(), since: after(0).naive_utc(), until: None }
}

#[test]
fn calls_under_way_are_followed_after_a_stop_that_does_not_concern_reading() {
    let mut scene = Scene::following("", &[1]);
    stop(&mut scene, paused());
    scene.later(10);
    assert_eq!(scene.turn(), ["page 0 100"]);
    let closed = page_of(vec![conversation(1, Status::Closed)]);
    assert!(scene.comes(page(Ok(closed))).iter().any(|line| line.starts_with("record Ended")));
    scene.settle();
    assert_eq!(scene.wait(), [format!("finished {:?}", paused())]);
}

#[test]
fn the_most_severe_reason_is_kept_and_each_is_reported_once() {
    let mut scene = Scene::dialing("");
    assert_eq!(stop(&mut scene, paused()), [format!("! stopping {:?}", paused())]);
    assert_eq!(stop(&mut scene, paused()), [""; 0]);
    assert_eq!(stop(&mut scene, StopReason::MaxCalls { limit: 1 }), [""; 0], "it is less severe");
    // It is less severe too, but stops the reads as well.
    assert_eq!(stop(&mut scene, StopReason::Unreachable).len(), 1);
    assert_eq!(scene.dispatcher.stop_reason, Some(paused()));
    assert!(scene.dispatcher.has_stopped_reading);
    assert_eq!(stop(&mut scene, StopReason::Interrupted), ["! stopping Interrupted"]);
}

#[test]
fn a_list_that_proves_nothing_leaves_lost_answers_unsettled() {
    let mut scene = Scene::sending("", &[1]);
    scene.comes(replied(1, Reply::Lost(crate::vendor::LostAnswer::Timeout)));
    scene.settle();
    scene.dispatcher.next_due = KnownNextDue::At(None);
    assert!(scene.wait()[0].starts_with("waits until +"), "rule R is not done");
    let flaw = crate::engine::scan::ScanFlaw::Unreadable;
    stop(&mut scene, StopReason::ListProvesNothing { flaw });
    assert_eq!(scene.wait(), ["finished ListProvesNothing { flaw: Unreadable }"]);
}

#[test]
fn caller_ids_that_were_blocked_are_the_reason_unless_a_more_severe_one_is_known() {
    for (reason, expected) in [
        (None, "finished CallerIdsRefused { locations: [Location(Annex)] }"),
        (Some(StopReason::Interrupted), "finished CallerIdsRefused { locations: [Location(Annex)] }"),
        (
            Some(StopReason::Behind { calls: 1, since: start() }),
            "finished Behind { calls: 1, since: 2026-11-24T16:00:00Z }",
        ),
    ] {
        let mut scene = Scene::dialing(TWO_LOCATIONS);
        scene.handle(|dispatcher, effects| dispatcher.block_caller_id(annex(), None, effects));
        scene.dispatcher.next_due = KnownNextDue::At(None);
        if let Some(reason) = reason {
            stop(&mut scene, reason);
        }
        assert_eq!(scene.wait(), [expected]);
    }
}
