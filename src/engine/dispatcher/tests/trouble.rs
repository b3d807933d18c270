//! Trouble with the vendor: what its refusals and failures mean for the entry and for the calls after it.

use super::*;
use crate::engine::stop_reason::StopReason;
use crate::vendor::{Concern, LostAnswer, NotPlaced};

/// What follows from this answer to attempt 1, at +62.
fn answered(not_placed: NotPlaced) -> (Scene, Vec<String>) {
    let mut scene = Scene::sending("", &[1]);
    let lines = scene.comes(replied(1, Reply::NotPlaced(not_placed)));
    (scene, lines)
}

#[test]
fn every_reason_for_which_a_call_was_not_placed_has_its_own_wait() {
    let refused = |concern| NotPlaced::refused(403, concern);
    let cases: [(NotPlaced, &[&str]); 13] = [
        (
            NotPlaced::NeverConnected,
            &[
                "! outage_began outage=network",
                "record NotPlaced: not_placed attempt=1 reason=not_connected retry_at=+?",
            ],
        ),
        (NotPlaced::RateLimited, &["record NotPlaced: not_placed attempt=1 reason=rate_limited retry_at=+?"]),
        (
            NotPlaced::StaleToken,
            &["record NotPlaced (the token had been replaced): not_placed attempt=1 reason=unauthorised retry_at=+62"],
        ),
        (refused(Concern::Destination), &["record Refused (status 403): refused attempt=1 reason=vendor_refused"]),
        (refused(Concern::Content), &["record Refused (status 403): refused attempt=1 reason=content_refused"]),
        (
            refused(Concern::Cap),
            &["record NotPlaced (status 403): not_placed attempt=1 reason=vendor_cap retry_at=+86462"],
        ),
        (
            refused(Concern::Hours),
            &["record NotPlaced (status 403): not_placed attempt=1 reason=vendor_hours retry_at=+962"],
        ),
        (
            refused(Concern::RateLimit),
            &["record NotPlaced (status 403): not_placed attempt=1 reason=rate_limited retry_at=+?"],
        ),
        (
            refused(Concern::ConcurrentCalls),
            &["record NotPlaced (status 403): not_placed attempt=1 reason=too_many_calls retry_at=+77"],
        ),
        (
            refused(Concern::Credentials),
            &[
                "! paused reason=unauthorised until=+?",
                "record NotPlaced (status 403): not_placed attempt=1 reason=unauthorised retry_at=+?",
            ],
        ),
        (
            refused(Concern::CallerId),
            &["record NotPlaced (status 403): not_placed attempt=1 reason=line_refused retry_at=+962"],
        ),
        (
            refused(Concern::Account),
            &["record NotPlaced (status 403): not_placed attempt=1 reason=account_refused retry_at=+962"],
        ),
        (
            refused(Concern::Unknown),
            &["record NotPlaced (status 403): not_placed attempt=1 reason=refused_unexplained retry_at=+962"],
        ),
    ];
    for (not_placed, expected) in cases {
        let (scene, lines) = answered(not_placed.clone());
        assert_eq!(lines.len(), expected.len(), "{not_placed:?}: {lines:?}");
        for (line, expected) in lines.iter().zip(expected) {
            // A `?` is a delay with jitter, or the quota's.
            assert!(line.starts_with(expected.trim_end_matches('?')), "{not_placed:?}: {line}");
        }
        assert_eq!(scene.dispatcher.in_flight.sending, 0);
        assert_eq!(scene.dispatcher.stop_reason, None);
    }
}

#[test]
fn after_trouble_no_call_is_claimed_before_the_pause_is_over() {
    let cases: [(NotPlaced, i64); 2] = [(NotPlaced::refused(403, Concern::Hours), 900), (NotPlaced::NeverConnected, 1)];
    for (not_placed, pause) in cases {
        let (mut scene, _) = answered(not_placed.clone());
        scene.settle();
        assert_eq!(scene.turn(), [""; 0], "{not_placed:?}");
        scene.later(pause);
        assert_eq!(scene.turn(), ["claim 1, 0 blocked"], "{not_placed:?}");
    }
}

#[test]
fn three_patients_refused_in_a_row_block_the_caller_id_or_the_organisation() {
    for (campaign, concern, expected) in [
        (TWO_LOCATIONS, Concern::CallerId, "! line_refused from=+13125550142 locations=[\"Main\"] says=status 403"),
        (
            "",
            Concern::CallerId,
            "! stopping RefusedInARow { refusal: CallerId, vendor_text: Some(\"status 403\"), locations: [] }",
        ),
        (
            TWO_LOCATIONS,
            Concern::Account,
            "! stopping RefusedInARow { refusal: Account, vendor_text: Some(\"status 403\"), locations: [] }",
        ),
    ] {
        let mut scene = Scene::sending(campaign, &[1, 2, 3]);
        let mut refuse = |attempt| scene.comes(replied(attempt, Reply::NotPlaced(NotPlaced::refused(403, concern))));
        let (first, second, third) = (refuse(1), refuse(2), refuse(3));
        for lines in [first, second] {
            assert!(lines.len() == 1 && lines[0].ends_with("retry_at=+966"), "not decided yet: {lines:?}");
        }
        assert_eq!(third[0], expected);
        assert!(third[1].starts_with("record NotPlaced") && third[1].ends_with("retry_at=+66"), "{third:?}");
    }
}

