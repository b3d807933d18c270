//! What the front desk has to do, and what of it is done.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::entry::{Doubt, WorkGroup};
use crate::ledger::ReviewDecision;

/// What becomes of an entry: the facts about its call, in order, and an operator's decision at the end.
fn fates() -> Vec<(Vec<Fact>, Option<Resolution>)> {
    let ended = |outcome, redial| Fact::Ended { outcome, redial };
    let lost = || vec![Fact::AnswerLost, Fact::Absent { retry: false }];
    let refused = || vec![Fact::Refused { reason: Reason::VendorRefused }];
    let mut fates = vec![
        (vec![], None),
        (vec![Fact::Accepted], None),
        (vec![Fact::AnswerLost], None),
        (lost(), None),
        (lost(), Some(Resolution::Cancel)),
        (lost(), Some(Resolution::NotPlaced)),
        (refused(), None),
        (refused(), Some(Resolution::Cancel)),
        (vec![Fact::NotPlaced { retry_at: noon(), reason: Reason::NotConnected }], None),
        (vec![Fact::Accepted, Fact::TrackLost], None),
        (vec![Fact::Accepted, ended(Outcome::NoAnswer, Some(noon()))], None),
    ];
    fates.extend(Outcome::ALL.iter().map(|outcome| (vec![Fact::Accepted, ended(*outcome, None)], None)));
    fates
}

/// The items of the fixture's ledger by entry, each entry once.
fn items(fixture: &Fixture) -> BTreeMap<EntryId, WorkItem> {
    let (mut found, mut rows) = (BTreeMap::new(), 0);
    let read = fixture.reader().each_work_item(None, |item| {
        rows += 1;
        found.insert(item.entry, item);
        Ok::<_, LedgerError>(())
    });
    read.expect("read");
    assert_eq!(found.len(), rows, "an entry has two items");
    found
}

fn front_desk(fixture: &Fixture) -> u64 {
    fixture.reader().run(Some(fixture.run.run)).expect("a run").front_desk
}

pub(super) fn every_finished_or_stuck_entry_is_in_one_group_and_the_groups_add_up(open: Opener) {
    let config = Config { failure_persistence: None, cases: 60, ..Config::default() };
    let strategy = proptest::collection::vec((0..fates().len(), 0..3_u8), 1..12);
    let result = TestRunner::new(config).run(&strategy, |plans| {
        let entries: Vec<_> = (0_u32..).zip(&plans).map(|(at, _)| entry(&format!("P-{at}"), 200 + at)).collect();
        let fixture = Fixture::with(open, &entries);
        let claimed = fixture.claim_for(fixture.run, noon(), 20).claimed;
        for (claim, (fate, _)) in claimed.iter().zip(&plans) {
            let (facts, decision) = fates().swap_remove(*fate);
            for fact in facts {
                fixture.record(vec![update(claim, fact)]).expect("recorded");
            }
            if let Some(decision) = decision {
                fixture.operator(noon()).resolve(claim.entry, decision, "somebody", noon()).expect("resolved");
            }
        }
        let mut operator = fixture.operator(noon());
        let mut ticked = BTreeSet::new();
        for (claim, (_, ticks)) in claimed.iter().zip(&plans) {
            for _ in 0..*ticks {
                if operator.tick(claim.entry, "ana", None, noon()).is_ok() {
                    ticked.insert(claim.entry);
                }
            }
        }
        let rows = fixture.rows();
        let found = items(&fixture);
        let group = |row: &EntryRow| WorkGroup::of(row.state, row.outcome, row.reason).map(|group| (row.entry, group));
        let expected: BTreeMap<_, _> = rows.iter().filter_map(group).collect();
        let seen: BTreeMap<_, _> = found.iter().map(|(entry, item)| (*entry, item.group)).collect();
        prop_assert_eq!(&seen, &expected);
        let is_going_on = |row: &&EntryRow| {
            let calling = [State::Submitting, State::Open, State::Unknown];
            row.state.is_callable() || calling.contains(&row.state)
        };
        prop_assert_eq!(seen.len() + rows.iter().filter(is_going_on).count(), entries.len());
        let open_items = expected.iter().filter(|(entry, group)| group.is_work() && !ticked.contains(entry)).count();
        prop_assert_eq!(found.values().filter(|item| item.is_open()).count(), open_items);
        prop_assert_eq!(front_desk(&fixture), open_items as u64);
        Ok(())
    });
    result.unwrap_or_else(|broken| panic!("{broken}"));
}

/// An entry that was called once and wants a call back.
fn with_callback(open: Opener) -> (Fixture, EntryId) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![ended(&claimed[0], Outcome::CallbackRequested, None)]).expect("recorded");
    (fixture, claimed[0].entry)
}

