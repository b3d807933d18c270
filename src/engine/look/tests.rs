use super::*;
use crate::annie::Medium;
use crate::entry::Testimony;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn number(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

fn look(takes_over: bool) -> Look {
    Look::new(
        vec![(number("+13125550142"), InStep { at: at("2026-11-24T15:00:00Z"), takes_over, adopted_at: None })],
        S,
    )
}

fn conversation(from: Option<&str>, to: Option<&str>, started: Option<&str>) -> Conversation {
    Conversation {
        medium: Medium::read(Some("VOICE")),
        id: ConversationId::new("c-1"),
        from: from.map(number),
        to: to.map(number),
        started: started.map(at),
        ended: None,
        status: Status::Open,
        testimony: Testimony::default(),
    }
}

const S: TimeDelta = TimeDelta::seconds(300);
const OURS: Option<&str> = Some("+13125550142");
const PATIENT: Option<&str> = Some("+13125550177");
const LATER: Option<&str> = Some("2026-11-24T15:10:00Z");

/// What a look at this one row comes to.
fn told(row: Conversation, media: &CallMedia) -> Result<usize, Flaw> {
    let mut look = look(false);
    look.take(&[row], TimeDelta::zero());
    look.unrecorded_calls(media, TimeDelta::zero()).map(|calls| calls.len())
}

#[test]
fn a_call_of_our_number_since_the_ledger_was_in_step_is_asked_about_and_what_is_unclear_proves_nothing() {
    let unclear = Err(Flaw::UnclearWhileOpen);
    let cases = [
        (conversation(OURS, PATIENT, LATER), Ok(1)),
        (conversation(OURS, PATIENT, Some("2026-11-24T14:58:30Z")), Ok(1)),
        (conversation(OURS, PATIENT, Some("2026-11-24T14:57:00Z")), Ok(0)),
        (conversation(Some("+13125550199"), PATIENT, LATER), Ok(0)),
        (conversation(None, PATIENT, LATER), unclear),
        (conversation(None, OURS, LATER), Ok(0)),
        (conversation(OURS, None, LATER), unclear),
        (conversation(OURS, PATIENT, None), unclear),
        (conversation(OURS, None, Some("2026-11-24T14:57:00Z")), Ok(0)),
        (Conversation { medium: Medium::read(Some("SMS")), ..conversation(OURS, PATIENT, LATER) }, Ok(0)),
        (Conversation { medium: Medium::read(Some("WHATSAPP")), ..conversation(OURS, PATIENT, LATER) }, unclear),
    ];
    for (row, expected) in cases {
        assert_eq!(told(row.clone(), &CallMedia::default()), expected, "{row:?}");
    }
}

#[test]
fn a_conversation_of_another_medium_than_our_calls_is_none() {
    let calls = CallMedia::of(vec![(Some("VOICE".into()), false), (Some("VOICE".into()), true)]);
    for word in [Some("WHATSAPP"), None] {
        let row = Conversation { medium: Medium::read(word), ..conversation(OURS, PATIENT, LATER) };
        assert_eq!(told(row, &calls), Ok(0), "{word:?}");
    }
}

#[test]
fn a_row_without_an_id_that_may_be_ours_proves_nothing() {
    let ours = Nameless { from: OURS.map(number), ..Nameless::default() };
    for (row, expected) in [
        (ours.clone(), Err(Flaw::Unclear)),
        (Nameless { from: Some(number("+13125550199")), ..ours.clone() }, Ok(0)),
        (Nameless { started: Some(at("2026-11-24T14:00:00Z")), ..ours.clone() }, Ok(0)),
        (Nameless::default(), Err(Flaw::Unclear)),
        (Nameless { medium: Medium::read(Some("SMS")), ..ours }, Ok(0)),
    ] {
        let mut look = look(false);
        let page = Page { nameless: vec![row.clone()], ..Page::default() };
        let to_be_explained =
            look.take_nameless(&page, &CallMedia::default(), TimeDelta::zero(), at("2026-11-24T15:30:00Z"));
        assert!(to_be_explained.is_empty(), "{row:?}");
        let calls = look.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()).map(|calls| calls.len());
        assert_eq!(calls, expected, "{row:?}");
    }
}

