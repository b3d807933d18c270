//! Pages, single conversations, and what they show.

use super::*;
use crate::vendor::RateHeaders;

/// A dispatcher whose call to patient 1 is open, with a page in flight.
fn reading(more: &str) -> Scene {
    let mut scene = Scene::following(more, &[1]);
    scene.later(10);
    assert_eq!(scene.turn(), ["page 0 100"]);
    scene
}

#[test]
fn a_closed_conversation_ends_the_attempt_once() {
    let mut scene = reading("");
    let closed = || page(Ok(page_of(vec![conversation(1, Status::Closed)])));
    assert_eq!(
        scene.comes(closed()),
        [
            "learn medium Some(\"VOICE\"), ended true",
            "record Ended (no outcome rule matched): ended attempt=1 conversation=c-1 outcome=unclassified",
        ]
    );
    assert_eq!(scene.comes(closed()), [""; 0], "the list shows it again");
    assert_eq!((scene.dispatcher.open_calls(), scene.dispatcher.in_flight.is_reading), (0, false));
}

#[test]
fn a_conversation_that_is_not_ours_or_not_closed_changes_nothing() {
    for row in [conversation(2, Status::Closed), conversation(1, Status::Closing), conversation(1, Status::Other)] {
        let mut scene = reading("");
        let lines = scene.comes(page(Ok(page_of(vec![row.clone()]))));
        assert!(lines.iter().all(|line| line.starts_with("learn medium")), "{row:?}: {lines:?}");
        assert_eq!(scene.dispatcher.open_calls(), 1);
    }
}

#[test]
fn a_page_from_a_cache_counts_for_nothing() {
    let mut scene = reading("");
    let value = Ok(page_of(vec![conversation(1, Status::Closed)]));
    let stale = Response { date: Some(after(-3_600)), ..Response::bare(value) };
    assert_eq!(scene.comes(Completion::Page(stale)), [""; 0]);
    assert_eq!(scene.dispatcher.open_calls(), 1);
    scene.later(2);
    assert_eq!(scene.turn(), ["page 0 100"], "it is read again at once, and no call is claimed");
}

#[test]
fn a_conversation_from_a_cache_counts_for_nothing() {
    let mut scene = reading("");
    let stale = Response { date: Some(after(-3_600)), ..Response::bare(Ok(conversation(1, Status::Closed))) };
    assert_eq!(scene.comes(Completion::Conversation(conversation_id(1), stale)), [""; 0]);
    assert_eq!(scene.dispatcher.open_calls(), 1);
}

#[test]
fn a_page_that_is_too_long_is_asked_for_again_with_half_the_rows() {
    let mut scene = reading("");
    for limit in [50, 25, 12, 6, 3, 2] {
        assert_eq!(scene.comes(page(Err(ReadError::TooLong))), [""; 0]);
        scene.later(2);
        assert_eq!(scene.turn(), [format!("page 0 {limit}")]);
    }
    assert_eq!(scene.comes(page(Err(ReadError::TooLong))), ["! outage_began outage=vendor"]);
}

#[test]
fn every_failed_read_has_its_own_wait() {
    for (error, event) in [
        (ReadError::Unreachable, Some("! outage_began outage=network")),
        (ReadError::NoAnswer, Some("! outage_began outage=vendor")),
        (ReadError::WebPage(200), Some("! outage_began outage=web_page")),
        (ReadError::RateLimited, None),
        (ReadError::Unauthorised(401), Some("! paused reason=unauthorised until=+7")),
        (ReadError::NotFound, Some("! outage_began outage=vendor")),
        (ReadError::Status(404), Some("! outage_began outage=address")),
        (ReadError::Status(500), Some("! outage_began outage=vendor")),
        (ReadError::Unreadable, Some("! outage_began outage=vendor")),
    ] {
        let mut scene = reading("");
        let rate_headers = RateHeaders { exhausted: error == ReadError::RateLimited, ..RateHeaders::default() };
        let lines = scene.comes(Completion::Page(Response { rate_headers, ..Response::bare(Err(error)) }));
        assert_eq!(lines.len(), usize::from(event.is_some()), "{error:?}: {lines:?}");
        assert!(lines.iter().zip(event).all(|(line, event)| line.starts_with(event)), "{error:?}: {lines:?}");
        assert_eq!(scene.turn(), [""; 0], "{error:?}: neither a read nor a call at once");
        scene.later(60);
        assert_eq!(scene.turn(), ["page 0 100"], "{error:?}");
    }
}

#[test]
fn a_conversation_that_the_list_does_not_show_is_read_by_id() {
    let mut scene = reading("");
    scene.later(60);
    scene.comes(page(Ok(page_of(vec![]))));
    scene.later(60);
    assert_eq!(scene.turn(), ["page 0 100"]);
    scene.comes(page(Ok(page_of(vec![]))));
    scene.later(2);
    assert_eq!(scene.turn(), ["read c-1"]);
    // The vendor does not know it yet: the deadline decides.
    assert_eq!(scene.comes(read(1, Err(ReadError::NotFound))), [""; 0]);
    assert_eq!(scene.dispatcher.open_calls(), 1);
    let lines = scene.comes(read(1, Ok(conversation(1, Status::Closed))));
    assert!(matches!(&lines[..], [line] if line.starts_with("record Ended")), "{lines:?}");
}

#[test]
fn a_conversation_is_given_up_only_after_a_final_read_of_its_own() {
    for last in [Err(ReadError::NotFound), Ok(conversation(1, Status::Open))] {
        let mut scene = reading("");
        // Neither pages nor the passing of time give it up.
        for _ in 0..100 {
            scene.comes(page(Ok(page_of(vec![conversation(1, Status::Open)]))));
            scene.dispatcher.in_flight.recording = 0;
            scene.dispatcher.next_due = KnownNextDue::At(None);
            scene.later(600);
            if scene.turn() == ["read c-1"] {
                break;
            }
        }
        assert_eq!(scene.dispatcher.open_calls(), 1);
        assert_eq!(scene.comes(read(1, last)), ["record TrackLost: track_lost attempt=1 conversation=c-1"]);
        assert_eq!(scene.dispatcher.open_calls(), 0);
    }
}

#[test]
fn the_claim_in_flight_has_the_first_right_to_the_budget() {
    let mut scene = Scene::following("", &[1]);
    scene.later(10);
    scene.dispatcher.in_flight.claiming = 1;
    assert_eq!(scene.turn(), [""; 0]);
    scene.dispatcher.in_flight.claiming = 0;
    assert_eq!(scene.turn(), ["page 0 100"]);
    scene.later(60);
    scene.dispatcher.next_due = KnownNextDue::At(None);
    assert_eq!(scene.turn(), [""; 0], "one read at a time");
}

#[test]
fn a_hint_brings_a_read_forward() {
    let mut scene = reading("");
    scene.comes(page(Ok(page_of(vec![conversation(1, Status::Open)]))));
    scene.dispatcher.next_due = KnownNextDue::At(None);
    scene.later(20);
    assert_eq!(scene.turn(), [""; 0]);
    scene.dispatcher.on_hints(vec![conversation_id(1), conversation_id(7)], scene.now);
    let wait = scene.wait();
    scene.later(4);
    assert!(!scene.turn().is_empty(), "{wait:?}");
}
