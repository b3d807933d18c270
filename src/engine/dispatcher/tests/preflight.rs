//! The checks before the first call.

use super::*;
use crate::entry::AttemptState;
use crate::ledger::{ObservedCall, ObservedWithoutId};
use crate::vendor::RowWithoutId;

fn checked(answer: Result<Option<bool>, ReadError>) -> Completion {
    Completion::CallerIdChecked(Response::bare(answer))
}

fn probed(answer: Result<Option<bool>, ReadError>) -> Completion {
    Completion::Probed(Response::bare(answer))
}

/// A dispatcher whose caller id may call, with the first page of the staleness check in flight.
fn checking(carried: CarriedOver) -> Scene {
    let mut scene = Scene::carrying("", carried);
    assert_eq!(scene.next_turn(), ["check caller id +13125550142"]);
    scene.comes(checked(Ok(Some(true))));
    scene.later(2);
    assert_eq!(scene.next_turn(), ["page 0 100"]);
    scene
}

/// A watermark of yesterday; `takes_over`: an operator has adopted the ledger.
fn watermark(takes_over: bool) -> CarriedOver {
    let watermark = Watermark { at: after(-86_400), takes_over, adopted_at: None };
    CarriedOver { watermarks: vec![(main_number(), watermark)], ..CarriedOver::default() }
}

fn observed(attempt: i64) -> ObservedCall {
    ObservedCall {
        conversation: conversation_id(attempt),
        from: main_number(),
        to: patient(attempt),
        started: after(61),
    }
}

#[test]
fn a_caller_id_that_may_not_call_is_blocked_and_an_unusable_answer_is_no_evidence() {
    for (answer, expected, next) in [
        (Ok(Some(true)), "", "page 0 100"),
        (Ok(None), "", "page 0 100"),
        (Err(ReadError::NotFound), "", "page 0 100"),
        (Err(ReadError::Status(500)), "", "page 0 100"),
        (Err(ReadError::Unreadable), "", "page 0 100"),
        (Err(ReadError::TooLong), "", "page 0 100"),
        (Err(ReadError::Unreachable), "! outage_began outage=network", "check caller id +13125550142"),
        (Err(ReadError::NoAnswer), "! outage_began outage=vendor", "check caller id +13125550142"),
        (Err(ReadError::WebPage(200)), "! outage_began outage=web_page", "check caller id +13125550142"),
        (Err(ReadError::RateLimited), "", "check caller id +13125550142"),
        (Err(ReadError::Unauthorised(401)), "! paused reason=unauthorised", "check caller id +13125550142"),
    ] {
        let mut scene = Scene::new("");
        assert_eq!(scene.next_turn(), ["check caller id +13125550142"]);
        let lines = scene.comes(checked(answer)).join("; ");
        assert!(lines.starts_with(expected) && lines.is_empty() == expected.is_empty(), "{answer:?}: {lines}");
        scene.later(2);
        assert_eq!(scene.next_turn(), [next], "{answer:?}");
    }

    let mut scene = Scene::new("");
    scene.next_turn();
    assert_eq!(scene.comes(checked(Ok(Some(false)))), ["! stopping Refused(CallerId)"]);

    let mut scene = Scene::new(TWO_LOCATIONS);
    assert_eq!(scene.next_turn(), ["check caller id +13125550160"]);
    let lines = scene.comes(checked(Ok(Some(false))));
    assert_eq!(lines, ["! line_refused from=+13125550160 locations=[\"Annex\"]"]);
    scene.later(2);
    assert_eq!(scene.next_turn(), ["check caller id +13125550142"]);
}

#[test]
fn no_call_is_placed_before_the_ledger_is_known_to_be_up_to_date() {
    let mut scene = checking(watermark(false));
    assert_eq!(scene.comes(page(Ok(page_of(vec![])))), ["find unrecorded 0"]);
    assert_eq!(scene.turn(), [""; 0]);
    assert_eq!(scene.comes(Completion::UnrecordedCalls(vec![])), ["take over 0 of +13125550142"]);
    assert_eq!(scene.comes(Completion::TakenOver(vec![])), [""; 0]);
    scene.later(2);
    assert_eq!(scene.next_turn(), ["claim 1, 0 blocked"]);
}

#[test]
fn calls_that_the_ledger_lacks_stop_the_run_unless_it_was_adopted() {
    for (takes_over, expected) in
        [(false, "! stopping Behind { calls: 1, since: 2026-11-24T16:01:01Z }"), (true, "take over 1 of +13125550142")]
    {
        let mut scene = checking(watermark(takes_over));
        let shown = page(Ok(page_of(vec![conversation(1, Status::Closed)])));
        assert_eq!(scene.comes(shown), ["find recorded c-1"]);
        assert_eq!(scene.comes(Completion::RecordedCalls(vec![])), [""; 0]);
        assert_eq!(scene.last_page(), ["find unrecorded 1"]);
        assert_eq!(scene.comes(Completion::UnrecordedCalls(vec![observed(1)])), [expected]);
    }
}

