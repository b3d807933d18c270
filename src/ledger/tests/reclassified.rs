//! Classifying anew what was said, with newer outcome rules.

use super::*;
use crate::campaign::Redial;
use crate::entry::{Classification, ConversationWords, Doubt, OutcomeSignals, RuleName};
use crate::ledger::{KeptConversation, Reclassification, Reclassified, ReviewDecision};

fn words() -> ConversationWords {
    ConversationWords::bounded(&OutcomeSignals { tags: vec!["x".into()], ..OutcomeSignals::default() })
}

/// A store whose only call ended with this outcome, and its entry is finished.
fn finished(open: Opener, outcome: Outcome) -> (Fixture, ClaimedAttempt) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim().swap_remove(0);
    let over = AttemptUpdate { words: Some(words()), ..ended(&claimed, outcome, None) };
    fixture.record(vec![update(&claimed, Fact::Accepted)]).expect("recorded");
    fixture.record(vec![over]).expect("recorded");
    (fixture, claimed)
}

fn taken_for(outcome: Outcome, doubt: Option<Doubt>) -> Classification {
    Classification { outcome, doubt, rule: Some(RuleName::numbered(1)), ..Classification::UNCLASSIFIED }
}

/// Gives the call another outcome, if newer rules may do that.
fn reclassify(fixture: &Fixture, of: &ClaimedAttempt, taken_for: &Classification) -> Reclassified {
    let rules = Redial { after: vec![Outcome::NoAnswer], ..fixture.campaign.redial.clone() };
    let attempt = of.attempt;
    let mut changes = Vec::new();
    let name = &fixture.campaign.name;
    let read = fixture.reader().each_conversation(name, |kept| {
        if kept.attempt == attempt && kept.may_become(taken_for) {
            let (was, doubt) = (kept.outcome, kept.doubt);
            changes.push(Reclassification { attempt, was, doubt, taken_for: taken_for.clone() });
        }
        Ok::<_, LedgerError>(())
    });
    read.expect("conversations");
    fixture.operator(noon()).reclassify(&changes, &rules, "somebody", noon()).expect("reclassified")
}

pub(super) fn an_entry_moves_as_its_new_outcome_demands_and_no_further(open: Opener) {
    let none = Reclassified::default();
    let changed = Reclassified { changed: 1, ..none };
    for (outcome, doubt, state, expected) in [
        (Outcome::Booked, None, State::Finished, changed),
        (Outcome::NoAnswer, None, State::Waiting, Reclassified { to_call_again: 1, ..changed }),
        (Outcome::OptOut, None, State::Finished, Reclassified { suppressed: 1, ..changed }),
        (Outcome::Declined, Some(Doubt::PossibleOptOut), State::Held, Reclassified { held: 1, ..changed }),
        (Outcome::Unclassified, None, State::Finished, none),
    ] {
        let (fixture, claimed) = finished(open, Outcome::Unclassified);
        let result = reclassify(&fixture, &claimed, &taken_for(outcome, doubt));
        assert_eq!((result, fixture.row("P-1").state), (expected, state), "{outcome}");
        let is_barred = committed(fixture.ledger().forbids(number(101), fixture.campaign.purpose, noon()));
        assert_eq!(is_barred.expect("asked"), outcome == Outcome::OptOut || doubt.is_some(), "{outcome}");
        let kinds: Vec<_> = fixture.events_of([1]).into_iter().map(|event| event.kind).collect();
        assert_eq!(kinds.contains(&"reclassified".to_owned()), expected.changed > 0, "{kinds:?}");
    }
}

