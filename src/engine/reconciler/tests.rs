use super::*;
use crate::annie::{Medium, Status};
use crate::entry::Testimony;
use crate::ids::ConversationId;

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

fn one_unresolved() -> Reconciler {
    let mut reconciler = Reconciler::new(seconds(300));
    reconciler.add(Unresolved {
        attempt: AttemptId(1),
        entry: EntryId(1),
        from: ours(),
        to: number("+13125550177"),
        number: 1,
        intent_at: intent(),
        lost_at: intent() + seconds(30),
        sought_from: seconds(0),
        proofs: 0,
        near: Evidence::default(),
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
        testimony: Testimony::default(),
    }
}

fn likeness(reconciler: &Reconciler, conversation: &Conversation, ahead: TimeDelta) -> Option<Likeness> {
    reconciler.claimants(conversation, &CallMedia::default(), ahead).next().map(|(_, likeness)| likeness)
}

fn proved(reconciler: &mut Reconciler, started: DateTime<Utc>, back_to: DateTime<Utc>) -> Proved {
    reconciler.prove_absence(started, back_to, &CallMedia::default(), seconds(0))
}

#[test]
fn a_text_message_between_the_two_numbers_is_not_the_call() {
    let reconciler = one_unresolved();
    let call = conversation(ours(), number("+13125550177"), intent());
    let claimed = |conversation: &Conversation| {
        reconciler.claimants(conversation, &CallMedia::default(), TimeDelta::zero()).count()
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
        let mut reconciler = one_unresolved();
        assert_eq!(likeness(&reconciler, &conversation, seconds(0)), Some(Likeness::MayFit));
        for _ in 0..5 {
            reconciler.doubt(&conversation);
            let late = intent() + seconds(1_000);
            assert!(proved(&mut reconciler, late, intent() - seconds(600)).absent.is_empty());
        }
    }
    let elsewhere = Conversation { from: None, ..conversation(ours(), number("+13125550178"), intent()) };
    assert_eq!(likeness(&one_unresolved(), &elsewhere, seconds(0)), None);
}

#[test]
fn what_came_near_is_kept_with_the_reason_why_it_is_not_the_call() {
    let mut reconciler = one_unresolved();
    let to = number("+13125550177");
    let named = |id: &str, conversation| Conversation { id: ConversationId::new(id), ..conversation };
    for (id, early) in [("c-day", 86_400), ("c-hour", 3_600), ("c-minutes", 600), ("c-nearest", 121)] {
        let early = named(id, conversation(ours(), to, intent() - seconds(early)));
        reconciler.note_the_early(&early, seconds(0));
        reconciler.note_the_early(&early, seconds(0));
    }
    reconciler.note_the_early(&conversation(ours(), number("+13125550178"), intent()), seconds(0));
    reconciler.is_anothers(AttemptId(1), &ConversationId::new("c-taken"));
    let late = intent() + seconds(1_000);
    let first = proved(&mut reconciler, late, intent() - seconds(600));
    assert_eq!(
        first.counted[0].near.to_string(),
        "near it: conversation c-taken, which is another attempt's; \
         conversation c-nearest, which started 2 min before the intent; \
         conversation c-minutes, which started 10 min before the intent"
    );
    let again = proved(&mut reconciler, late, intent() - seconds(600));
    assert_eq!(again.counted[0].near.to_string(), "near it: no conversation of the two numbers");
}

#[test]
fn what_no_scan_can_settle_is_given_up_in_the_end_but_only_once_the_list_could_be_read_for_long_enough() {
    let mut reconciler = one_unresolved();
    let (tomorrow, enough) = (intent() + TimeDelta::days(1), seconds(300) + LOOKED_FOR);
    assert!(reconciler.give_up(tomorrow, seconds(60)).is_empty(), "the machine was suspended");
    assert!(reconciler.give_up(tomorrow, enough - seconds(1)).is_empty());
    assert_eq!(reconciler.give_up(tomorrow, enough).len(), 1);
}

#[test]
fn what_is_unclear_is_asked_for_once_a_scan_and_may_turn_out_to_be_somebody_elses() {
    let unclear = Conversation { to: None, ..conversation(ours(), number("+13125550177"), intent()) };
    let (late, back) = (intent() + seconds(1_000), intent() - seconds(600));
    let mut reconciler = one_unresolved();
    reconciler.doubt(&unclear);
    assert_eq!(reconciler.to_be_asked(), std::slice::from_ref(&unclear.id));
    assert!(reconciler.to_be_asked().is_empty());
    reconciler.shown(&Conversation { to: Some(number("+13125550178")), ..unclear.clone() });
    assert_eq!(proved(&mut reconciler, late, back).counted.len(), 1);
    reconciler.doubt(&unclear);
    assert_eq!(proved(&mut reconciler, late, back).counted.len(), 0, "the next scan shows it anew");
}

#[test]
fn a_row_without_an_id_between_the_two_numbers_proves_nothing() {
    let row = |to: &str| Nameless { from: Some(ours()), to: Some(number(to)), ..Nameless::default() };
    for (to, proves) in [("+13125550177", false), ("+13125550178", true)] {
        let mut reconciler = one_unresolved();
        reconciler.doubt_nameless(&row(to), &CallMedia::default(), seconds(0));
        let counted = proved(&mut reconciler, intent() + seconds(1_000), intent() - seconds(600)).counted;
        assert_eq!(counted.len(), usize::from(proves), "{to}");
    }
}

#[test]
fn once_our_calls_have_shown_their_medium_another_one_is_no_doubt_any_more() {
    let mut media = CallMedia::default();
    let chat = Conversation {
        medium: Medium::read(Some("WHATSAPP")),
        ..conversation(ours(), number("+13125550177"), intent())
    };
    let mut reconciler = one_unresolved();
    let likeness = |media: &CallMedia| one_unresolved().claimants(&chat, media, seconds(0)).next().map(|(_, how)| how);
    assert_eq!(likeness(&media), Some(Likeness::MayFit));
    reconciler.doubt(&chat);
    media.learn(&conversation(ours(), number("+13125550178"), intent()));
    assert_eq!(likeness(&media), None);
    let proved = reconciler.prove_absence(intent() + seconds(1_000), intent() - seconds(600), &media, seconds(0));
    assert_eq!(proved.counted.len(), 1);
}

#[test]
fn a_conversation_between_the_two_numbers_after_the_intent_is_claimed() {
    let to = number("+13125550177");
    let cases = [
        (conversation(ours(), to, intent() + seconds(2)), true),
        (conversation(ours(), to, intent() - seconds(3_600)), false),
        (conversation(to, ours(), intent() + seconds(2)), false),
        (conversation(ours(), number("+13125550178"), intent() + seconds(2)), false),
    ];
    for (found, claimed) in cases {
        assert_eq!(likeness(&one_unresolved(), &found, seconds(0)).is_some(), claimed, "{found:?}");
    }
}

#[test]
fn the_vendors_clock_is_allowed_for() {
    let ahead = seconds(3_600);
    let to = number("+13125550177");
    let reconciler = one_unresolved();
    assert!(likeness(&reconciler, &conversation(ours(), to, intent() + ahead), ahead).is_some());
    assert!(likeness(&reconciler, &conversation(ours(), to, intent()), ahead).is_none());
}

#[test]
fn a_clock_that_is_set_forward_makes_no_scan_late_enough() {
    for (jump, expected) in [(0, 1), (3_600, 0)] {
        let mut reconciler = one_unresolved();
        reconciler.clock_jumped(seconds(jump));
        let later = intent() + seconds(3_600);
        proved(&mut reconciler, later, intent() - seconds(300));
        assert_eq!(proved(&mut reconciler, later + seconds(1), intent() - seconds(300)).absent.len(), expected);
    }
}

#[test]
fn only_two_scans_that_began_late_enough_prove_absence() {
    let back = intent() - seconds(600);
    let mut reconciler = one_unresolved();
    let early = intent() + seconds(30 + 299);
    let late = intent() + seconds(30 + 300);
    for _ in 0..5 {
        assert!(proved(&mut reconciler, early, back).absent.is_empty());
    }
    assert!(proved(&mut reconciler, late, back).absent.is_empty());
    assert_eq!(proved(&mut reconciler, late + seconds(30), back).absent.len(), 1);
    assert!(reconciler.is_empty());
}

#[test]
fn a_scan_that_does_not_reach_back_to_the_intent_proves_nothing() {
    let mut reconciler = one_unresolved();
    let late = intent() + seconds(1_000);
    for _ in 0..5 {
        assert!(proved(&mut reconciler, late, intent() + seconds(1)).absent.is_empty());
    }
}
