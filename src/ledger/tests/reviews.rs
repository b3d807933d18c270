//! Conversations that only a person can judge, and what was said in them.

use super::*;
use crate::campaign::{Campaign, Redial};
use crate::entry::{ConversationWords, Doubt, OutcomeSignals};
use crate::ids::AttemptId;
use crate::ledger::{CallResult, InFlightAttempt, PendingReview, ReviewDecision};

/// A call that ended in doubt, with what was said in it.
fn in_doubt(of: &ClaimedAttempt, outcome: Outcome, doubt: Doubt) -> AttemptUpdate {
    let said = OutcomeSignals { summary: Some("not before ten, she says".into()), ..OutcomeSignals::default() };
    let words = Some(ConversationWords::bounded(&said));
    let detail = Some("outcome rule 3".into());
    AttemptUpdate { words, detail, ..update(of, Fact::EndedInDoubt { outcome, doubt }) }
}

/// A store whose first entry's call ended in doubt with this outcome.
fn doubtful(open: Opener, entries: &[NewEntry], outcome: Outcome) -> (Fixture, ClaimedAttempt) {
    let fixture = Fixture::with(open, entries);
    let claimed = fixture.claim().swap_remove(0);
    fixture.record(vec![update(&claimed, Fact::Accepted)]).expect("recorded");
    fixture.record(vec![in_doubt(&claimed, outcome, Doubt::PossibleOptOut)]).expect("recorded");
    (fixture, claimed)
}

fn redial(fixture: &Fixture) -> Redial {
    Redial { after: vec![Outcome::NoAnswer, Outcome::Declined], ..fixture.campaign.redial.clone() }
}

fn review(fixture: &Fixture, entry: i64, decision: ReviewDecision) -> Result<State, OperatorError> {
    fixture.review(EntryId(entry), decision, &redial(fixture), noon())
}

fn suppressions(fixture: &Fixture, last: u32) -> Vec<(String, bool)> {
    let rows = fixture.reader().suppressions_of(number(last)).expect("rows");
    rows.into_iter().map(|row| (row.source, row.is_pending_review)).collect()
}

pub(super) fn what_was_said_is_kept_with_every_ending_and_read_back(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101), entry("P-2", 102)]);
    let claimed = fixture.claim();
    let said = OutcomeSignals {
        tags: vec!["booked".into()],
        topic: Some("a cleaning".into()),
        summary: Some("She takes Tuesday.".into()),
        actions: vec!["enter the booking".into()],
        duration: Some(61.5),
    };
    let words = ConversationWords::bounded(&said);
    let ends = |of, outcome| AttemptUpdate { words: Some(words.clone()), ..ended(of, outcome, None) };
    fixture.record(vec![update(&claimed[0], Fact::Accepted), update(&claimed[1], Fact::Accepted)]).expect("recorded");
    // The second call was lost track of before it was read, and its entry was cancelled meanwhile.
    fixture.record(vec![update(&claimed[1], Fact::TrackLost)]).expect("recorded");
    fixture.operator(noon()).resolve(claimed[1].entry, Resolution::Cancel, "somebody", noon()).expect("cancelled");
    fixture.record(vec![ends(&claimed[0], Outcome::Booked), ends(&claimed[1], Outcome::Declined)]).expect("recorded");
    for (claimed, outcome) in claimed.iter().zip([Outcome::Booked, Outcome::Declined]) {
        let kept = fixture.reader().words_of(claimed.entry).expect("words");
        assert_eq!((kept.len(), &kept[0].words, kept[0].outcome), (1, &words, outcome));
    }
}