#[test]
fn a_recorded_call_is_no_evidence_and_shows_the_medium_of_calls_if_an_answer_named_it() {
    for (is_answered, learnt) in [(true, &["learn medium Some(\"VOICE\"), ended true"][..]), (false, &[])] {
        let mut scene = checking(watermark(false));
        scene.comes(page(Ok(page_of(vec![conversation(1, Status::Closed)]))));
        let lines = scene.comes(Completion::RecordedCalls(vec![(conversation_id(1), is_answered)]));
        assert_eq!(lines, learnt);
        assert_eq!(scene.last_page(), ["find unrecorded 0"]);
    }
}

#[test]
fn calls_that_are_taken_over_are_followed() {
    let mut scene = Scene::dialing("");
    scene.dispatcher.in_flight.recording = 1;
    let attempts = vec![in_flight(1, AttemptState::Open), in_flight(2, AttemptState::LostTrack)];
    let lines = scene.comes(Completion::TakenOver(attempts));
    assert_eq!(lines, ["! taken_over attempt=1 conversation=c-1"]);
    assert_eq!((scene.dispatcher.tracker.open_count(), scene.dispatcher.tracker.lost_track_count()), (1, 1));
}

#[test]
fn a_row_without_an_id_that_no_call_explains_proves_nothing() {
    let (from, to, started) = (Some(main_number()), Some(patient(1)), Some(after(-7_200)));
    let row = RowWithoutId { from, to, started, ..RowWithoutId::default() };
    let unexplained = ObservedWithoutId { from: main_number(), to: patient(1), started: after(-7_200) };
    for (unexplained, expected) in [(vec![], &["find unrecorded 0"][..]), (vec![unexplained], &[])] {
        let mut scene = checking(watermark(false));
        let shown = Page { rows_without_id: vec![row.clone()], ..page_of(vec![]) };
        assert_eq!(scene.comes(page(Ok(shown))), ["find unexplained 1"]);
        assert_eq!(scene.comes(Completion::UnexplainedRows(unexplained)), [""; 0]);
        assert_eq!(scene.last_page(), expected);
    }
}

#[test]
fn a_row_that_lacks_a_number_is_read_by_id_before_the_scan_is_concluded() {
    let mut scene = checking(watermark(false));
    let unclear = Conversation { to: None, ..conversation(1, Status::Open) };
    scene.comes(page(Ok(page_of(vec![unclear]))));
    assert_eq!(scene.comes(Completion::RecordedCalls(vec![])), [""; 0]);
    assert_eq!(scene.last_page(), [""; 0]);
    scene.later(2);
    assert_eq!(scene.turn(), ["read c-1"]);
    let to_us = Conversation { from: Some(patient(1)), to: Some(main_number()), ..conversation(1, Status::Open) };
    assert_eq!(scene.comes(read(1, Ok(to_us))), ["find unrecorded 0"]);
}

#[test]
fn a_list_that_cannot_be_read_is_told_from_a_vendor_that_is_down_by_a_probe() {
    /// The page fails until the scan is broken off.
    fn failing() -> Scene {
        let mut scene = checking(watermark(false));
        for _ in 0..4 {
            scene.comes(page(Err(ReadError::Unreadable)));
            scene.later(60);
            assert_eq!(scene.next_turn(), ["page 0 100"]);
        }
        scene.comes(page(Err(ReadError::Unreadable)));
        scene.later(60);
        assert_eq!(scene.next_turn(), ["probe +13125550142"]);
        scene
    }
    let mut scene = failing();
    assert!(scene.comes(probed(Ok(Some(true)))).join("").starts_with("! outage_ended outage=vendor"));
    assert!(!scene.dispatcher.needs_probe, "only the list is broken");

    let mut scene = failing();
    assert_eq!(scene.comes(probed(Err(ReadError::Unreachable))), [""; 0], "the outage is known");
    assert!(!scene.dispatcher.needs_probe, "the vendor is down");

    let mut scene = failing();
    scene.comes(probed(Err(ReadError::RateLimited)));
    scene.later(60);
    assert_eq!(scene.next_turn(), ["probe +13125550142"]);
}

#[test]
fn a_list_that_proves_nothing_several_times_stops_the_run() {
    let mut scene = checking(watermark(false));
    let unreadable = || Conversation { to: None, ..conversation(1, Status::Closed) };
    for failed in 1.. {
        scene.comes(page(Ok(page_of(vec![unreadable()]))));
        scene.comes(Completion::RecordedCalls(vec![]));
        scene.last_page();
        scene.later(2);
        assert_eq!(scene.turn(), ["read c-1"]);
        let mut lines = scene.comes(read(1, Ok(unreadable())));
        if scene.dispatcher.in_flight.ledger_checks > 0 {
            lines = scene.comes(Completion::RecordedCalls(vec![]));
        }
        if failed == crate::engine::staleness_check::MAX_FAILED_SCANS {
            assert_eq!(lines, ["! stopping ListProvesNothing { flaw: Unclear }"]);
            break;
        }
        assert_eq!(lines, [""; 0]);
        scene.later(60);
        assert_eq!(scene.next_turn(), ["page 0 100"]);
    }
}
