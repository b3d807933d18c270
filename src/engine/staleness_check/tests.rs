use super::*;
use crate::entry::OutcomeSignals;
use crate::vendor::Medium;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn number(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

fn check(takes_over: bool) -> StalenessCheck {
    StalenessCheck::new(
        vec![(number("+13125550142"), Watermark { at: at("2026-11-24T15:00:00Z"), takes_over, adopted_at: None })],
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
        signals: OutcomeSignals::default(),
    }
}

const S: TimeDelta = TimeDelta::seconds(300);
const OURS: Option<&str> = Some("+13125550142");
const PATIENT: Option<&str> = Some("+13125550177");
const LATER: Option<&str> = Some("2026-11-24T15:10:00Z");

/// How many unrecorded calls a scan with this one row shows.
fn unrecorded_count(row: Conversation, media: &CallMedia) -> Result<usize, ScanFlaw> {
    let mut check = check(false);
    check.on_rows(&[row], TimeDelta::zero());
    check.unrecorded_calls(media, TimeDelta::zero()).map(|calls| calls.len())
}

#[test]
fn calls_after_the_watermark_are_unrecorded_and_unclear_rows_prove_nothing() {
    let unclear = Err(ScanFlaw::UnclearWhileOpen);
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
        assert_eq!(unrecorded_count(row.clone(), &CallMedia::default()), expected, "{row:?}");
    }
}

#[test]
fn a_conversation_of_another_medium_is_not_a_call() {
    let calls = CallMedia::from_known(vec![(Some("VOICE".into()), false), (Some("VOICE".into()), true)]);
    for word in [Some("WHATSAPP"), None] {
        let row = Conversation { medium: Medium::read(word), ..conversation(OURS, PATIENT, LATER) };
        assert_eq!(unrecorded_count(row, &calls), Ok(0), "{word:?}");
    }
}

#[test]
fn a_row_without_an_id_that_may_be_ours_proves_nothing() {
    let ours = RowWithoutId { from: OURS.map(number), ..RowWithoutId::default() };
    for (row, expected) in [
        (ours.clone(), Err(ScanFlaw::Unclear)),
        (RowWithoutId { from: Some(number("+13125550199")), ..ours.clone() }, Ok(0)),
        (RowWithoutId { started: Some(at("2026-11-24T14:00:00Z")), ..ours.clone() }, Ok(0)),
        (RowWithoutId::default(), Err(ScanFlaw::Unclear)),
        (RowWithoutId { medium: Medium::read(Some("SMS")), ..ours }, Ok(0)),
    ] {
        let mut check = check(false);
        let page = Page { rows_without_id: vec![row.clone()], ..Page::default() };
        let to_be_explained =
            check.on_rows_without_id(&page, &CallMedia::default(), TimeDelta::zero(), at("2026-11-24T15:30:00Z"));
        assert!(to_be_explained.is_empty(), "{row:?}");
        let calls = check.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()).map(|calls| calls.len());
        assert_eq!(calls, expected, "{row:?}");
    }
}

#[test]
fn a_row_without_an_id_is_explained_by_a_call_that_the_ledger_knows() {
    let row = RowWithoutId {
        from: OURS.map(number),
        to: PATIENT.map(number),
        started: LATER.map(at),
        medium: Medium::read(Some("VOICE")),
    };
    let page = Page { rows_without_id: vec![row], ..Page::default() };
    let mut check = check(false);
    let rows = check.on_rows_without_id(&page, &CallMedia::default(), TimeDelta::zero(), at("2026-11-24T15:30:00Z"));
    assert_eq!(rows.len(), 1);
    check.on_unexplained_rows(&[], at("2026-11-24T15:30:00Z"));
    assert_eq!(check.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()), Ok(vec![]));
    check.on_unexplained_rows(&rows, at("2026-11-24T17:00:00Z"));
    assert_eq!(check.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()), Err(ScanFlaw::Unclear));
}

#[test]
fn rows_that_stay_unclear_do_not_block_an_adopted_ledger() {
    for (status, expected) in [(Status::Closed, Ok(vec![])), (Status::Closing, Err(ScanFlaw::UnclearWhileOpen))] {
        let mut check = check(true);
        let (media, row) = (CallMedia::default(), Conversation { status, ..conversation(OURS, None, LATER) });
        check.on_rows(std::slice::from_ref(&row), TimeDelta::zero());
        assert!(check.unrecorded_calls(&media, TimeDelta::zero()).is_err(), "it has not been read by id");
        assert_eq!(check.take_unclear(&media), std::slice::from_ref(&row.id));
        check.on_rows(&[row], TimeDelta::zero());
        assert_eq!(check.unrecorded_calls(&media, TimeDelta::zero()), expected);
    }
}

#[test]
fn an_adopted_ledger_waits_for_a_row_without_an_id_while_its_call_may_be_in_progress() {
    for (now, expected) in
        [("2026-11-24T15:30:00Z", Err(ScanFlaw::UnclearWhileOpen)), ("2026-11-24T17:00:00Z", Ok(vec![]))]
    {
        let mut check = check(true);
        let row = RowWithoutId { from: OURS.map(number), started: LATER.map(at), ..RowWithoutId::default() };
        let page = Page { rows_without_id: vec![row], ..Page::default() };
        check.on_rows_without_id(&page, &CallMedia::default(), TimeDelta::zero(), at(now));
        assert_eq!(check.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()), expected);
    }
}

