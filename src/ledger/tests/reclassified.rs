//! Classifying anew what was said, with newer outcome rules.

use super::*;
use crate::campaign::Redial;
use crate::entry::{Classification, ConversationWords, Doubt, OutcomeSignals, RuleName};
use crate::ledger::{KeptConversation, Reclassification, Reclassified};

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
            changes.push(Reclassification { attempt, was: kept.outcome, taken_for: taken_for.clone() });
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

pub(super) fn an_entry_with_a_later_call_keeps_its_state(open: Opener) {
    let (fixture, claimed) = finished(open, Outcome::Unclassified);
    reclassify(&fixture, &claimed, &taken_for(Outcome::NoAnswer, None));
    let later = noon() + TimeDelta::days(8) - TimeDelta::hours(2);
    assert_eq!(fixture.claim_at(later).claimed.len(), 1);
    let result = reclassify(&fixture, &claimed, &taken_for(Outcome::Declined, Some(Doubt::PossiblyDeceased)));
    assert_eq!((result.changed, fixture.row("P-1").state), (1, State::Submitting));
    assert_eq!(fixture.reader().pending_reviews(None).expect("reviews").len(), 1, "and a person must read it");
}
