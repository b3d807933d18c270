//! Lost answers and the conversations that may be theirs.

use super::*;
use crate::engine::reconciler::MatchQuality;
use crate::vendor::LostAnswer;

/// A dispatcher that has lost the answer to attempt 1, after S has passed, with a page in flight.
fn settling(more: &str) -> Scene {
    let mut scene = Scene::sending(more, &[1]);
    scene.comes(replied(1, Reply::Lost(LostAnswer::Timeout)));
    scene.settle();
    scene.dispatcher.next_due = KnownNextDue::At(None);
    scene.later(300);
    assert_eq!(scene.turn(), ["page 0 100"]);
    scene
}

fn shown(row: Conversation) -> Completion {
    page(Ok(page_of(vec![row])))
}

/// The ledger's answer to the last question about a candidate.
fn candidate(scene: &mut Scene, unclaimed: bool) -> Vec<String> {
    let Some(Work::CheckCandidate { lost, quality, conversation }) = scene.started.pop() else {
        panic!("no candidate");
    };
    scene.comes(Completion::Candidate { lost, quality, conversation, unclaimed })
}

#[test]
fn a_conversation_that_fits_is_adopted_unless_another_attempt_has_it() {
    let mut scene = settling("");
    assert_eq!(scene.comes(shown(conversation(1, Status::Open))), ["check candidate 1 Fits c-1"]);
    let lines = candidate(&mut scene, true);
    assert_eq!(lines, ["record Adopted (found on the vendor's list): adopted attempt=1 conversation=c-1"]);
    assert!(scene.dispatcher.tracker.is_tracking(&conversation_id(1)));
    assert!(scene.dispatcher.reconciler.is_empty());

    let mut scene = settling("");
    scene.comes(shown(conversation(1, Status::Open)));
    assert_eq!(candidate(&mut scene, false), [""; 0]);
    assert_eq!(scene.last_page(), ["note scanned Some(1)"], "the scan shows no call of this attempt");
    assert!(!scene.dispatcher.reconciler.is_empty());
}

#[test]
fn a_scan_is_not_concluded_while_the_ledger_is_asked_about_its_rows() {
    let mut scene = settling("");
    scene.comes(shown(conversation(1, Status::Open)));
    let asked = std::mem::take(&mut scene.started);
    assert_eq!(scene.last_page(), [""; 0]);
    scene.later(60);
    assert_eq!(scene.turn(), [""; 0], "the next scan waits as well");
    scene.started = asked;
    assert_eq!(candidate(&mut scene, false), ["note scanned Some(1)"]);
}

#[test]
fn an_adopted_conversation_that_is_closed_ends_at_once() {
    let mut scene = settling("");
    scene.comes(shown(conversation(1, Status::Closed)));
    let lines = candidate(&mut scene, true);
    assert!(lines[0].starts_with("record Adopted") && lines[1].starts_with("record Ended"), "{lines:?}");
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_conversation_on_two_pages_is_adopted_once() {
    let mut scene = settling("");
    scene.comes(shown(conversation(1, Status::Open)));
    let Some(Work::CheckCandidate { lost, conversation, .. }) = scene.started.pop() else { panic!("no candidate") };
    scene.dispatcher.in_flight.ledger_checks += 1;
    for expected in [1, 0] {
        let (lost, conversation) = (lost.clone(), conversation.clone());
        let lines =
            scene.comes(Completion::Candidate { lost, quality: MatchQuality::Fits, conversation, unclaimed: true });
        assert_eq!(lines.len(), expected, "{lines:?}");
    }
}

/// The row may be the call: its read by id is in flight.
fn unclear_read(row: Conversation) -> Scene {
    let mut scene = settling("");
    assert_eq!(scene.comes(shown(row)), ["check candidate 1 MayFit c-1"]);
    assert_eq!(candidate(&mut scene, true), [""; 0]);
    assert_eq!(scene.last_page(), [""; 0]);
    scene.later(2);
    assert_eq!(scene.turn(), ["read c-1"]);
    scene
}

#[test]
fn a_row_that_may_fit_is_read_by_id_before_the_scan_is_concluded() {
    let unclear = || Conversation { to: None, ..conversation(1, Status::Open) };
    let mut scene = unclear_read(unclear());
    let lines = scene.comes(read(1, Ok(conversation(1, Status::Open))));
    assert_eq!(lines, ["check candidate 1 Fits c-1"]);
    assert!(candidate(&mut scene, true)[0].starts_with("record Adopted"));

    // It is to somebody else: the scan proves that the call is not on the list.
    let mut scene = unclear_read(unclear());
    let another = Conversation { to: Some(patient(7)), ..conversation(1, Status::Open) };
    assert_eq!(scene.comes(read(1, Ok(another))), ["note scanned Some(1)"]);

    // It stays unclear, or cannot be read: the scan proves nothing.
    let mut scene = unclear_read(unclear());
    assert_eq!(scene.comes(read(1, Ok(unclear()))), ["check candidate 1 MayFit c-1"]);
    assert_eq!(candidate(&mut scene, true), [""; 0]);
    assert!(scene.dispatcher.scan_to_conclude.is_none());
    let mut scene = unclear_read(unclear());
    assert_eq!(scene.comes(read(1, Err(ReadError::NotFound))), [""; 0]);
    assert!(scene.dispatcher.scan_to_conclude.is_none());
}

#[test]
fn a_row_that_may_fit_but_belongs_to_another_attempt_is_ignored() {
    let mut scene = settling("");
    scene.comes(shown(Conversation { to: None, ..conversation(1, Status::Open) }));
    assert_eq!(candidate(&mut scene, false), [""; 0]);
    assert_eq!(scene.last_page(), ["note scanned Some(1)"]);
}

#[test]
fn two_complete_scans_prove_absence_and_the_campaign_decides_what_follows() {
    for (more, expected) in [
        ("", "record Absent (two complete scans): absent attempt=1 state=held"),
        ("[safety]\non_lost_answer = \"retry\"\n", "record Absent (two complete scans): absent attempt=1 state=ready"),
    ] {
        let mut scene = settling(more);
        assert_eq!(scene.comes(page(Ok(page_of(vec![])))), ["note scanned Some(1)"]);
        scene.settle();
        scene.later(60);
        assert_eq!(scene.turn(), ["page 0 100"]);
        assert_eq!(scene.comes(page(Ok(page_of(vec![])))), ["note scanned Some(1)", expected]);
        let due = if more.is_empty() { None } else { Some(scene.now) };
        assert_eq!(scene.dispatcher.next_due, KnownNextDue::At(due));
    }
}

#[test]
fn a_lost_answer_that_no_scan_could_settle_is_held_even_if_it_were_to_be_tried_again() {
    let mut scene = settling("[safety]\non_lost_answer = \"retry\"\n");
    let unclear = || Conversation { to: None, ..conversation(1, Status::Open) };
    for _ in 0..1_000 {
        let lines = if scene.dispatcher.in_flight.is_reading {
            let is_page = scene.dispatcher.unclear_reads.is_empty();
            scene.comes(if is_page { shown(unclear()) } else { read(1, Ok(unclear())) })
        } else {
            scene.later(60);
            scene.turn()
        };
        match &lines[..] {
            [line] if line.starts_with("check candidate") => drop(candidate(&mut scene, true)),
            [line, ..] if line.starts_with("record Absent") => {
                assert!(line.contains("could not settle it in time") && line.ends_with("state=held"), "{line}");
                return;
            }
            _ => {}
        }
    }
    panic!("it is never given up");
}
