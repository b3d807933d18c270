//! An operator's decisions.

use super::*;
use crate::fixtures::{self, CONSENT, REQUIRED};

pub(super) fn a_person_may_settle_an_entry_that_was_lost_track_of(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![update(&claimed[0], Fact::TrackLost)]).expect("recorded");
    fixture.check_states(&[("P-1", State::LostTrack)]);
    let settled = fixture.operator(noon()).resolve(claimed[0].entry, Resolution::Cancel, "somebody", noon());
    assert_eq!(settled.expect("settled"), State::Cancelled);
    assert!(fixture.claim().is_empty());
}

pub(super) fn a_number_suppressed_after_the_claim_is_found_before_the_request_leaves(open: Opener) {
    let fixture = Fixture::with(open, &[entry("1", 101)]);
    let claimed = fixture.claim();
    let is_forbidden =
        |at| committed(fixture.ledger().forbids(claimed[0].to, fixture.campaign.purpose, at)).expect("asked");
    assert!(!is_forbidden(noon()));
    let until = noon() + TimeDelta::hours(1);
    fixture.suppress(claimed[0].to, Some(until), noon());
    assert!(is_forbidden(noon()));
    assert!(!is_forbidden(until), "a suppression ends when it expires");
}

/// The fixture's campaign.
fn campaign(fixture: &Fixture) -> DecisionScope {
    DecisionScope::Campaign(fixture.campaign.name.clone())
}

pub(super) fn a_cancelled_call_is_followed_to_its_end_and_not_redialled(open: Opener) {
    let redial = Some(noon() + TimeDelta::days(3));
    let cases = [
        (vec![Fact::Accepted, Fact::Ended { outcome: Outcome::NoAnswer, redial }], State::Cancelled),
        (vec![Fact::Accepted, Fact::Ended { outcome: Outcome::Booked, redial: None }], State::Finished),
        (vec![Fact::NotPlaced { retry_at: noon(), reason: Reason::RateLimited }], State::Cancelled),
        (vec![Fact::AnswerLost, Fact::Absent { retry: true }], State::Cancelled),
        (vec![Fact::AnswerLost, Fact::Absent { retry: false }], State::Cancelled),
        (vec![Fact::AnswerLost, Fact::Adopted], State::Open),
    ];
    for (facts, expected) in cases {
        let mut fixture = Fixture::with(open, &[entry("P-1", 101), entry("P-2", 102)]);
        let claimed = fixture.claim_for(fixture.run, noon(), 1).claimed;
        let cancelled = fixture.operator(noon()).cancel(&campaign(&fixture), "somebody", noon()).expect("cancelled");
        assert_eq!(cancelled.by_state.into_iter().collect::<Vec<_>>(), [(State::Ready, 1), (State::Submitting, 1)]);
        fixture.check_states(&[("P-1", State::Submitting), ("P-2", State::Cancelled)]);
        for fact in facts {
            fixture.record(vec![update(&claimed[0], fact)]).expect("recorded");
        }
        fixture.check_states(&[("P-1", expected), ("P-2", State::Cancelled)]);
        fixture.next_list(&[entry("P-1", 101), entry("P-2", 102)]);
        fixture.check_states(&[("P-1", expected), ("P-2", State::Cancelled)]);
        assert!(fixture.claim_at(noon() + TimeDelta::days(30)).claimed.is_empty(), "{expected}");
    }
}

pub(super) fn who_is_off_the_list_when_a_campaign_is_cancelled_is_not_called_when_listed_again(open: Opener) {
    let mut fixture = Fixture::with(open, &[entry("P-1", 101), entry("P-2", 102)]);
    fixture.next_list(&[entry("P-1", 101)]);
    fixture.check_states(&[("P-1", State::Ready), ("P-2", State::Withdrawn)]);
    fixture.operator(noon()).cancel(&campaign(&fixture), "somebody", noon()).expect("cancelled");
    fixture.next_list(&[entry("P-1", 101), entry("P-2", 102)]);
    fixture.check_states(&[("P-1", State::Cancelled), ("P-2", State::Cancelled)]);
}