pub(super) fn the_second_to_tick_an_item_off_is_told_who_did_and_nothing_is_lost(open: Opener) {
    let (fixture, entry) = with_callback(open);
    let (mut ana, mut bo) = (fixture.operator(noon()), fixture.operator(noon()));
    assert_eq!(front_desk(&fixture), 1);
    let first = ana.tick(entry, "ana", Some("reached her"), noon()).expect("ticked");
    assert!(first.first.is_none() && first.group == WorkGroup::CallBack);
    let later = noon() + TimeDelta::minutes(1);
    let second = bo.tick(entry, "bo", Some("no answer"), later).expect("ticked");
    assert_eq!(second.first.map(|tick| (tick.by, tick.at)), Some(("ana".into(), noon())));
    let notes: Vec<_> = items(&fixture)[&entry].ticks.iter().filter_map(|tick| tick.note.clone()).collect();
    assert_eq!((notes, front_desk(&fixture)), (vec!["reached her".into(), "no answer".into()], 0));

    let undone = bo.untick(entry, "bo", later).expect("opened");
    assert_eq!((undone.len(), front_desk(&fixture)), (2, 1));
    assert!(bo.untick(entry, "bo", later).expect("nothing to open").is_empty());
    let kinds: Vec<_> = fixture.events_of([entry.0]).into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds[kinds.len() - 3..], ["worklist_done", "worklist_done", "worklist_undone"]);
    let third = ana.tick(entry, "ana", None, later).expect("ticked");
    assert!(third.first.is_none() && front_desk(&fixture) == 0);
}

pub(super) fn what_a_call_brought_is_to_be_done_also_for_an_entry_that_is_not_called_again(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted), update(&claimed[0], Fact::TrackLost)]).expect("recorded");
    let mut operator = fixture.operator(noon());
    operator.resolve(claimed[0].entry, Resolution::Cancel, "ana", noon()).expect("cancelled");
    assert_eq!(items(&fixture)[&claimed[0].entry].group, WorkGroup::NothingToDo);
    fixture.record(vec![ended(&claimed[0], Outcome::Booked, None)]).expect("read late");
    fixture.check_states(&[("P-1", State::Cancelled)]);
    assert_eq!((items(&fixture)[&claimed[0].entry].group, front_desk(&fixture)), (WorkGroup::EnterBooking, 1));
    operator.tick(claimed[0].entry, "ana", None, noon()).expect("ticked");
    assert_eq!(front_desk(&fixture), 0);
}

pub(super) fn an_earlier_run_shows_what_was_to_be_done_and_ticked_off_at_its_end(open: Opener) {
    let (mut fixture, entry_id) = with_callback(open);
    let first = fixture.run.run;
    let hour = |hours| noon() + TimeDelta::hours(hours);
    let other = fixture.enrol(&[entry("P-2", 102)]);
    assert_eq!(other.new, 1);
    let claimed = fixture.claim_at(hour(1)).claimed;
    let doubt = Fact::EndedInDoubt { outcome: Outcome::Declined, doubt: Doubt::PossibleOptOut };
    let facts = [Fact::Accepted, doubt].map(|fact| AttemptUpdate { at: hour(1), ..update(&claimed[0], fact) });
    fixture.record(facts.into()).expect("recorded");
    let redial = fixture.campaign.redial.clone();
    fixture.review(EntryId(2), ReviewDecision::OptedOut, &redial, hour(1)).expect("reviewed");
    let mut operator = fixture.operator(hour(1));
    operator.tick(entry_id, "ana", None, hour(1)).expect("ticked");
    operator.tick(EntryId(2), "ana", None, hour(4)).expect("ticked after the next run began");
    let campaign = Arc::clone(&fixture.campaign);
    fixture.run = committed(fixture.ledger().begin_run(campaign, true, hour(3))).expect("a run");
    let reader = fixture.reader();
    let report = reader.run(Some(first)).expect("a run");
    assert_eq!(report.front_desk, 1, "of the two, one was ticked off at the run's end");
    assert_eq!(reader.run(None).expect("a run").front_desk, 0);
    let outcomes: BTreeSet<_> = report.counts.0.iter().filter_map(|group| group.outcome).collect();
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), [Outcome::CallbackRequested, Outcome::OptOut]);
    let mut patients = BTreeMap::new();
    let past = RunHandle { run: first, ..fixture.run };
    let read = reader.each_patient(past, hour(5), |row| {
        patients.insert(row.entry, row.outcome);
        Ok::<_, LedgerError>(())
    });
    read.expect("read");
    let expected = [(entry_id, Some(Outcome::CallbackRequested)), (EntryId(2), Some(Outcome::OptOut))];
    assert_eq!(patients, expected.into());
}

pub(super) fn what_is_done_about_an_earlier_call_is_open_again_after_a_further_one(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let refuse = |fixture: &Fixture, at| {
        let claimed = fixture.claim_at(at).claimed;
        let fact = Fact::Refused { reason: Reason::VendorRefused };
        fixture.record(vec![update(&claimed[0], fact)]).expect("recorded");
        claimed[0].entry
    };
    let entry = refuse(&fixture, noon());
    let mut operator = fixture.operator(noon());
    operator.tick(entry, "ana", None, noon()).expect("ticked");
    assert_eq!(front_desk(&fixture), 0);
    operator.resolve(entry, Resolution::NotPlaced, "ana", noon()).expect("brought back");
    let refused = operator.tick(entry, "ana", None, noon());
    assert!(matches!(refused, Err(OperatorError::StillCalled { state: State::Ready, .. })), "not on the worklist");
    refuse(&fixture, noon() + TimeDelta::hours(1));
    assert_eq!((front_desk(&fixture), items(&fixture)[&entry].ticks.len()), (1, 0));
}