#[test]
fn a_row_without_an_id_is_explained_by_a_call_that_the_ledger_knows() {
    let row = Nameless {
        from: OURS.map(number),
        to: PATIENT.map(number),
        started: LATER.map(at),
        medium: Medium::read(Some("VOICE")),
    };
    let page = Page { nameless: vec![row], ..Page::default() };
    let mut look = look(false);
    let rows = look.take_nameless(&page, &CallMedia::default(), TimeDelta::zero(), at("2026-11-24T15:30:00Z"));
    assert_eq!(rows.len(), 1);
    look.are_unexplained(&[], at("2026-11-24T15:30:00Z"));
    assert_eq!(look.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()), Ok(vec![]));
    look.are_unexplained(&rows, at("2026-11-24T17:00:00Z"));
    assert_eq!(look.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()), Err(Flaw::Unclear));
}

#[test]
fn an_operator_who_has_adopted_the_ledger_vouches_for_what_nobody_can_read() {
    for (status, expected) in [(Status::Closed, Ok(vec![])), (Status::Closing, Err(Flaw::UnclearWhileOpen))] {
        let mut look = look(true);
        let (media, row) = (CallMedia::default(), Conversation { status, ..conversation(OURS, None, LATER) });
        look.take(std::slice::from_ref(&row), TimeDelta::zero());
        assert!(look.unrecorded_calls(&media, TimeDelta::zero()).is_err(), "nobody has asked for it");
        assert_eq!(look.to_be_asked(&media), std::slice::from_ref(&row.id));
        look.take(&[row], TimeDelta::zero());
        assert_eq!(look.unrecorded_calls(&media, TimeDelta::zero()), expected);
    }
}

#[test]
fn nobody_vouches_for_a_row_without_an_id_that_may_show_it_once_the_call_is_over() {
    for (now, expected) in [("2026-11-24T15:30:00Z", Err(Flaw::UnclearWhileOpen)), ("2026-11-24T17:00:00Z", Ok(vec![]))]
    {
        let mut look = look(true);
        let row = Nameless { from: OURS.map(number), started: LATER.map(at), ..Nameless::default() };
        let page = Page { nameless: vec![row], ..Page::default() };
        look.take_nameless(&page, &CallMedia::default(), TimeDelta::zero(), at(now));
        assert_eq!(look.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()), expected);
    }
}

#[test]
fn what_is_unclear_is_asked_for_once_and_may_turn_out_to_be_nothing_of_ours() {
    let (mut look, media) = (look(false), CallMedia::default());
    look.take(&[conversation(None, None, LATER)], TimeDelta::zero());
    assert_eq!(look.to_be_asked(&media), [ConversationId::new("c-1")]);
    assert!(look.to_be_asked(&media).is_empty());
    assert_eq!(look.unrecorded_calls(&media, TimeDelta::zero()), Err(Flaw::UnclearWhileOpen));
    look.take(&[conversation(Some("+13125550199"), OURS, LATER)], TimeDelta::zero());
    assert_eq!(look.unrecorded_calls(&media, TimeDelta::zero()), Ok(vec![]));
}

#[test]
fn what_the_ledger_knows_is_no_unrecorded_call() {
    let mut look = look(false);
    let ids = look.take(&[conversation(OURS, None, None)], TimeDelta::zero());
    assert!(look.is_recorded(&ids[0]).is_some());
    assert_eq!(look.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()), Ok(vec![]));
}

#[test]
fn a_look_is_given_up_after_five_scans_each_later_than_the_one_before() {
    let mut look = look(false);
    let mut now = at("2026-11-24T15:00:00Z");
    let mut pauses = Vec::new();
    look.want(TimeDelta::zero());
    while !look.failed(Flaw::Hole, now) {
        let next = look.next_scan_at().expect("it is wanted");
        assert!(
            !look.failed(Flaw::Hole, next - TimeDelta::seconds(1)),
            "what was read for something else does not count"
        );
        pauses.push((next - now).num_seconds());
        now = next;
    }
    assert_eq!(pauses, [15, 30, 60, 120]);
}