pub(super) fn a_possible_opt_out_bars_its_number_for_everybody_and_holds_its_entry(open: Opener) {
    let (fixture, claimed) = doubtful(open, &[entry("P-1", 101)], Outcome::Unclassified);
    let is_forbidden = committed(fixture.ledger().forbids(number(101), fixture.campaign.purpose, noon()));
    assert!(is_forbidden.expect("asked"));
    fixture.enrol(&[entry("P-2", 101)]);
    assert!(fixture.claim_at(noon() + TimeDelta::days(40)).claimed.is_empty());
    fixture.check_states(&[("P-1", State::Held), ("P-2", State::Suppressed)]);
    assert_eq!(fixture.row("P-1").reason, Some(Reason::PossibleOptOut));
    assert_eq!(suppressions(&fixture, 101), [("possible opt-out in a conversation, pending review".to_owned(), true)]);
    let pending = fixture.reader().pending_reviews(None).expect("reviews");
    let [PendingReview { entry, phone, doubt, decided_by, said, .. }] = pending.as_slice() else {
        panic!("{pending:?}")
    };
    assert_eq!((*entry, *phone, *doubt), (claimed.entry, number(101), Doubt::PossibleOptOut));
    assert_eq!(decided_by.as_deref(), Some("outcome rule 3"));
    assert!(said.is_some());
    let other = CampaignName::new("another");
    assert!(fixture.reader().pending_reviews(Some(&other)).expect("reviews").is_empty());
}

pub(super) fn a_decision_makes_the_bar_final_or_lifts_it_and_nothing_else(open: Opener) {
    use ReviewDecision::{Deceased, MayBeCalled, OptedOut};
    for (decision, ended_with, state, outcome, is_suppressed) in [
        (OptedOut, Outcome::NoAnswer, State::Finished, Outcome::OptOut, true),
        (Deceased, Outcome::NoAnswer, State::Finished, Outcome::DeceasedOrMoved, true),
        (MayBeCalled, Outcome::NoAnswer, State::Waiting, Outcome::NoAnswer, false),
        (MayBeCalled, Outcome::Booked, State::Finished, Outcome::Booked, false),
    ] {
        let (fixture, claimed) = doubtful(open, &[entry("P-1", 101)], ended_with);
        fixture.enrol(&[entry("P-2", 101), entry("P-3", 102)]);
        fixture.claim_at(noon() + TimeDelta::days(40));
        assert_eq!(review(&fixture, 1, decision).expect("reviewed"), state, "{decision:?}");
        let row = fixture.row("P-1");
        assert_eq!((row.state, row.outcome), (state, Some(outcome)), "{decision:?}");
        let rows = suppressions(&fixture, 101);
        assert_eq!(
            rows.iter().map(|(_, is_pending)| *is_pending).collect::<Vec<_>>(),
            vec![false; usize::from(is_suppressed)]
        );
        // Who was barred with the number meanwhile is called again, or never.
        let other = if is_suppressed { State::Suppressed } else { State::Ready };
        assert_eq!(fixture.row("P-2").state, other, "{decision:?}");
        assert!(fixture.reader().pending_reviews(None).expect("reviews").is_empty());
        let event = fixture.events_of([1]).pop().expect("an event");
        assert_eq!((event.kind.as_str(), event.outcome), ("reviewed", Some(outcome)));
        let detail = event.detail.expect("who decided, about what");
        let conversation = format!("conversation c-{}", claimed.attempt);
        assert!(detail.contains("decided by somebody") && detail.contains(&conversation), "{detail}");
        let again = review(&fixture, 1, decision).expect_err("there is nothing to review");
        assert!(matches!(again, OperatorError::NothingToReview { .. }), "{again}");
    }
}

pub(super) fn an_older_suppression_of_another_source_outlasts_a_review(open: Opener) {
    let (fixture, _) = doubtful(open, &[entry("P-1", 101)], Outcome::Declined);
    fixture.suppress(number(101), None, noon());
    assert_eq!(suppressions(&fixture, 101).len(), 2);
    assert_eq!(review(&fixture, 1, ReviewDecision::MayBeCalled).expect("reviewed"), State::Waiting);
    assert_eq!(suppressions(&fixture, 101), [("operator".to_owned(), false)]);
    assert!(fixture.claim_at(noon() + TimeDelta::days(40)).claimed.is_empty());
    fixture.check_states(&[("P-1", State::Suppressed)]);
}