pub(super) fn only_a_person_takes_an_opt_out_or_a_doubt_back(open: Opener) {
    let (fixture, claimed) = finished(open, Outcome::OptOut);
    assert_eq!(reclassify(&fixture, &claimed, &taken_for(Outcome::Booked, None)), Reclassified::default());

    let (fixture, claimed) = finished(open, Outcome::Unclassified);
    reclassify(&fixture, &claimed, &taken_for(Outcome::Declined, Some(Doubt::PossibleOptOut)));
    assert_eq!(reclassify(&fixture, &claimed, &taken_for(Outcome::Booked, None)), Reclassified::default());
    fixture.check_states(&[("P-1", State::Held)]);
    // What was in doubt may become certain.
    let certain = reclassify(&fixture, &claimed, &taken_for(Outcome::OptOut, None));
    assert_eq!(certain, Reclassified { changed: 1, suppressed: 1, ..Reclassified::default() });
    fixture.check_states(&[("P-1", State::Finished)]);
    assert!(fixture.reader().pending_reviews(None).expect("reviews").is_empty());

    let whole = KeptConversation {
        attempt: claimed.attempt,
        outcome: Outcome::Unclassified,
        doubt: None,
        is_reviewed: false,
        words: words(),
    };
    let cut = ConversationWords { is_whole: false, ..words() };
    for (kept, may_change) in [
        (whole.clone(), true),
        (KeptConversation { is_reviewed: true, ..whole.clone() }, false),
        (KeptConversation { words: cut, ..whole }, false),
    ] {
        assert_eq!(kept.may_become(&taken_for(Outcome::Booked, None)), may_change, "{kept:?}");
    }
}

pub(super) fn an_entry_that_a_newer_list_has_had_since_is_not_called_again(open: Opener) {
    let (mut fixture, claimed) = finished(open, Outcome::Unclassified);
    // A list says nothing of a finished entry: this one may forbid its call.
    fixture.next_list(&[entry("P-1", 101)]);
    let result = reclassify(&fixture, &claimed, &taken_for(Outcome::NoAnswer, None));
    assert_eq!(result, Reclassified { changed: 1, not_called_again: 1, ..Reclassified::default() });
    fixture.check_states(&[("P-1", State::Finished)]);
}

pub(super) fn an_entry_that_has_left_the_list_or_is_excluded_since_is_not_called_again(open: Opener) {
    let expected = Reclassified { changed: 1, not_called_again: 1, ..Reclassified::default() };
    let leave: fn(&mut Fixture) = |fixture| assert_eq!(fixture.next_list(&[]), 0);
    let exclude: fn(&mut Fixture) = |fixture| assert!(fixture.exclude("P-1").is_empty());
    for since in [leave, exclude] {
        let (mut fixture, claimed) = finished(open, Outcome::Unclassified);
        since(&mut fixture);
        assert_eq!(reclassify(&fixture, &claimed, &taken_for(Outcome::NoAnswer, None)), expected);
        fixture.check_states(&[("P-1", State::Finished)]);
    }
}

pub(super) fn a_run_whose_list_was_not_enrolled_to_its_end_says_nothing_of_an_entry(open: Opener) {
    let (mut fixture, claimed) = finished(open, Outcome::Unclassified);
    let campaign = Arc::clone(&fixture.campaign);
    fixture.run = committed(fixture.ledger().begin_run(campaign, true, noon())).expect("a run");
    let result = reclassify(&fixture, &claimed, &taken_for(Outcome::NoAnswer, None));
    assert_eq!(result, Reclassified { changed: 1, to_call_again: 1, ..Reclassified::default() });
}

/// A store whose entry was called twice: this run's call ended so, and then an earlier one, read late, unclassified.
fn called_twice(open: Opener, first: Fact) -> (Fixture, ClaimedAttempt, ClaimedAttempt) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim().swap_remove(0);
    let late = ClaimedAttempt { attempt: fixture.late_call_to(101).attempt, ..claimed.clone() };
    let said = |of, fact| AttemptUpdate { words: Some(words()), ..update(of, fact) };
    let unclassified = Fact::Ended { outcome: Outcome::Unclassified, redial: None };
    fixture.record(vec![update(&claimed, Fact::Accepted), said(&claimed, first)]).expect("recorded");
    fixture.record(vec![said(&late, unclassified)]).expect("recorded");
    (fixture, claimed, late)
}

