use super::*;
use crate::entry::OutcomeSignals;
use crate::ids::ConversationId;
use crate::vendor::{Medium, Status};

fn number(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

fn ours() -> E164 {
    number("+13125550142")
}

fn intent() -> DateTime<Utc> {
    "2026-11-24T15:00:00Z".parse().expect("an instant")
}

fn seconds(seconds: i64) -> TimeDelta {
    TimeDelta::seconds(seconds)
}

fn one_lost_attempt() -> Reconciler {
    let mut reconciler = Reconciler::new(seconds(300));
    reconciler.add(LostAttempt {
        attempt: AttemptId(1),
        entry: EntryId(1),
        from: ours(),
        to: number("+13125550177"),
        number: 1,
        intent_at: intent(),
        lost_at: intent() + seconds(30),
        readable_at_start: seconds(0),
        absence_scans: 0,
        evidence: LostCallEvidence::default(),
    });
    reconciler
}

fn conversation(from: E164, to: E164, started: DateTime<Utc>) -> Conversation {
    Conversation {
        medium: Medium::read(Some("VOICE")),
        id: ConversationId::new("c-1"),
        from: Some(from),
        to: Some(to),
        started: Some(started),
        ended: None,
        status: Status::Open,
        signals: OutcomeSignals::default(),
    }
}

fn quality(reconciler: &Reconciler, conversation: &Conversation, ahead: TimeDelta) -> Option<MatchQuality> {
    reconciler.matching_attempts(conversation, &CallMedia::default(), ahead).next().map(|(_, quality)| quality)
}

fn proof(reconciler: &mut Reconciler, started: DateTime<Utc>, back_to: DateTime<Utc>) -> AbsenceProof {
    reconciler.prove_absence(started, back_to, &CallMedia::default(), seconds(0))
}

#[test]
fn a_text_message_between_the_two_numbers_is_not_the_call() {
    let reconciler = one_lost_attempt();
    let call = conversation(ours(), number("+13125550177"), intent());
    let claimed = |conversation: &Conversation| {
        reconciler.matching_attempts(conversation, &CallMedia::default(), TimeDelta::zero()).count()
    };
    assert_eq!(claimed(&call), 1);
    assert_eq!(claimed(&Conversation { medium: Medium::read(Some("SMS")), ..call }), 0);
}

#[test]
fn a_conversation_that_lacks_a_field_may_fit_and_then_a_scan_proves_nothing() {
    let whole = conversation(ours(), number("+13125550177"), intent() + seconds(2));
    let lacking = [
        Conversation { from: None, ..whole.clone() },
        Conversation { to: None, ..whole.clone() },
        Conversation { started: None, ..whole.clone() },
    ];
    for conversation in lacking {
        let mut reconciler = one_lost_attempt();
        assert_eq!(quality(&reconciler, &conversation, seconds(0)), Some(MatchQuality::MayFit));
        for _ in 0..5 {
            reconciler.mark_unclear(&conversation);
            let late = intent() + seconds(1_000);
            assert!(proof(&mut reconciler, late, intent() - seconds(600)).absent.is_empty());
        }
    }
    let elsewhere = Conversation { from: None, ..conversation(ours(), number("+13125550178"), intent()) };
    assert_eq!(quality(&one_lost_attempt(), &elsewhere, seconds(0)), None);
}

#[test]
fn near_misses_are_kept_with_the_reason_for_the_mismatch() {
    let mut reconciler = one_lost_attempt();
    let to = number("+13125550177");
    let named = |id: &str, conversation| Conversation { id: ConversationId::new(id), ..conversation };
    for (id, early) in [("c-day", 86_400), ("c-hour", 3_600), ("c-minutes", 600), ("c-nearest", 121)] {
        let early = named(id, conversation(ours(), to, intent() - seconds(early)));
        reconciler.note_early(&early, seconds(0));
        reconciler.note_early(&early, seconds(0));
    }
    reconciler.note_early(&conversation(ours(), number("+13125550178"), intent()), seconds(0));
    reconciler.note_taken(AttemptId(1), &ConversationId::new("c-taken"));
    let late = intent() + seconds(1_000);
    let first = proof(&mut reconciler, late, intent() - seconds(600));
    assert_eq!(
        first.counted[0].evidence.to_string(),
        "similar conversations: conversation c-taken, which belongs to another attempt; \
         conversation c-nearest, which started 2 min before the intent; \
         conversation c-minutes, which started 10 min before the intent"
    );
    let again = proof(&mut reconciler, late, intent() - seconds(600));
    assert_eq!(again.counted[0].evidence.to_string(), "similar conversations: none between the two numbers");
}

#[test]
fn an_unsettled_attempt_is_given_up_only_after_enough_readable_time() {
    let mut reconciler = one_lost_attempt();
    let (tomorrow, enough) = (intent() + TimeDelta::days(1), seconds(300) + MAX_SEARCH_TIME);
    assert!(reconciler.take_expired(tomorrow, seconds(60)).is_empty(), "the machine was suspended");
    assert!(reconciler.take_expired(tomorrow, enough - seconds(1)).is_empty());
    assert_eq!(reconciler.take_expired(tomorrow, enough).len(), 1);
}

#[test]
fn an_unclear_row_is_read_by_id_once_a_scan_and_may_turn_out_not_to_match() {
    let unclear = Conversation { to: None, ..conversation(ours(), number("+13125550177"), intent()) };
    let (late, back) = (intent() + seconds(1_000), intent() - seconds(600));
    let mut reconciler = one_lost_attempt();
    reconciler.mark_unclear(&unclear);
    assert_eq!(reconciler.take_unclear(), std::slice::from_ref(&unclear.id));
    assert!(reconciler.take_unclear().is_empty());
    reconciler.update_unclear(&Conversation { to: Some(number("+13125550178")), ..unclear.clone() });
    assert_eq!(proof(&mut reconciler, late, back).counted.len(), 1);
    reconciler.mark_unclear(&unclear);
    assert_eq!(proof(&mut reconciler, late, back).counted.len(), 0, "the next scan shows it again");
}

#[test]
fn a_row_without_an_id_between_the_two_numbers_proves_nothing() {
    let row = |to: &str| RowWithoutId { from: Some(ours()), to: Some(number(to)), ..RowWithoutId::default() };
    for (to, proves) in [("+13125550177", false), ("+13125550178", true)] {
        let mut reconciler = one_lost_attempt();
        reconciler.on_row_without_id(&row(to), &CallMedia::default(), seconds(0));
        let counted = proof(&mut reconciler, intent() + seconds(1_000), intent() - seconds(600)).counted;
        assert_eq!(counted.len(), usize::from(proves), "{to}");
    }
}

#[test]
fn once_the_medium_of_calls_is_learnt_another_medium_no_longer_matches() {
    let mut media = CallMedia::default();
    let chat = Conversation {
        medium: Medium::read(Some("WHATSAPP")),
        ..conversation(ours(), number("+13125550177"), intent())
    };
    let mut reconciler = one_lost_attempt();
    let quality = |media: &CallMedia| {
        one_lost_attempt().matching_attempts(&chat, media, seconds(0)).next().map(|(_, quality)| quality)
    };
    assert_eq!(quality(&media), Some(MatchQuality::MayFit));
    reconciler.mark_unclear(&chat);
    media.learn(&conversation(ours(), number("+13125550178"), intent()));
    assert_eq!(quality(&media), None);
    let proof = reconciler.prove_absence(intent() + seconds(1_000), intent() - seconds(600), &media, seconds(0));
    assert_eq!(proof.counted.len(), 1);
}

#[test]
fn a_conversation_between_the_two_numbers_after_the_intent_matches() {
    let to = number("+13125550177");
    let cases = [
        (conversation(ours(), to, intent() + seconds(2)), true),
        (conversation(ours(), to, intent() - seconds(3_600)), false),
        (conversation(to, ours(), intent() + seconds(2)), false),
        (conversation(ours(), number("+13125550178"), intent() + seconds(2)), false),
    ];
    for (found, claimed) in cases {
        assert_eq!(quality(&one_lost_attempt(), &found, seconds(0)).is_some(), claimed, "{found:?}");
    }
}

#[test]
fn the_vendors_clock_difference_is_taken_into_account() {
    let ahead = seconds(3_600);
    let to = number("+13125550177");
    let reconciler = one_lost_attempt();
    assert!(quality(&reconciler, &conversation(ours(), to, intent() + ahead), ahead).is_some());
    assert!(quality(&reconciler, &conversation(ours(), to, intent()), ahead).is_none());
}

#[test]
fn a_clock_that_is_set_forward_makes_no_scan_late_enough() {
    for (jump, expected) in [(0, 1), (3_600, 0)] {
        let mut reconciler = one_lost_attempt();
        reconciler.on_clock_jump(seconds(jump));
        let later = intent() + seconds(3_600);
        proof(&mut reconciler, later, intent() - seconds(300));
        assert_eq!(proof(&mut reconciler, later + seconds(1), intent() - seconds(300)).absent.len(), expected);
    }
}

#[test]
fn only_two_scans_that_began_late_enough_prove_absence() {
    let back = intent() - seconds(600);
    let mut reconciler = one_lost_attempt();
    let early = intent() + seconds(30 + 299);
    let late = intent() + seconds(30 + 300);
    for _ in 0..5 {
        assert!(proof(&mut reconciler, early, back).absent.is_empty());
    }
    assert!(proof(&mut reconciler, late, back).absent.is_empty());
    assert_eq!(proof(&mut reconciler, late + seconds(30), back).absent.len(), 1);
    assert!(reconciler.is_empty());
}

#[test]
fn a_scan_that_does_not_reach_back_to_the_intent_proves_nothing() {
    let mut reconciler = one_lost_attempt();
    let late = intent() + seconds(1_000);
    for _ in 0..5 {
        assert!(proof(&mut reconciler, late, intent() + seconds(1)).absent.is_empty());
    }
}