pub(super) fn no_later_list_lifts_the_bar_or_loses_the_entry(open: Opener) {
    let renumbered = entry("P-1", 107);
    let excluded = NewEntry { eligibility: ListEligibility::Suppressed(Reason::Booked), ..entry("P-1", 101) };
    for (list, after) in [
        (vec![entry("P-1", 101)], State::Waiting),
        (vec![renumbered], State::Waiting),
        (vec![entry("P-2", 102)], State::Withdrawn),
        (vec![excluded], State::Suppressed),
    ] {
        let (mut fixture, _) = doubtful(open, &[entry("P-1", 101)], Outcome::Declined);
        fixture.next_list(&list);
        let row = fixture.row("P-1");
        assert_eq!((row.state, row.reason), (State::Held, Some(Reason::PossibleOptOut)));
        assert!(suppressions(&fixture, 101)[0].1, "the number that was called stays barred");
        assert!(fixture.claim_at(noon() + TimeDelta::days(40)).claimed.iter().all(|call| call.to == number(102)));
        assert_eq!(review(&fixture, 1, ReviewDecision::MayBeCalled).expect("reviewed"), after);
    }
}

pub(super) fn what_a_list_says_of_a_patient_who_is_barred_by_a_doubt_holds_once_the_bar_is_lifted(open: Opener) {
    let booked = NewEntry { eligibility: ListEligibility::Suppressed(Reason::Booked), ..entry("P-2", 101) };
    for (list, after) in [
        (vec![entry("P-1", 101), entry("P-2", 101)], State::Ready),
        (vec![entry("P-1", 101)], State::Withdrawn),
        (vec![entry("P-1", 101), booked], State::Suppressed),
    ] {
        let (mut fixture, _) = doubtful(open, &[entry("P-1", 101)], Outcome::Declined);
        fixture.enrol(&[entry("P-2", 101)]);
        fixture.claim_at(noon() + TimeDelta::days(40));
        assert_eq!(fixture.next_list(&list), 0, "who may not be called anyway is not counted as withdrawn");
        fixture.check_states(&[("P-1", State::Held), ("P-2", State::Suppressed)]);
        review(&fixture, 1, ReviewDecision::MayBeCalled).expect("reviewed");
        assert_eq!(fixture.row("P-2").state, after);
    }
}

pub(super) fn an_exclude_list_during_the_run_counts_for_a_patient_who_is_barred_by_a_doubt(open: Opener) {
    let (fixture, _) = doubtful(open, &[entry("P-1", 101)], Outcome::Declined);
    fixture.enrol(&[entry("P-2", 101)]);
    fixture.claim_at(noon() + TimeDelta::days(40));
    assert!(fixture.exclude("P-2").is_empty());
    review(&fixture, 1, ReviewDecision::MayBeCalled).expect("reviewed");
    let row = fixture.row("P-2");
    assert_eq!((row.state, row.reason), (State::Suppressed, Some(Reason::Excluded)));
}

pub(super) fn an_entry_in_doubt_is_not_cancelled_before_a_person_has_read_it(open: Opener) {
    let (fixture, _) = doubtful(open, &[entry("P-1", 101)], Outcome::Unclassified);
    let cancelled = fixture.operator(noon()).resolve(EntryId(1), Resolution::Cancel, "somebody", noon());
    assert!(matches!(cancelled, Err(OperatorError::InDoubt(_))), "{cancelled:?}");
    let scope = DecisionScope::Run(fixture.run.run);
    let cancelled = fixture.operator(noon()).cancel(&scope, "somebody", noon()).expect("cancelled");
    assert_eq!((cancelled.count(|_| true), cancelled.in_doubt), (0, 1));
    fixture.operator(noon()).undo_cancel(&scope, "somebody", noon()).expect("undone");
    fixture.check_states(&[("P-1", State::Held)]);
}

pub(super) fn a_conversation_read_late_holds_its_entry_whatever_became_of_it(open: Opener) {
    let (again, done) = (Some(noon() + TimeDelta::days(3)), None);
    for (redial, after) in [(again, State::Waiting), (done, State::Finished)] {
        let fixture = Fixture::with(open, &[entry("P-1", 101)]);
        let claimed = fixture.claim().swap_remove(0);
        let late = fixture.late_call_to(101);
        // It is read while the entry's own call is under way.
        let read = in_doubt(&claimed, Outcome::NoAnswer, Doubt::PossiblyDeceased);
        fixture.record(vec![AttemptUpdate { attempt: late.attempt, ..read }]).expect("recorded");
        fixture.check_states(&[("P-1", State::Submitting)]);
        assert!(suppressions(&fixture, 101)[0].1);
        fixture.record(vec![update(&claimed, Fact::Accepted)]).expect("recorded");
        fixture.record(vec![ended(&claimed, Outcome::NoAnswer, redial)]).expect("recorded");
        let row = fixture.row("P-1");
        assert_eq!((row.state, row.reason), (State::Held, Some(Reason::PossiblyDeceased)));
        assert_eq!(review(&fixture, 1, ReviewDecision::MayBeCalled).expect("reviewed"), after);
    }
}