#[test]
fn an_unclear_row_is_read_by_id_once_and_may_turn_out_not_to_be_ours() {
    let (mut check, media) = (check(false), CallMedia::default());
    check.on_rows(&[conversation(None, None, LATER)], TimeDelta::zero());
    assert_eq!(check.take_unclear(&media), [ConversationId::new("c-1")]);
    assert!(check.take_unclear(&media).is_empty());
    assert_eq!(check.unrecorded_calls(&media, TimeDelta::zero()), Err(ScanFlaw::UnclearWhileOpen));
    check.on_rows(&[conversation(Some("+13125550199"), OURS, LATER)], TimeDelta::zero());
    assert_eq!(check.unrecorded_calls(&media, TimeDelta::zero()), Ok(vec![]));
}

#[test]
fn a_recorded_call_is_not_unrecorded() {
    let mut check = check(false);
    let ids = check.on_rows(&[conversation(OURS, None, None)], TimeDelta::zero());
    assert!(check.remove_recorded(&ids[0]).is_some());
    assert_eq!(check.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()), Ok(vec![]));
}

#[test]
fn a_check_fails_after_five_scans_with_growing_pauses() {
    let mut check = check(false);
    let mut now = at("2026-11-24T15:00:00Z");
    let mut pauses = Vec::new();
    check.request(TimeDelta::zero());
    while !check.on_scan_failed(ScanFlaw::Hole, now) {
        let next = check.next_scan_at().expect("it is wanted");
        assert!(
            !check.on_scan_failed(ScanFlaw::Hole, next - TimeDelta::seconds(1)),
            "what was read for something else does not count"
        );
        pauses.push((next - now).num_seconds());
        now = next;
    }
    assert_eq!(pauses, [15, 30, 60, 120]);
}

#[test]
fn a_check_takes_too_long_after_half_an_hour_of_readable_time() {
    let mut check = check(false);
    assert!(!check.takes_too_long(TimeDelta::hours(9)), "no call waits for it");
    check.request(TimeDelta::hours(9));
    for (minutes, expected) in [(29, false), (30, true)] {
        assert_eq!(check.takes_too_long(TimeDelta::hours(9) + TimeDelta::minutes(minutes)), expected);
    }
}

#[test]
fn a_call_in_progress_has_15_minutes_to_end() {
    let mut check = check(false);
    let begun = at("2026-11-24T15:00:00Z");
    let mut now = begun;
    check.request(TimeDelta::zero());
    while !check.on_scan_failed(ScanFlaw::UnclearWhileOpen, now) {
        now = check.next_scan_at().expect("it is wanted");
    }
    assert_eq!(now - begun, TimeDelta::minutes(15));
}

#[test]
fn a_small_change_of_the_measured_clock_difference_does_not_make_the_scan_fall_short() {
    let (check, later) = (check(false), at("2026-11-24T15:10:00Z"));
    for (asked_with, measured) in [(0, -1), (-1, 0), (0, -30), (-5, -6)] {
        let asked = check.back_to(TimeDelta::seconds(asked_with));
        assert!(check.is_settled_by(later, asked, TimeDelta::seconds(measured)), "{asked_with} {measured}");
    }
    assert!(!check.is_settled_by(later, at("2026-11-24T14:59:00Z"), TimeDelta::zero()));
}

#[test]
fn an_unrecorded_call_means_behind_unless_the_ledger_was_adopted() {
    let call = |id: &str, started| ObservedCall {
        conversation: ConversationId::new(id),
        from: number("+13125550142"),
        to: number("+13125550177"),
        started: at(started),
    };
    let (early, late) = (call("b", "2026-11-24T15:01:00Z"), call("a", "2026-11-24T15:02:00Z"));
    let both = vec![late.clone(), early.clone()];
    let taken_over = |calls| StalenessResult::UpToDate(vec![(number("+13125550142"), calls)]);
    assert_eq!(check(false).result(vec![]), taken_over(vec![]));
    assert_eq!(check(false).result(both.clone()), StalenessResult::Behind { calls: 2, since: early.started });
    assert_eq!(check(true).result(both), taken_over(vec![early, late]));
}

#[test]
fn each_caller_id_is_checked_back_to_its_own_watermark() {
    let (first, second) = (number("+13125550142"), number("+13125550143"));
    let watermark = |text, takes_over| Watermark { at: at(text), takes_over, adopted_at: None };
    let mut check = StalenessCheck::new(
        vec![(first, watermark("2026-11-24T15:00:00Z", true)), (second, watermark("2026-11-24T12:00:00Z", false))],
        S,
    );
    let noon = Some("2026-11-24T12:30:00Z");
    let rows = [
        conversation(Some("+13125550142"), PATIENT, noon),
        Conversation { id: ConversationId::new("c-2"), ..conversation(Some("+13125550143"), PATIENT, noon) },
    ];
    assert_eq!(check.on_rows(&rows, TimeDelta::zero()), [ConversationId::new("c-2")]);
    assert!(!check.is_settled_by(at("2026-11-24T15:10:00Z"), at("2026-11-24T14:00:00Z"), TimeDelta::zero()));
    let calls = check.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()).expect("it is clear");
    assert_eq!(calls.iter().map(|call| call.from).collect::<Vec<_>>(), [second]);
    assert!(
        matches!(check.result(calls), StalenessResult::Behind { calls: 1, .. }),
        "only the other number was adopted"
    );
}

#[test]
fn a_newly_adopted_ledger_is_checked_once_the_list_must_show_every_call() {
    let adopted = at("2026-11-24T15:20:00Z");
    for (takes_over, expected) in [(true, adopted + S), (false, DateTime::UNIX_EPOCH)] {
        let watermark = Watermark { at: at("2026-11-24T15:00:00Z"), takes_over, adopted_at: Some(adopted) };
        let mut check = StalenessCheck::new(vec![(number("+13125550142"), watermark)], S);
        check.request(TimeDelta::zero());
        assert_eq!(check.next_scan_at(), Some(expected), "{takes_over}");
    }
}
