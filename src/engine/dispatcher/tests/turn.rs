//! A turn: what has come back, what is due, and until when there is nothing to do.

use super::*;
use crate::engine::stop_reason::StopReason;
use crate::entry::{Outcome, State};

#[test]
fn what_is_on_stable_storage_is_reported_and_a_last_call_has_no_redial_time() {
    let ended = |redial_at| Event::Ended {
        doubt: None,
        at: start(),
        entry: EntryId(101),
        attempt: AttemptId(1),
        conversation: conversation_id(1),
        outcome: Outcome::NoAnswer,
        redial_at,
    };
    for (state, expected) in [
        (Some(State::Waiting), "! ended attempt=1 conversation=c-1 outcome=no_answer redial_at=+3600"),
        (None, "! ended attempt=1 conversation=c-1 outcome=no_answer redial_at=+3600"),
        (Some(State::Finished), "! ended attempt=1 conversation=c-1 outcome=no_answer"),
    ] {
        let mut scene = Scene::dialing("");
        scene.dispatcher.in_flight.recording = 1;
        let event = ended(Some(after(3_600)));
        assert_eq!(scene.comes(Completion::Recorded { event, state }), [expected]);
        assert!(scene.dispatcher.in_flight.is_empty());
    }
}

#[test]
fn a_note_is_only_counted_and_excluded_entries_are_reported() {
    let mut scene = Scene::dialing("");
    scene.dispatcher.in_flight.recording = 2;
    assert_eq!(scene.comes(Completion::Noted), [""; 0]);
    let excluded = scene.comes(Completion::Excluded(vec![EntryId(1), EntryId(2)]));
    assert_eq!(excluded, ["! set_aside reason=excluded state=suppressed"; 2]);
    assert!(scene.dispatcher.in_flight.is_empty());
}

#[test]
fn a_clock_that_was_set_back_stops_calls_and_reads() {
    let mut scene = Scene::following("", &[1]);
    scene.turn();
    scene.now -= TimeDelta::seconds(120);
    assert!(!scene.turn().iter().any(|line| line.contains("stopping")), "within the tolerance");
    scene.now -= TimeDelta::seconds(1);
    assert_eq!(scene.turn(), ["! stopping Clock { seconds: 121 }"]);
    assert!(scene.dispatcher.has_stopped_reading);
}

#[test]
fn after_a_jump_of_the_clock_no_call_is_placed_until_the_vendor_has_answered() {
    for (drift, expected) in [(120, vec!["claim 1, 0 blocked"]), (121, vec!["page 0 100"]), (-121, vec!["page 0 100"])]
    {
        let mut scene = Scene::dialing("");
        assert_eq!(scene.turn_with(TimeDelta::seconds(drift), Ok(None)), expected, "{drift}");
    }
}

#[test]
fn the_end_of_a_run_is_decided_by_what_is_due_and_by_the_hours() {
    const HOUR: i64 = 3_600;
    // The hours close at 17:00 in Chicago, seven hours after the start, and open at 9:30 on the next day.
    for (until_done, next_due, at, expected) in [
        (false, KnownNextDue::Asked(None), 60, "waits until something comes"),
        (false, KnownNextDue::At(None), 60, "finished Done"),
        (false, KnownNextDue::At(Some(after(HOUR))), 60, "waits until +3600, idle"),
        (false, KnownNextDue::At(Some(after(8 * HOUR))), 60, "finished Done"),
        (true, KnownNextDue::At(Some(after(8 * HOUR))), 60, "waits until +84600, idle"),
        (false, KnownNextDue::Unknown, 8 * HOUR, "finished WindowClosed { opens: Some(2026-11-25T15:30:00Z) }"),
        (true, KnownNextDue::Unknown, 8 * HOUR, "waits until +84600, idle"),
    ] {
        let mut scene = Scene::dialing("");
        scene.dispatcher.until_done = until_done;
        scene.dispatcher.next_due = next_due;
        scene.dispatcher.in_flight.is_asking_next_due = matches!(next_due, KnownNextDue::Asked(_));
        scene.later(at - 60);
        assert_eq!(scene.wait().pop().as_deref(), Some(expected), "{until_done} {next_due:?} {at}");
    }
}

#[test]
fn an_idle_time_is_reported_once_unless_it_is_short() {
    let mut scene = Scene::dialing("");
    scene.dispatcher.next_due = KnownNextDue::At(Some(after(60 + 119)));
    assert_eq!(scene.wait(), ["waits until +179, idle"]);
    scene.dispatcher.next_due = KnownNextDue::At(Some(after(60 + 120)));
    assert_eq!(scene.wait(), ["! resting until=+180", "waits until +180, idle"]);
    assert_eq!(scene.wait(), ["waits until +180, idle"]);
    scene.dispatcher.in_flight.recording = 1;
    scene.dispatcher.next_due = KnownNextDue::At(Some(after(900)));
    assert_eq!(scene.wait(), ["waits until +900"], "a write is in flight");
}

#[test]
fn nothing_finishes_while_work_is_in_flight() {
    type Start = fn(&mut Dispatcher);
    let cases: [(&str, Start); 5] = [
        ("a call", |dispatcher| dispatcher.in_flight.sending = 1),
        ("a claim", |dispatcher| dispatcher.in_flight.claiming = 1),
        ("a write", |dispatcher| dispatcher.in_flight.recording = 1),
        ("a check", |dispatcher| dispatcher.in_flight.ledger_checks = 1),
        ("a read", |dispatcher| dispatcher.in_flight.is_reading = true),
    ];
    for (name, start) in cases {
        let mut scene = Scene::dialing("");
        scene.dispatcher.next_due = KnownNextDue::At(None);
        start(&mut scene.dispatcher);
        assert_eq!(scene.wait(), ["waits until something comes"], "{name}");
    }
}

#[test]
fn a_stop_rule_stops_the_calls_unless_nothing_is_due() {
    let max_calls = "[safety]\nmax_calls = 1\n";
    let mut scene = Scene::following(max_calls, &[1]);
    assert_eq!(scene.turn(), ["! stopping MaxCalls { limit: 1 }"]);
    let mut scene = Scene::following(max_calls, &[1]);
    scene.dispatcher.next_due = KnownNextDue::At(None);
    assert_eq!(scene.turn(), [""; 0]);
    assert_eq!(scene.dispatcher.stop_reason, None::<StopReason>);
}