/// A store whose entry's own call, and then an earlier one of another copy, ended in doubt.
fn doubtful_twice(open: Opener) -> (Fixture, ClaimedAttempt, InFlightAttempt) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim().swap_remove(0);
    let late = fixture.late_call_to(101);
    fixture.record(vec![update(&claimed, Fact::Accepted)]).expect("recorded");
    let read = in_doubt(&claimed, Outcome::NoAnswer, Doubt::PossibleOptOut);
    fixture.record(vec![read.clone(), AttemptUpdate { attempt: late.attempt, ..read }]).expect("recorded");
    (fixture, claimed, late)
}

pub(super) fn a_decision_is_about_the_conversations_that_the_person_was_shown(open: Opener) {
    let (fixture, claimed, late) = doubtful_twice(open);
    let rules = redial(&fixture);
    let decide = |shown: &[AttemptId], decision| {
        fixture.operator(noon()).review(EntryId(1), shown, decision, &rules, "somebody", noon())
    };
    let unread = decide(&[], ReviewDecision::MayBeCalled).expect_err("nothing was read");
    assert!(matches!(unread, OperatorError::NotShown(EntryId(1))), "{unread}");
    // The other conversation came into doubt after this one was shown.
    assert_eq!(decide(&[late.attempt], ReviewDecision::OptedOut).expect("reviewed"), State::Held);
    let pending = fixture.reader().pending_reviews(None).expect("reviews");
    assert_eq!(pending.into_iter().map(|review| review.attempt).collect::<Vec<_>>(), [claimed.attempt]);
    assert_eq!(decide(&[claimed.attempt], ReviewDecision::MayBeCalled).expect("reviewed"), State::Finished);
    assert_eq!(fixture.row("P-1").outcome, Some(Outcome::OptOut), "who has opted out in one call is not called again");
}

pub(super) fn a_patient_who_is_barred_by_another_patients_doubt_needs_a_person(open: Opener) {
    let (fixture, _) = doubtful(open, &[entry("P-1", 101)], Outcome::NoAnswer);
    let other = Arc::new(Campaign { name: CampaignName::new("another"), ..Campaign::clone(&fixture.campaign) });
    let run = committed(fixture.ledger().begin_run(Arc::clone(&other), true, noon())).expect("a run");
    committed(fixture.ledger().enrol(run, &[entry("P-2", 101)], noon())).expect("enrolled");
    let now = noon() + TimeDelta::days(40);
    let request = ClaimRequest { run, campaign: other, scope: fixture.scope(), now, limit: 10 };
    assert!(committed(fixture.ledger().claim(request)).expect("a claim").claimed.is_empty());
    let in_need = |fixture: &Fixture| committed(fixture.ledger().counts(run)).expect("counts").0.in_need_of_a_person();
    assert_eq!(in_need(&fixture), 1);
    review(&fixture, 1, ReviewDecision::OptedOut).expect("reviewed");
    assert_eq!(in_need(&fixture), 0);
}

pub(super) fn every_conversation_that_a_person_has_decided_about_is_known_as_reviewed(open: Opener) {
    let (fixture, ..) = doubtful_twice(open);
    review(&fixture, 1, ReviewDecision::MayBeCalled).expect("reviewed");
    let mut reviewed = Vec::new();
    let read = fixture.reader().each_conversation(&fixture.campaign.name, |kept| {
        reviewed.push(kept.is_reviewed);
        Ok::<_, LedgerError>(())
    });
    read.expect("conversations");
    assert_eq!(reviewed, [true, true]);
}

