//! When a call no longer takes a place.

use super::*;

/// The row of a call that ended after `ended` seconds, if at all.
fn row(number: u32, status: Status, ended: Option<i64>) -> Page {
    let mut page = page(&[(number, status)]);
    page.conversations[0].ended = ended.map(after);
    page
}

#[test]
fn a_place_is_free_when_the_call_has_ended_and_the_outcome_comes_when_the_conversation_is_closed() {
    for (name, shown, is_free) in [
        ("in progress", row(0, Status::Open, None), false),
        ("an end that is announced", row(0, Status::Open, Some(600)), false),
        ("an end that is the start", row(0, Status::Open, Some(0)), false),
        ("an end, still open", row(0, Status::Open, Some(50)), true),
        ("closing, without an end", row(0, Status::Closing, None), true),
        ("an unknown status, with an end", row(0, Status::Other, Some(50)), true),
        ("an unknown status, without an end", row(0, Status::Other, None), false),
    ] {
        let mut tracker = tracking(1);
        let (closed, _) = tracker.on_page(&shown, after(60));
        assert_eq!((closed.len(), tracker.open_count()), (0, 1), "{name}");
        assert_eq!(tracker.places_taken(), usize::from(!is_free), "{name}");
        assert_eq!(tracker.on_page(&row(0, Status::Closed, Some(50)), after(90)).0.len(), 1, "{name}");
        assert_eq!(tracker.places_taken(), 0, "{name}");
    }
}

#[test]
fn an_end_that_moves_while_the_call_is_open_is_no_end() {
    let mut tracker = tracking(2);
    for second in [20, 40] {
        tracker.on_page(&row(0, Status::Open, Some(second)), after(second));
    }
    assert_eq!(tracker.places_taken(), 2, "places are free when conversations are closed");
    tracker.on_page(&row(0, Status::Closed, Some(50)), after(60));
    assert_eq!(tracker.places_taken(), 1);
}

#[test]
fn an_end_that_turns_out_to_be_another_one_was_none() {
    let mut tracker = tracking(2);
    tracker.on_page(&row(0, Status::Open, Some(1)), after(20));
    assert_eq!(tracker.places_taken(), 1);
    tracker.on_page(&row(0, Status::Closed, Some(200)), after(210));
    tracker.on_page(&row(1, Status::Open, Some(2)), after(220));
    assert_eq!(tracker.places_taken(), 1, "the other call may be in progress, whatever end it shows");
}

#[test]
fn a_refusal_for_too_many_calls_shows_whether_closing_ones_count() {
    let mut tracker = tracking(2);
    assert!(!tracker.on_too_many_calls(), "none is closing: the limit is lower than was thought");
    tracker.on_page(&row(0, Status::Closing, Some(20)), after(21));
    assert_eq!(tracker.places_taken(), 1);
    assert!(tracker.on_too_many_calls());
    assert_eq!(tracker.places_taken(), 2);
    assert!(!tracker.on_too_many_calls(), "that is known now");
}

#[test]
fn closing_conversations_are_looked_for_less_often_than_calls_in_progress() {
    let mut tracker = tracking(2);
    let mut reads = Vec::new();
    for second in 0..100 {
        let now = after(second);
        if tracker.due_at(BLOCKED, None, None).is_some_and(|due| due <= now) {
            tracker.next_read(BLOCKED, now, None, TimeDelta::zero());
            // The newest conversation is on the first page, and the one that is closing on the second.
            let in_progress = page(&[(1, Status::Open)]);
            tracker.on_page(&in_progress, now);
            if tracker.is_scanning() {
                tracker.on_page(&row(0, Status::Closing, Some(5)), now);
                reads.push(second);
            }
        }
    }
    assert_eq!(reads, [10, 11, 83], "every ten seconds in between, the first page alone");
}

#[test]
fn few_calls_in_progress_are_read_by_id_where_a_scan_would_take_more_pages() {
    let mut tracker = tracking(1);
    tracker.schedule.on_scanned(ScanPurpose::EndedCalls { with_closing: true }, after(0), 3);
    let read = |tracker: &mut Tracker, second| tracker.next_read(BLOCKED, after(second), None, TimeDelta::zero());
    assert_eq!(read(&mut tracker, 30), PollRequest::Conversation(id(0)));
    assert!(tracker.due_at(BLOCKED, None, None).is_some_and(|due| due > after(30)), "at the interval of the list");
    tracker.schedule.on_scanned(ScanPurpose::EndedCalls { with_closing: false }, after(30), 1);
    assert_eq!(read(&mut tracker, 40), PollRequest::Page { offset: 0 });
}
