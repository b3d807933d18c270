//! Claims, and what comes of them.

use super::*;
use crate::engine::stop_reason::StopReason;
use crate::entry::{Reason, State};
use crate::ledger::{Deferral, Pause};
use crate::vendor::LostAnswer;

const NOT_NOW: &str = "the claim was made at another time, or the clock is in doubt";

#[test]
fn a_claim_is_sent_or_goes_back() {
    type Given = fn(&mut Scene, &mut ClaimedAttempt);
    let cases: [(&str, Given, Vec<String>); 7] = [
        ("fresh", |_, _| (), vec!["! dialling attempt=1 call=1".into(), "place 1".into()]),
        (
            "claimed a minute ago",
            |scene, claim| claim.intent_at = scene.now - TimeDelta::seconds(60),
            vec!["! dialling attempt=1 call=1".into(), "place 1".into()],
        ),
        (
            "the machine slept",
            |scene, claim| claim.intent_at = scene.now - TimeDelta::seconds(61),
            vec![format!("record NotPlaced ({NOT_NOW}): not_placed attempt=1 reason=window retry_at=+60")],
        ),
        (
            "the clock was set back",
            |scene, claim| claim.intent_at = scene.now + TimeDelta::seconds(61),
            vec![format!("record NotPlaced ({NOT_NOW}): not_placed attempt=1 reason=window retry_at=+60")],
        ),
        (
            "the clock is in doubt",
            |scene, _| scene.dispatcher.vendor_clock.on_date(after(-3_600), scene.now),
            vec![format!("record NotPlaced ({NOT_NOW}): not_placed attempt=1 reason=window retry_at=+60")],
        ),
        (
            "no budget is left",
            |scene, _| while scene.dispatcher.quotas.take(&OrganisationId::new("Group"), scene.now).is_ok() {},
            vec!["record NotPlaced: not_placed attempt=1 reason=rate_limited retry_at=+61".into()],
        ),
        (
            "the vendor blocked the caller id since",
            |scene, _| scene.dispatcher.blocked.push(main_number()),
            vec!["record NotPlaced: not_placed attempt=1 reason=line_refused retry_at=+60".into()],
        ),
    ];
    for (name, given, expected) in cases {
        let mut scene = Scene::dialing("");
        let mut claim = scene.claim(1);
        given(&mut scene, &mut claim);
        assert_eq!(scene.comes(claimed(1, vec![claim])), expected, "{name}");
    }
}

#[test]
fn a_claim_for_a_caller_id_that_was_blocked_before_it_stops_the_run() {
    let mut scene = Scene::dialing(TWO_LOCATIONS);
    scene.dispatcher.blocked.push(annex());
    let claim = ClaimedAttempt { from: annex(), ..scene.claim(1) };
    let claims = ClaimResult { claimed: vec![claim], ..ClaimResult::default() };
    let lines = scene.comes(Completion::Claimed { asked: 1, blocked: 1, claims });
    assert_eq!(
        lines,
        ["! stopping Refused(CallerId)", "record NotPlaced: not_placed attempt=1 reason=line_refused retry_at=+60",]
    );
}

#[test]
fn a_claim_that_saw_every_due_entry_is_followed_by_the_question_when_the_next_is_due() {
    let deferral =
        Deferral { entry: EntryId(1), state: State::Waiting, reason: Reason::Window, until: Some(after(3_600)) };
    let cases = [
        (2, vec![], vec!["! dialling attempt=1 call=1", "place 1", "ask next due, 0 blocked"]),
        (1, vec![], vec!["! dialling attempt=1 call=1", "place 1"]),
        (
            2,
            vec![deferral],
            vec!["! set_aside reason=window state=waiting until=+3600", "! dialling attempt=1 call=1", "place 1"],
        ),
    ];
    for (asked, deferred, expected) in cases {
        let mut scene = Scene::dialing("");
        let claims = ClaimResult { claimed: vec![scene.claim(1)], deferred, pause: None };
        assert_eq!(scene.comes(Completion::Claimed { asked, blocked: 0, claims }), expected);
        let asks = scene.started.iter().any(|work| matches!(work, Work::AskNextDue { .. }));
        let known = if asks { KnownNextDue::Asked(None) } else { KnownNextDue::Unknown };
        assert_eq!(scene.dispatcher.next_due, known);
    }
}

#[test]
fn a_paused_run_claims_nothing_more() {
    let mut scene = Scene::dialing("");
    assert_eq!(scene.turn(), ["claim 1, 0 blocked"]);
    let pause = Pause { by: "Ann".into(), since: after(0), until: Some(after(3_600)) };
    let claims = ClaimResult { pause: Some(pause), ..ClaimResult::default() };
    let lines = scene.comes(Completion::Claimed { asked: 1, blocked: 0, claims });
    let zone = &scene.dispatcher.campaign.practice.zone;
    let (since, until) = (zone.local(after(0)), Some(zone.local(after(3_600))));
    let paused = format!("{:?}", StopReason::Paused { by: "Ann".into(), since, until });
    assert_eq!(lines, [format!("! stopping {paused}")]);
    scene.later(60);
    assert_eq!(scene.turn(), [""; 0]);
    assert_eq!(scene.wait(), [format!("finished {paused}")]);
}

