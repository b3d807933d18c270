//! Updates of attempts.

use proptest::prop_assert_eq;
use proptest::test_runner::{Config, TestRunner};

use super::*;

pub(super) fn an_illegal_fact_is_refused_and_leaves_nothing_half_done(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101), entry("P-2", 102)]);
    let claimed = fixture.claim();
    let events = fixture.events_of(1..=2).len();
    let redial = None;
    let record = fixture.record(vec![
        update(&claimed[0], Fact::Accepted),
        update(&claimed[1], Fact::Ended { outcome: Outcome::Booked, redial }),
    ]);
    assert!(matches!(record, Err(LedgerError::Conflict)), "{record:?}");
    fixture.check_states(&[("P-1", State::Submitting), ("P-2", State::Submitting)]);
    assert_eq!(fixture.events_of(1..=2).len(), events);
    assert!(fixture.rows().iter().all(|row| row.conversation.is_none()));
}

pub(super) fn a_conversation_belongs_to_one_attempt(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101), entry("P-2", 102)]);
    let claimed = fixture.claim();
    let same = |of| AttemptUpdate { conversation: Some(ConversationId::new("c")), ..update(of, Fact::Accepted) };
    fixture.record(vec![same(&claimed[0])]).expect("recorded");
    fixture.record(vec![same(&claimed[1])]).expect_err("another attempt has it");
    fixture.check_states(&[("P-1", State::Open), ("P-2", State::Submitting)]);
}

pub(super) fn an_opt_out_suppresses_its_number_at_once_for_everybody_on_it(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![ended(&claimed[0], Outcome::OptOut, None)]).expect("recorded");
    fixture.enrol(&[entry("P-2", 101)]);
    let later = fixture.claim_at(noon() + TimeDelta::days(40));
    assert!(later.claimed.is_empty());
    fixture.check_states(&[("P-1", State::Finished), ("P-2", State::Suppressed)]);
}

pub(super) fn a_job_that_fails_does_not_undo_its_neighbours_in_the_same_commit(open: Opener) {
    let fixture = Fixture::new(open);
    let no_such_entry =
        AuditNote { at: noon(), entry: Some(EntryId(4711)), attempt: None, kind: "x", detail: String::new() };
    // Queued together: on a thread, at least some of them share a commit.
    let jobs: Vec<_> = (0..40_u32)
        .map(|n| {
            let good = fixture.ledger().enrol(fixture.run, &[entry(&format!("P-{n}"), 101)], noon());
            (good, fixture.ledger().note(fixture.run, no_such_entry.clone()))
        })
        .collect();
    for (good, bad) in jobs {
        assert_eq!(committed(good).expect("its neighbour's failure does not matter").new, 1);
        committed(bad).expect_err("there is no such entry");
    }
    assert_eq!((fixture.rows().len(), fixture.events_of([4711]).len()), (40, 0));
}

/// Random facts, one after another: the ledger accepts a fact if both state machines do, ends in their states, and
/// otherwise is unchanged.
pub(super) fn the_ledger_follows_the_state_machines(open: Opener) {
    let config = Config { failure_persistence: None, ..Config::with_cases(64) };
    let facts = proptest::collection::vec(0..Fact::every_shape().len(), 1..12);
    let result = TestRunner::new(config).run(&facts, |facts| {
        let fixture = Fixture::with(open, &[entry("P-1", 101)]);
        let claimed = &fixture.claim()[0];
        let mut model = (State::Submitting, AttemptState::Submitting);
        for fact in facts.into_iter().map(|at| Fact::every_shape().swap_remove(at)) {
            let after = model.0.after(&fact).ok().zip(model.1.after(&fact));
            let recorded = fixture.record(vec![update(claimed, fact)]);
            prop_assert_eq!(recorded.is_ok(), after.is_some());
            model = after.unwrap_or(model);
            prop_assert_eq!((fixture.row("P-1").state, fixture.attempt_states()), (model.0, vec![model.1]));
        }
        Ok(())
    });
    result.unwrap_or_else(|broken| panic!("{broken}"));
}