#[test]
fn while_refusals_are_undecided_calls_go_out_one_at_a_time() {
    let mut scene = Scene::sending("", &[1]);
    scene.comes(replied(1, Reply::NotPlaced(NotPlaced::refused(403, Concern::Unknown))));
    assert_eq!(scene.dispatcher.free_call_slots(scene.now), 1);
    scene.send(2);
    assert_eq!(scene.dispatcher.free_call_slots(scene.now), 0);
    scene.comes(replied(2, Reply::Accepted(conversation_id(2))));
    assert_eq!(scene.dispatcher.free_call_slots(scene.now), 3);
}

#[test]
fn credentials_that_are_rejected_three_times_stop_the_run() {
    let mut scene = Scene::sending("", &[1]);
    for attempt in 1..=3 {
        let claim = scene.claim(attempt);
        let rejected = Reply::NotPlaced(NotPlaced::refused(401, Concern::Credentials));
        let lines = scene.comes(Completion::Replied(claim.clone(), Response::bare(rejected)));
        let expected = if attempt < 3 { "! paused reason=unauthorised" } else { "! stopping Refused(Credentials)" };
        assert!(lines[0].starts_with(expected), "{lines:?}");
        scene.later(60);
        scene.send(attempt + 1);
    }
    assert!(scene.dispatcher.has_stopped_reading);
}

#[test]
fn lost_answers_in_a_row_pause_the_calls() {
    let mut scene = Scene::sending("", &[1, 2, 3]);
    let mut lose = |attempt| scene.comes(replied(attempt, Reply::Lost(LostAnswer::Broken)));
    assert_eq!((lose(1).len(), lose(2).len()), (1, 1));
    let lines = lose(3);
    let why = "the connection broke";
    assert_eq!(
        lines,
        [
            "! paused reason=answers_lost until=+366".to_owned(),
            format!("record AnswerLost ({why}): answer_lost attempt=3 because={why}"),
        ]
    );
    assert_eq!(scene.turn(), [""; 0]);
    assert_eq!(scene.dispatcher.free_call_slots(scene.now), 1, "one at a time until an answer arrives");
}

#[test]
fn an_outage_is_reported_when_it_begins_and_when_it_ends() {
    let (mut scene, lines) = answered(NotPlaced::NeverConnected);
    assert_eq!(lines[0], "! outage_began outage=network");
    scene.later(60);
    scene.send(2);
    let lines = scene.comes(replied(2, Reply::NotPlaced(NotPlaced::NeverConnected)));
    assert_eq!(lines.len(), 1, "it is known: {lines:?}");
    scene.later(60);
    scene.send(3);
    let lines = scene.comes(replied(3, Reply::Accepted(conversation_id(3))));
    assert_eq!(
        lines,
        ["! outage_ended outage=network since=+62", "record Accepted: accepted attempt=3 conversation=c-3",]
    );
}

#[test]
fn an_answer_whose_date_contradicts_the_clock_three_times_stops_the_run() {
    let mut scene = Scene::sending("", &[1, 2, 3]);
    for attempt in 1..=3 {
        let date = Some(after(-3_600));
        let reply = Reply::Accepted(conversation_id(attempt));
        let answer = Response { date, ..Response::bare(reply) };
        let claim = scene.claim(attempt);
        let lines = scene.comes(Completion::Replied(claim, answer));
        let stops = matches!(scene.dispatcher.stop_reason, Some(StopReason::Clock { .. }));
        assert_eq!((lines.len(), stops), if attempt < 3 { (1, false) } else { (2, true) }, "{lines:?}");
    }
}

#[test]
fn a_vendor_that_does_not_close_its_conversations_gets_few_calls_more() {
    let carried = |calls| CarriedOver {
        in_flight: (1..=calls).map(|attempt| in_flight(attempt, AttemptState::Open)).collect(),
        ..CarriedOver::default()
    };
    for (closing, free) in [(1, 10), (20, 10), (21, 9), (29, 1), (30, 0), (40, 0)] {
        let mut scene = Scene::carrying("", carried(closing));
        let rows = (1..=closing).map(|attempt| conversation(attempt, Status::Closing)).collect();
        scene.dispatcher.tracker.on_page(&page_of(rows), scene.now);
        assert_eq!(scene.dispatcher.free_places(scene.now), free, "{closing} conversations are closing");
    }
}