#[test]
fn a_look_that_takes_longer_than_half_an_hour_of_readable_time_takes_too_long() {
    let mut look = look(false);
    assert!(!look.takes_too_long(TimeDelta::hours(9)), "no call waits for it");
    look.want(TimeDelta::hours(9));
    for (minutes, expected) in [(29, false), (30, true)] {
        assert_eq!(look.takes_too_long(TimeDelta::hours(9) + TimeDelta::minutes(minutes)), expected);
    }
}

#[test]
fn a_call_under_way_is_given_a_quarter_of_an_hour_to_end() {
    let mut look = look(false);
    let begun = at("2026-11-24T15:00:00Z");
    let mut now = begun;
    look.want(TimeDelta::zero());
    while !look.failed(Flaw::UnclearWhileOpen, now) {
        now = look.next_scan_at().expect("it is wanted");
    }
    assert_eq!(now - begun, TimeDelta::minutes(15));
}

#[test]
fn a_clock_that_is_measured_a_little_otherwise_meanwhile_does_not_make_the_scan_fall_short() {
    let (look, later) = (look(false), at("2026-11-24T15:10:00Z"));
    for (asked_with, measured) in [(0, -1), (-1, 0), (0, -30), (-5, -6)] {
        let asked = look.back_to(TimeDelta::seconds(asked_with));
        assert!(look.is_settled_by(later, asked, TimeDelta::seconds(measured)), "{asked_with} {measured}");
    }
    assert!(!look.is_settled_by(later, at("2026-11-24T14:59:00Z"), TimeDelta::zero()));
}

#[test]
fn an_unrecorded_call_means_behind_unless_the_ledger_was_adopted() {
    let call = |id: &str, started| Sighting {
        conversation: ConversationId::new(id),
        from: number("+13125550142"),
        to: number("+13125550177"),
        started: at(started),
    };
    let (early, late) = (call("b", "2026-11-24T15:01:00Z"), call("a", "2026-11-24T15:02:00Z"));
    let both = vec![late.clone(), early.clone()];
    let taken_over = |calls| Seen::InStep(vec![(number("+13125550142"), calls)]);
    assert_eq!(look(false).seen(vec![]), taken_over(vec![]));
    assert_eq!(look(false).seen(both.clone()), Seen::Behind { calls: 2, since: early.started });
    assert_eq!(look(true).seen(both), taken_over(vec![early, late]));
}

#[test]
fn of_two_numbers_each_is_looked_at_as_far_back_as_the_ledger_lacks_it() {
    let (first, second) = (number("+13125550142"), number("+13125550143"));
    let in_step = |text, takes_over| InStep { at: at(text), takes_over, adopted_at: None };
    let mut look = Look::new(
        vec![(first, in_step("2026-11-24T15:00:00Z", true)), (second, in_step("2026-11-24T12:00:00Z", false))],
        S,
    );
    let noon = Some("2026-11-24T12:30:00Z");
    let rows = [
        conversation(Some("+13125550142"), PATIENT, noon),
        Conversation { id: ConversationId::new("c-2"), ..conversation(Some("+13125550143"), PATIENT, noon) },
    ];
    assert_eq!(look.take(&rows, TimeDelta::zero()), [ConversationId::new("c-2")]);
    assert!(!look.is_settled_by(at("2026-11-24T15:10:00Z"), at("2026-11-24T14:00:00Z"), TimeDelta::zero()));
    let calls = look.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()).expect("it is clear");
    assert_eq!(calls.iter().map(|call| call.from).collect::<Vec<_>>(), [second]);
    assert!(matches!(look.seen(calls), Seen::Behind { calls: 1, .. }), "only the other number was adopted");
}

#[test]
fn a_ledger_that_was_just_adopted_is_looked_at_once_the_list_must_show_every_call() {
    let adopted = at("2026-11-24T15:20:00Z");
    for (takes_over, expected) in [(true, adopted + S), (false, DateTime::UNIX_EPOCH)] {
        let in_step = InStep { at: at("2026-11-24T15:00:00Z"), takes_over, adopted_at: Some(adopted) };
        let mut look = Look::new(vec![(number("+13125550142"), in_step)], S);
        look.want(TimeDelta::zero());
        assert_eq!(look.next_scan_at(), Some(expected), "{takes_over}");
    }
}