pub(super) fn a_cancellation_that_is_taken_back_leaves_everybody_as_before_and_applies_the_lists_since(open: Opener) {
    let booked = NewEntry { eligibility: ListEligibility::Suppressed(Reason::Booked), ..entry("P-3", 103) };
    let list = [entry("P-1", 101), entry("P-2", 102), entry("P-3", 103), entry("P-4", 104)];
    let mut fixture = Fixture::with(open, &list);
    let claimed = fixture.claim_for(fixture.run, noon(), 1).claimed;
    let busy = ended(&claimed[0], Outcome::Busy, Some(noon() + TimeDelta::days(3)));
    fixture.record(vec![update(&claimed[0], Fact::Accepted), busy]).expect("recorded");
    let undo = |fixture: &Fixture| {
        fixture.operator(noon()).undo_cancel(&DecisionScope::Newest, "somebody", noon()).expect("undone").0
    };
    fixture.operator(noon()).cancel(&campaign(&fixture), "somebody", noon()).expect("cancelled");
    assert_eq!(undo(&fixture).reinstated.into_iter().collect::<Vec<_>>(), [(State::Ready, 3), (State::Waiting, 1)]);
    let states = [("P-1", State::Waiting), ("P-2", State::Ready), ("P-3", State::Ready), ("P-4", State::Ready)];
    fixture.check_states(&states);
    assert_eq!(fixture.row("P-1").reason, Some(Reason::RedialGap));
    assert_eq!(fixture.row("P-1").due_at, Some(noon() + TimeDelta::days(3)));

    fixture.operator(noon()).cancel(&campaign(&fixture), "somebody", noon()).expect("cancelled");
    fixture.next_list(&[entry("P-1", 101), entry("P-2", 109), booked]);
    fixture.check_states(&states.map(|(key, _)| (key, State::Cancelled)));
    undo(&fixture);
    let states =
        [("P-1", State::Waiting), ("P-2", State::Ready), ("P-3", State::Suppressed), ("P-4", State::Withdrawn)];
    fixture.check_states(&states);
    assert_eq!(fixture.row("P-2").phone, number(109), "a newer list has another number");
}

pub(super) fn an_entry_held_for_a_lost_answer_is_held_again_when_its_cancellation_is_taken_back(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim();
    for fact in [Fact::AnswerLost, Fact::Absent { retry: false }] {
        fixture.record(vec![update(&claimed[0], fact)]).expect("recorded");
    }
    let scope = DecisionScope::Run(fixture.run.run);
    fixture.operator(noon()).cancel(&scope, "somebody", noon()).expect("cancelled");
    fixture.check_states(&[("P-1", State::Cancelled)]);
    fixture.operator(noon()).undo_cancel(&scope, "somebody", noon()).expect("undone");
    fixture.check_states(&[("P-1", State::Held)]);
    assert_eq!(fixture.row("P-1").reason, Some(Reason::AnswerLost));
}

pub(super) fn a_paused_campaign_claims_nothing_in_any_run_until_it_is_resumed_or_the_pause_ends(open: Opener) {
    let mut fixture = Fixture::with(open, &[entry("P-1", 101), entry("P-2", 102)]);
    let until = noon() + TimeDelta::minutes(30);
    let pause = |until| Pause { by: "somebody".into(), since: noon(), until };
    fixture.operator(noon()).pause(&campaign(&fixture), &pause(Some(until))).expect("paused");
    fixture.next_list(&[entry("P-1", 101), entry("P-2", 102)]);
    assert_eq!(fixture.claim_at(noon()).pause, Some(pause(Some(until))));
    assert_eq!(fixture.claim_for(fixture.run, until, 1).claimed.len(), 1, "the pause is over");
    fixture.operator(noon()).pause(&DecisionScope::Newest, &pause(None)).expect("paused");
    assert_eq!(fixture.claim_at(noon() + TimeDelta::minutes(40)).pause, Some(pause(None)));
    let lifted = || committed(fixture.ledger().lift_pause(fixture.run, "somebody".into(), noon())).expect("lifted");
    assert_eq!((lifted(), lifted()), (true, false));
    assert_eq!(fixture.claim_at(noon() + TimeDelta::minutes(40)).claimed.len(), 1);
}

