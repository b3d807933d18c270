//! Conversations that only a person can judge, and what was said in them.

use super::*;
use crate::campaign::Redial;
use crate::entry::{ConversationWords, Doubt, OutcomeSignals};
use crate::ledger::{PendingReview, ReviewDecision};

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
    fixture.operator(noon()).review(EntryId(entry), decision, &redial(fixture), "somebody", noon())
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
        let call = ObservedCall {
            conversation: ConversationId::new("of-another-copy"),
            from: our_caller_id().from,
            to: number(101),
            started: noon() - TimeDelta::days(2),
        };
        let taken_over = fixture.ledger().take_over_calls(fixture.run, our_caller_id(), vec![call], noon());
        let late = committed(taken_over).expect("taken over").swap_remove(0);
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