#[test]
fn exclusions_come_before_the_claim_and_nobody_is_called_without_them() {
    let mut scene = Scene::dialing("");
    let nobody: ExclusionCheck = Arc::new(|_| false);
    assert_eq!(scene.turn_with(TimeDelta::zero(), Ok(Some(nobody))), ["exclude", "claim 1, 0 blocked"]);
    let counts = (scene.dispatcher.in_flight.recording, scene.dispatcher.in_flight.claiming);
    assert_eq!(counts, (1, 1));

    let mut scene = Scene::dialing("");
    let gone = ExclusionError("the exclude list is gone".into());
    let lines = scene.turn_with(TimeDelta::zero(), Err(gone));
    assert_eq!(lines, ["! stopping Exclusions { why: \"the exclude list is gone\" }"]);
    assert!(scene.dispatcher.in_flight.is_empty());
}

#[test]
fn one_claim_is_made_at_a_time_and_for_free_slots_only() {
    let mut scene = Scene::dialing("");
    assert_eq!(scene.turn(), ["claim 1, 0 blocked"]);
    assert_eq!(scene.turn(), [""; 0], "the claim is in flight");

    let mut scene = Scene::sending("", &[1, 2, 3]);
    assert_eq!(scene.turn(), [""; 0], "three answers are awaited");
    scene.comes(replied(1, Reply::Accepted(conversation_id(1))));
    assert_eq!(scene.turn(), ["claim 1, 0 blocked"]);
}

#[test]
fn an_accepted_call_is_followed() {
    let mut scene = Scene::sending("", &[1]);
    let lines = scene.comes(replied(1, Reply::Accepted(conversation_id(1))));
    assert_eq!(lines, ["record Accepted: accepted attempt=1 conversation=c-1"]);
    assert!(scene.dispatcher.tracker.is_call_of_ours(&conversation_id(1)));
    assert_eq!((scene.dispatcher.in_flight.sending, scene.dispatcher.in_flight.recording), (0, 1));
}

#[test]
fn of_two_answers_that_name_one_conversation_the_second_is_lost() {
    let mut scene = Scene::sending("", &[1, 2]);
    scene.comes(replied(1, Reply::Accepted(conversation_id(1))));
    let lines = scene.comes(replied(2, Reply::Accepted(conversation_id(1))));
    let why = "the vendor named another call's conversation";
    assert_eq!(lines, [format!("record AnswerLost ({why}): answer_lost attempt=2 because={why}")]);
    assert!(!scene.dispatcher.reconciler.is_empty());
}

#[test]
fn a_lost_answer_is_neither_tried_again_nor_forgotten() {
    let mut scene = Scene::sending("", &[1]);
    let lines = scene.comes(replied(1, Reply::Lost(LostAnswer::Timeout)));
    assert_eq!(lines, ["record AnswerLost (no answer in time): answer_lost attempt=1 because=no answer in time"]);
    assert!(!scene.dispatcher.reconciler.is_empty());
    assert_eq!(scene.dispatcher.next_due, KnownNextDue::Unknown);
}

#[test]
fn what_is_forbidden_between_claim_and_dial_was_not_sent() {
    let mut scene = Scene::sending("", &[1]);
    let claim = scene.claim(1);
    let lines = scene.comes(Completion::Forbidden(claim, Reason::Suppressed));
    assert_eq!(
        lines,
        [
            "record NotPlaced (found after the claim; nothing was sent): not_placed attempt=1 reason=suppressed retry_at=+62"
        ]
    );
    assert_eq!((scene.dispatcher.in_flight.requests.calls, scene.dispatcher.in_flight.sending), (0, 0));
}

#[test]
fn the_next_due_entry_is_the_ledgers_or_one_that_became_due_meanwhile() {
    for (ledger, meanwhile, expected) in [
        (None, None, None),
        (Some(500), None, Some(500)),
        (Some(500), Some(300), Some(300)),
        (Some(200), Some(300), Some(200)),
        (None, Some(300), Some(300)),
    ] {
        let mut scene = Scene::dialing("");
        assert_eq!(scene.handle(Dispatcher::ask_next_due).1, ["ask next due, 0 blocked"]);
        if let Some(at) = meanwhile {
            scene.dispatcher.on_due(after(at + 1));
            scene.dispatcher.on_due(after(at));
        }
        assert_eq!(scene.comes(Completion::NextDue { blocked: 0, next_due: ledger.map(after) }), [""; 0]);
        assert_eq!(scene.dispatcher.next_due, KnownNextDue::At(expected.map(after)), "{ledger:?} {meanwhile:?}");
    }
}

#[test]
fn an_answer_from_before_a_caller_id_was_blocked_is_discarded() {
    let mut scene = Scene::dialing(TWO_LOCATIONS);
    scene.handle(Dispatcher::ask_next_due);
    let ((), lines) = scene.handle(|dispatcher, effects| dispatcher.block_caller_id(annex(), None, effects));
    assert_eq!(lines, ["! line_refused from=+13125550160 locations=[\"Annex\"]"]);
    assert_eq!(scene.turn(), [""; 0], "the ledger is being asked");
    scene.comes(Completion::NextDue { blocked: 0, next_due: Some(after(3_600)) });
    assert_eq!(scene.dispatcher.next_due, KnownNextDue::Unknown);
    assert_eq!(scene.turn(), ["claim 1 without Annex, 1 blocked"]);
}