pub(super) fn a_number_that_is_suppressed_again_keeps_who_said_so_first(open: Opener) {
    let fixture = Fixture::new(open);
    let week = |weeks: i64| Some(noon() + TimeDelta::weeks(weeks));
    let add = |source, expires, at| {
        let request = SuppressionRequest { scope: SuppressionScope::All, source, expires };
        fixture.operator(at).suppress([number(101)], request, at).expect("suppressed");
        let rows = fixture.operator(at).suppressions().expect("rows");
        (rows[0].source.clone(), rows[0].at, rows[0].expires)
    };
    let later = noon() + TimeDelta::weeks(9);
    assert_eq!(add("letter", week(1), noon()), ("letter".into(), noon(), week(1)));
    assert_eq!(add("import", week(1), noon() + TimeDelta::days(1)), ("letter".into(), noon(), week(1)));
    assert_eq!(add("import", week(2), noon() + TimeDelta::days(1)), ("letter; import".into(), noon(), week(2)));
    assert_eq!(add("import", week(3), noon() + TimeDelta::days(1)), ("letter; import".into(), noon(), week(3)));
    assert_eq!(add("front desk", None, later), ("front desk".into(), later, None), "the older one has expired");
    assert_eq!(add("import", None, later + TimeDelta::days(1)), ("front desk".into(), later, None));
}

pub(super) fn a_campaign_keeps_its_kind_of_vendor_while_calls_are_under_way(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let other = Arc::new(fixtures::load(&format!("{REQUIRED}{CONSENT}")));
    let begin = || committed(fixture.ledger().begin_run(Arc::clone(&other), true, noon()));
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    let refused = begin().expect_err("a call is under way");
    assert!(matches!(&refused, LedgerError::OtherVendor { was, calls: 1 } if was == "simulator"), "{refused}");
    fixture.record(vec![ended(&claimed[0], Outcome::Booked, None)]).expect("recorded");
    begin().expect("no call is under way");
}

pub(super) fn what_a_list_says_of_a_refused_patient_holds_once_an_operator_brings_them_back(open: Opener) {
    let booked = NewEntry { eligibility: ListEligibility::Suppressed(Reason::Booked), ..entry("P-1", 101) };
    let refused = || {
        let fixture = Fixture::with(open, &[entry("P-1", 101)]);
        let fact = Fact::Refused { reason: Reason::VendorRefused };
        fixture.record(vec![update(&fixture.claim()[0], fact)]).expect("recorded");
        fixture
    };
    let bring_back = |fixture: &Fixture| {
        let resolution = Resolution::NotPlaced;
        fixture.operator(noon()).resolve(EntryId(1), resolution, "somebody", noon()).expect("brought back")
    };
    for (lists, after) in [
        (vec![vec![entry("P-1", 101)]], State::Ready),
        (vec![vec![]], State::Withdrawn),
        (vec![vec![booked.clone()]], State::Suppressed),
        (vec![vec![booked.clone()], vec![entry("P-1", 101)]], State::Ready),
    ] {
        let mut fixture = refused();
        for list in &lists {
            assert_eq!(fixture.next_list(list), 0);
            fixture.check_states(&[("P-1", State::Failed)]);
        }
        assert_eq!(bring_back(&fixture), after);
    }
    let fixture = refused();
    assert!(fixture.exclude("P-1").is_empty());
    assert_eq!(bring_back(&fixture), State::Suppressed);
    assert_eq!(fixture.row("P-1").reason, Some(Reason::Excluded));
}

pub(super) fn undoing_takes_back_the_newest_cancellation_or_that_of_the_run_and_no_other(open: Opener) {
    let list = [entry("P-1", 101), entry("P-2", 102), entry("P-3", 103)];
    let mut fixture = Fixture::with(open, &list[..1]);
    let first = DecisionScope::Run(fixture.run.run);
    let hour = |hours| noon() + TimeDelta::hours(hours);
    let cancel = |fixture: &Fixture, scope: &DecisionScope, at| {
        fixture.operator(at).cancel(scope, "somebody", at).expect("cancelled");
    };
    cancel(&fixture, &first, hour(1));
    fixture.next_list(&list[..2]);
    cancel(&fixture, &campaign(&fixture), hour(2));
    fixture.next_list(&list);
    let third = DecisionScope::Run(fixture.run.run);
    cancel(&fixture, &campaign(&fixture), hour(3));
    let undo = |scope: &DecisionScope| {
        fixture.operator(hour(4)).undo_cancel(scope, "somebody", hour(4)).expect("undone");
        fixture.rows().into_iter().map(|row| row.state == State::Cancelled).collect::<Vec<_>>()
    };
    assert_eq!(undo(&third), [true, true, true], "nobody was cancelled by naming this run");
    assert_eq!(undo(&DecisionScope::Newest), [true, true, false]);
    assert_eq!(undo(&first), [false, true, false]);
    assert_eq!(undo(&DecisionScope::Newest), [false, false, false]);
}