fn review(fixture: &Fixture, decision: ReviewDecision) -> State {
    fixture.review(EntryId(1), decision, &fixture.campaign.redial, noon()).expect("reviewed")
}

pub(super) fn an_opt_out_or_a_persons_decision_about_any_call_of_the_entry_is_final(open: Opener) {
    let doubt = Fact::EndedInDoubt { outcome: Outcome::NoAnswer, doubt: Doubt::PossiblyDeceased };
    for (first, decision, outcome) in [
        (Fact::Ended { outcome: Outcome::OptOut, redial: None }, None, Outcome::OptOut),
        (doubt.clone(), Some(ReviewDecision::Deceased), Outcome::DeceasedOrMoved),
        (doubt, Some(ReviewDecision::OptedOut), Outcome::OptOut),
    ] {
        let (fixture, _, late) = called_twice(open, first);
        if let Some(decision) = decision {
            assert_eq!(review(&fixture, decision), State::Finished);
        }
        let result = reclassify(&fixture, &late, &taken_for(Outcome::NoAnswer, None));
        assert_eq!(result, Reclassified { changed: 1, ..Reclassified::default() });
        let row = fixture.row("P-1");
        assert_eq!((row.state, row.outcome), (State::Finished, Some(outcome)));
    }
}

pub(super) fn an_earlier_call_that_turns_out_to_be_an_opt_out_settles_the_entry_that_it_held(open: Opener) {
    let doubt = Fact::EndedInDoubt { outcome: Outcome::NoAnswer, doubt: Doubt::PossibleOptOut };
    let (fixture, claimed, _) = called_twice(open, doubt);
    fixture.check_states(&[("P-1", State::Held)]);
    let certain = reclassify(&fixture, &claimed, &taken_for(Outcome::OptOut, None));
    assert_eq!(certain, Reclassified { changed: 1, suppressed: 1, ..Reclassified::default() });
    fixture.check_states(&[("P-1", State::Finished)]);
}

pub(super) fn a_conversation_that_has_changed_since_it_was_shown_is_left_as_it_is(open: Opener) {
    let (fixture, claimed) = finished(open, Outcome::Declined);
    let shown = |doubt| {
        let (attempt, was) = (claimed.attempt, Outcome::Declined);
        vec![Reclassification { attempt, was, doubt, taken_for: taken_for(Outcome::Booked, None) }]
    };
    let apply = |shown: &[Reclassification]| {
        fixture.operator(noon()).reclassify(shown, &fixture.campaign.redial, "somebody", noon()).expect("applied")
    };
    let overtaken = Reclassified { overtaken: 1, ..Reclassified::default() };
    reclassify(&fixture, &claimed, &taken_for(Outcome::Declined, Some(Doubt::PossiblyDeceased)));
    assert_eq!(apply(&shown(None)), overtaken, "it is in doubt now");
    review(&fixture, ReviewDecision::MayBeCalled);
    assert_eq!(apply(&shown(None)), overtaken, "a person has decided");
    assert_eq!(fixture.row("P-1").outcome, Some(Outcome::Declined));
}

pub(super) fn an_entry_with_a_later_call_keeps_its_state(open: Opener) {
    let (fixture, claimed) = finished(open, Outcome::Unclassified);
    reclassify(&fixture, &claimed, &taken_for(Outcome::NoAnswer, None));
    let later = noon() + TimeDelta::days(8) - TimeDelta::hours(2);
    assert_eq!(fixture.claim_at(later).claimed.len(), 1);
    let result = reclassify(&fixture, &claimed, &taken_for(Outcome::Declined, Some(Doubt::PossiblyDeceased)));
    assert_eq!((result.changed, fixture.row("P-1").state), (1, State::Submitting));
    assert_eq!(fixture.reader().pending_reviews(None).expect("reviews").len(), 1, "and a person must read it");
}