pub(super) fn a_bar_is_lifted_with_the_last_doubt_whichever_came_first(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim().swap_remove(0);
    fixture.record(vec![update(&claimed, Fact::Accepted)]).expect("recorded");
    fixture.enrol(&[entry("P-2", 101)]);
    let late = fixture.late_call_to(101);
    assert_eq!(late.entry, EntryId(2), "the entry that waits for its call");
    let read = in_doubt(&claimed, Outcome::Declined, Doubt::PossibleOptOut);
    fixture.record(vec![read.clone()]).expect("recorded");
    fixture.enrol(&[entry("P-3", 101)]);
    fixture.claim_at(noon() + TimeDelta::days(1));
    let at = noon() + TimeDelta::days(2);
    let read = AttemptUpdate { attempt: late.attempt, entry: late.entry, at, ..read };
    fixture.record(vec![read]).expect("recorded");
    review(&fixture, 1, ReviewDecision::MayBeCalled).expect("reviewed");
    assert_eq!(fixture.row("P-3").state, State::Suppressed, "the other doubt bars the number still");
    review(&fixture, 2, ReviewDecision::MayBeCalled).expect("reviewed");
    assert_eq!(fixture.row("P-3").state, State::Ready);
}

pub(super) fn a_cancelled_entry_that_was_in_doubt_is_called_only_if_its_cancellation_is_taken_back(open: Opener) {
    let scope = |fixture: &Fixture| DecisionScope::Campaign(fixture.campaign.name.clone());
    let undo = |fixture: &Fixture| {
        fixture.operator(noon()).undo_cancel(&scope(fixture), "somebody", noon()).expect("undone");
    };
    let cancelled_and_held = |is_alone: bool| {
        let fixture = Fixture::with(open, &[entry("P-1", 101)]);
        let claimed = fixture.claim().swap_remove(0);
        let late = fixture.late_call_to(101);
        let ended = ended(&claimed, Outcome::NoAnswer, Some(noon() + TimeDelta::days(3)));
        fixture.record(vec![update(&claimed, Fact::Accepted), ended]).expect("recorded");
        let mut operator = fixture.operator(noon());
        if is_alone {
            operator.resolve(EntryId(1), Resolution::Cancel, "somebody", noon()).expect("cancelled");
        } else {
            operator.cancel(&scope(&fixture), "somebody", noon()).expect("cancelled");
        }
        fixture.check_states(&[("P-1", State::Cancelled)]);
        let read = in_doubt(&claimed, Outcome::NoAnswer, Doubt::PossibleOptOut);
        fixture.record(vec![AttemptUpdate { attempt: late.attempt, ..read }]).expect("recorded");
        fixture.check_states(&[("P-1", State::Held)]);
        fixture
    };
    let fixture = cancelled_and_held(false);
    assert_eq!(review(&fixture, 1, ReviewDecision::MayBeCalled).expect("reviewed"), State::Cancelled);
    undo(&fixture);
    fixture.check_states(&[("P-1", State::Waiting)]);

    let fixture = cancelled_and_held(false);
    undo(&fixture);
    assert_eq!(review(&fixture, 1, ReviewDecision::MayBeCalled).expect("reviewed"), State::Waiting);

    let fixture = cancelled_and_held(true);
    assert_eq!(review(&fixture, 1, ReviewDecision::MayBeCalled).expect("reviewed"), State::Finished);
}

pub(super) fn a_stop_rule_counts_what_a_person_decided_about_a_call(open: Opener) {
    let results = |fixture: &Fixture| -> Vec<_> {
        let results = committed(fixture.ledger().call_results(fixture.run.campaign)).expect("results");
        results.into_iter().map(|(_, result)| result).collect()
    };
    let counted = |outcome| vec![CallResult::Ended(outcome)];
    for (decision, outcome) in [
        (ReviewDecision::OptedOut, Outcome::OptOut),
        (ReviewDecision::Deceased, Outcome::DeceasedOrMoved),
        (ReviewDecision::MayBeCalled, Outcome::NoAnswer),
    ] {
        let (fixture, _) = doubtful(open, &[entry("P-1", 101)], Outcome::NoAnswer);
        assert_eq!(results(&fixture), counted(Outcome::OptOut));
        review(&fixture, 1, decision).expect("reviewed");
        assert_eq!(results(&fixture), counted(outcome));
    }
}
