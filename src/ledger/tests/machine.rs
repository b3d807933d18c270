//! The ledger compared with a model (`faults.md`, row 6): random sequences of every operation of runs, lists and
//! operators; after each one, all entries and attempts have the states that the model computes.
//!
//! `CALLROUNDS_CASES=100000 cargo test --release --lib machine:: -- --nocapture` runs more of them.

mod coverage;
mod operation;

use std::cell::RefCell;
use std::io::Write as _;

use proptest::test_runner::{Config, TestRunner};

use self::coverage::Coverage;
use self::operation::{Operation, operation};
use super::*;
use crate::entry::Doubt;
use crate::ledger::ReviewDecision;
use crate::policy::Hours;

/// The number of sequences for each store in an ordinary test run.
const DEFAULT_CASES: u32 = 500;

/// The entries' keys and the last digits of their numbers: two share one.
const ENTRIES: [(&str, u32); 4] = [("P-0", 101), ("P-1", 102), ("P-2", 103), ("P-3", 103)];

/// Everything that can become known about an attempt.
fn facts(now: DateTime<Utc>) -> Vec<Fact> {
    let reason = Reason::RateLimited;
    vec![
        Fact::Accepted,
        Fact::NotPlaced { retry_at: now, reason },
        Fact::Refused { reason },
        Fact::AnswerLost,
        Fact::Ended { outcome: Outcome::Booked, redial: None },
        Fact::Ended { outcome: Outcome::OptOut, redial: None },
        Fact::Ended { outcome: Outcome::Busy, redial: Some(now + TimeDelta::hours(72)) },
        Fact::EndedInDoubt { outcome: Outcome::Busy, doubt: Doubt::PossibleOptOut },
        Fact::EndedInDoubt { outcome: Outcome::Busy, doubt: Doubt::PossiblyDeceased },
        Fact::TrackLost,
        Fact::Adopted,
        Fact::Absent { retry: false },
        Fact::Absent { retry: true },
        Fact::DeclaredNotPlaced,
    ]
}

/// An entry in the model.
#[derive(Debug)]
struct ModelEntry {
    state: State,
    /// On the newest run's list.
    listed: bool,
    /// Removed from the list while not settled: withdrawn as soon as it could be called again.
    withdraw_later: bool,
    /// Held because a conversation of it is in doubt.
    held_for_review: bool,
    cancelled: Cancelled,
}

/// Whether an entry was cancelled with its run or campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cancelled {
    No,
    /// As soon as it could be called.
    Pending,
    /// It was in this state before.
    From(State),
}

/// An attempt in the model.
#[derive(Debug)]
struct Call {
    claim: ClaimedAttempt,
    index: usize,
    state: AttemptState,
    /// A person has to read what was said.
    in_doubt: bool,
}

impl Call {
    fn may_have_been_placed(&self) -> bool {
        self.state.may_have_been_placed()
    }

    fn is_in_flight(&self) -> bool {
        matches!(self.state, AttemptState::Submitting | AttemptState::Open | AttemptState::Unknown)
    }
}

/// The ledger and the model.
struct ModelTest {
    fixture: Fixture,
    now: DateTime<Utc>,
    entries: Vec<ModelEntry>,
    calls: Vec<Call>,
    suppressed: Vec<u32>,
    /// The entries that were suppressed with their number, which may be free again.
    barred: [bool; ENTRIES.len()],
    /// Sees only what is committed.
    reader: LedgerReader,
}

impl ModelTest {
    fn new(open: Opener) -> Self {
        let fixture = Fixture::with(open, &ENTRIES.map(|(key, last)| entry(key, last)));
        let entry = || ModelEntry {
            state: State::Ready,
            listed: true,
            withdraw_later: false,
            held_for_review: false,
            cancelled: Cancelled::No,
        };
        let entries = ENTRIES.iter().map(|_| entry()).collect();
        let reader = fixture.reader();
        Self {
            fixture,
            now: noon(),
            entries,
            calls: Vec::new(),
            suppressed: Vec::new(),
            barred: [false; ENTRIES.len()],
            reader,
        }
    }

    /// The call to one of the two entries with the same number ends in doubt, and a claim bars the other one, which random
    /// operations seldom bring about.
    fn bar_by_a_doubt(&mut self) {
        self.claim(4);
        self.record(2, Fact::Accepted);
        self.record(2, Fact::EndedInDoubt { outcome: Outcome::Busy, doubt: Doubt::PossibleOptOut });
        self.now += TimeDelta::hours(99);
        self.claim(4);
        assert!(self.barred[3]);
    }

    fn apply(&mut self, operation: &Operation) {
        match *operation {
            Operation::Wait(hours) => self.now += TimeDelta::hours(hours.into()),
            Operation::Claim(limit) => self.claim(limit),
            Operation::RecordAny { index, fact } => self.record(index, facts(self.now).swap_remove(fact)),
            Operation::RecordPossible { call, fact } => self.record_possible(call, fact),
            Operation::List(on_it) => self.list(on_it),
            Operation::Suppress(index) => self.suppress(ENTRIES[index].1),
            Operation::Resolve { index, choice } => self.resolve(index, choice),
            Operation::Review { index, choice } => self.review(index, choice),
            Operation::ReviewPossible { entry, choice } => {
                let in_doubt: Vec<_> = (0..ENTRIES.len()).filter(|index| self.is_in_doubt(*index)).collect();
                if !in_doubt.is_empty() {
                    self.review(in_doubt[entry % in_doubt.len()], choice);
                }
            }
            Operation::Cancel { whole } => self.cancel(whole),
            Operation::UndoCancel => self.undo_cancel(),
            Operation::Reopen => self.reopen(),
        }
    }

    fn claim(&mut self, limit: u8) {
        let must_be_called = self.must_be_called();
        let claims = self.fixture.claim_for(self.fixture.run, self.now, limit.into());
        for deferral in &claims.deferred {
            let index = deferral.entry.0 as usize - 1;
            self.check_deferred(index, deferral);
            self.entries[index].state = deferral.state;
            self.barred[index] = deferral.reason == Reason::Suppressed;
        }
        for claim in claims.claimed {
            let index = claim.entry.0 as usize - 1;
            self.check_claimed(index, &claim);
            self.entries[index].state = State::Submitting;
            self.calls.push(Call { claim, index, state: AttemptState::Submitting, in_doubt: false });
        }
        let full = self.calls.iter().filter(|call| call.claim.intent_at == self.now).count() >= limit.into();
        for index in must_be_called.into_iter().filter(|_| !full) {
            let shares = |call: &Call| ENTRIES[call.index].1 == ENTRIES[index].1;
            assert!(self.calls.iter().any(shares), "{} was not claimed", ENTRIES[index].0);
        }
    }

    /// The entries that a claim now must call unless its limit is reached: no call to their number yet, and no rule
    /// against one.
    fn must_be_called(&self) -> Vec<usize> {
        let open = |last| {
            let zones = &entry("", last).zones;
            Hours::for_entry(&self.fixture.campaign.calling, &self.fixture.campaign.practice.zone, number(last), zones)
                .next_open(self.now)
                == Some(self.now)
        };
        let free = |&index: &usize| {
            let last = ENTRIES[index].1;
            let fresh = !self.calls.iter().any(|call| ENTRIES[call.index].1 == last);
            self.entries[index].state == State::Ready && fresh && !self.is_barred(last) && open(last)
        };
        (0..ENTRIES.len()).filter(free).collect()
    }

    /// Each attempt is claimed once, its number is neither in a call nor suppressed, and no cap is exceeded.
    fn check_claimed(&self, index: usize, claim: &ClaimedAttempt) {
        let (key, last) = ENTRIES[index];
        assert!(matches!(self.entries[index].state, State::Ready | State::Waiting), "{key} was not due");
        assert!(!self.is_barred(last), "{key}: suppressed, and claimed");
        assert!(self.calls.iter().all(|call| call.claim.attempt != claim.attempt), "{key}: claimed twice");
        let to_the_number: Vec<_> = self.calls.iter().filter(|call| ENTRIES[call.index].1 == last).collect();
        assert!(!to_the_number.iter().any(|call| call.is_in_flight()), "{key}: its number is being called");
        for (days, most) in [(1, 1), (7, 3), (30, 6)] {
            let recent =
                |call: &&&Call| call.may_have_been_placed() && call.claim.intent_at > self.now - TimeDelta::days(days);
            let calls = to_the_number.iter().filter(recent).count();
            assert!(calls < most, "{key}: {calls} calls in {days} days already");
        }
    }

    /// Whether a number is suppressed, or a conversation with it is in doubt.
    fn is_barred(&self, last: u32) -> bool {
        let in_doubt = |call: &Call| call.in_doubt && ENTRIES[call.index].1 == last;
        self.suppressed.contains(&last) || self.calls.iter().any(in_doubt)
    }

    fn is_in_doubt(&self, index: usize) -> bool {
        self.calls.iter().any(|call| call.index == index && call.in_doubt)
    }

    fn check_deferred(&self, index: usize, deferral: &Deferral) {
        let (key, last) = ENTRIES[index];
        assert!(matches!(self.entries[index].state, State::Ready | State::Waiting), "{key} was not due");
        let suppressed = self.is_barred(last);
        let attempts = self.calls.iter().filter(|call| call.index == index && call.may_have_been_placed()).count();
        let used_up = attempts >= self.fixture.campaign.redial.max_attempts as usize;
        let waits = deferral.state == State::Waiting && deferral.until > Some(self.now) && !suppressed;
        let is_barred = deferral.state == State::Suppressed && (suppressed || used_up);
        assert!(waits || is_barred, "{key}: {deferral:?}");
    }

    fn record(&mut self, index: usize, fact: Fact) {
        let Some(call) = self.calls.iter_mut().rev().find(|call| call.index == index) else { return };
        let state = self.entries[index].state;
        // The outcome of a call that was lost track of counts even if its entry has moved on; a waiting entry may be
        // settled.
        let is_late = call.state == AttemptState::LostTrack && state != State::LostTrack;
        let doubt = matches!(fact, Fact::EndedInDoubt { .. });
        let is_ending = matches!(fact, Fact::Ended { .. } | Fact::EndedInDoubt { .. });
        let settles = matches!(fact, Fact::Ended { redial: None, .. } | Fact::EndedInDoubt { .. })
            && matches!(state, State::Ready | State::Waiting);
        let entry = if is_late && is_ending && !settles { Some(state) } else { state.after(&fact).ok() };
        let after = entry.zip(call.state.after(&fact));
        let opt_out = matches!(fact, Fact::Ended { outcome: Outcome::OptOut, .. });
        let recorded = self.fixture.record(vec![AttemptUpdate { at: self.now, ..update(&call.claim, fact) }]);
        assert_eq!(recorded.is_ok(), after.is_some(), "{recorded:?}, {after:?}");
        let Some((entry, attempt)) = after else { return };
        call.state = attempt;
        call.in_doubt |= doubt;
        self.set_state(index, entry);
        if opt_out {
            self.suppressed.push(ENTRIES[index].1);
        }
    }

    fn record_possible(&mut self, call: usize, fact: usize) {
        let under_way: Vec<_> = self.calls.iter().filter(|call| call.is_in_flight()).collect();
        if under_way.is_empty() {
            return;
        }
        let call = under_way[call % under_way.len()];
        let mut possible = facts(self.now);
        possible.retain(|fact| call.state.after(fact).is_some());
        self.record(call.index, possible.swap_remove(fact % possible.len()));
    }

    /// Sets an entry's state; cancels it instead if it was cancelled and could be called again, and withdraws it if it
    /// became callable after a list removed it.
    fn set_state(&mut self, index: usize, state: State) {
        let must_be_held = self.is_in_doubt(index)
            && !matches!(state, State::Submitting | State::Open | State::Unknown | State::LostTrack | State::Held);
        let is_in_doubt = self.is_in_doubt(index);
        let is_ended_in_doubt = is_in_doubt && self.entries[index].state != State::Held;
        let entry = &mut self.entries[index];
        let is_back = entry.state == State::Cancelled && state != State::Cancelled && entry.cancelled != Cancelled::No;
        let state = if must_be_held { State::Held } else { state };
        entry.held_for_review = state == State::Held && (must_be_held || entry.held_for_review || is_ended_in_doubt);
        if is_back {
            entry.cancelled = Cancelled::Pending;
        }
        let is_ended = !is_in_doubt && matches!(state, State::Ready | State::Waiting | State::Held);
        if entry.cancelled == Cancelled::Pending && is_ended {
            (entry.cancelled, entry.state) = (Cancelled::From(state), State::Cancelled);
            return;
        }
        let callable = matches!(state, State::Ready | State::Waiting);
        entry.state = if callable && entry.withdraw_later { State::Withdrawn } else { state };
        entry.withdraw_later &= !callable;
    }

    fn list(&mut self, on_it: [bool; 4]) {
        let entries: Vec<_> =
            ENTRIES.iter().zip(on_it).filter(|(_, listed)| *listed).map(|((key, last), _)| entry(key, *last)).collect();
        self.fixture.next_list(&entries);
        for ((entry, listed), barred) in self.entries.iter_mut().zip(on_it).zip(self.barred) {
            entry.listed = listed;
            let unsettled = match entry.state {
                State::Submitting
                | State::Open
                | State::Unknown
                | State::LostTrack
                | State::Held
                | State::Cancelled
                | State::Failed => true,
                State::Suppressed => barred,
                State::Ready | State::Waiting | State::Finished | State::Withdrawn | State::Expired => false,
            };
            entry.withdraw_later = if listed { false } else { entry.withdraw_later || unsettled };
        }
        for (index, listed) in on_it.into_iter().enumerate() {
            match (self.entries[index].state, listed) {
                (State::Withdrawn, true) => self.set_state(index, State::Ready),
                (State::Ready | State::Waiting, false) => self.entries[index].state = State::Withdrawn,
                _ => {}
            }
        }
    }

    fn suppress(&mut self, last: u32) {
        self.fixture.suppress(number(last), None, self.now);
        self.suppressed.push(last);
    }

    fn resolve(&mut self, index: usize, choice: usize) {
        let call = self.calls.iter().rev().find(|call| call.index == index);
        let by_hand = ConversationId::new(format!("by-hand-{}", call.as_ref().map_or(0, |call| call.claim.attempt.0)));
        let (resolution, fact) = vec![
            (Resolution::Placed { conversation: by_hand, started: None }, Fact::Adopted),
            (Resolution::NotPlaced, Fact::DeclaredNotPlaced),
            (Resolution::Cancel, Fact::CancelledByOperator),
        ]
        .swap_remove(choice);
        let state = self.entries[index].state;
        let is_back = state == State::Failed && fact == Fact::DeclaredNotPlaced;
        let decidable = fact == Fact::CancelledByOperator || state == State::Held || is_back;
        let is_reviews = self.entries[index].held_for_review && fact != Fact::CancelledByOperator;
        let is_refused = is_reviews || (self.is_in_doubt(index) && fact == Fact::CancelledByOperator);
        let after = state.after(&fact).ok().filter(|_| decidable && !is_refused);
        let mut operator = self.fixture.operator(self.now);
        let resolved = operator.resolve(EntryId(index as i64 + 1), resolution, "somebody", self.now);
        assert_eq!(resolved.is_ok(), after.is_some(), "{resolved:?}");
        let Some(after) = after else { return };
        let call = self.calls.iter_mut().rev().find(|call| call.index == index);
        if let Some((call, after)) = call.and_then(|call| call.state.after(&fact).map(|after| (call, after))) {
            call.state = after;
        }
        self.set_state(index, after);
    }

    fn review(&mut self, index: usize, choice: usize) {
        let decision = [ReviewDecision::OptedOut, ReviewDecision::Deceased, ReviewDecision::MayBeCalled][choice];
        let is_in_doubt = self.is_in_doubt(index);
        let rules = &self.fixture.campaign.redial;
        let reviewed = self.fixture.review(EntryId(index as i64 + 1), decision, rules, self.now);
        assert_eq!(reviewed.is_ok(), is_in_doubt, "{reviewed:?}");
        let Ok(state) = reviewed else { return };
        self.calls.iter_mut().filter(|call| call.index == index).for_each(|call| call.in_doubt = false);
        let may_be_called = decision == ReviewDecision::MayBeCalled;
        if !may_be_called {
            self.suppressed.push(ENTRIES[index].1);
        }
        if self.entries[index].held_for_review {
            let withdrawn = may_be_called && self.entries[index].withdraw_later;
            let cancelled = may_be_called && self.entries[index].cancelled == Cancelled::Pending;
            let is_over = state == State::Finished || (may_be_called && !cancelled && state == State::Waiting);
            let is_gone = (withdrawn && state == State::Withdrawn) || (cancelled && state == State::Cancelled);
            assert!(is_over || is_gone, "{state:?}");
            let entry = &mut self.entries[index];
            if state == State::Cancelled {
                entry.cancelled = Cancelled::From(State::Waiting);
            }
            entry.withdraw_later &= state != State::Withdrawn;
            (entry.state, entry.held_for_review) = (state, false);
        }
        if may_be_called {
            self.on_bar_lifted(ENTRIES[index].1);
        }
    }

    /// An entry that was barred with a number may be called again, unless something else bars the number, a list has removed the
    /// patient, or the campaign was cancelled.
    fn on_bar_lifted(&mut self, last: u32) {
        if self.is_barred(last) {
            return;
        }
        for index in (0..ENTRIES.len()).filter(|index| ENTRIES[*index].1 == last) {
            if self.entries[index].state == State::Suppressed && self.barred[index] {
                self.set_state(index, State::Ready);
            }
        }
    }

    fn cancel(&mut self, whole: bool) {
        let name = self.fixture.campaign.name.clone();
        let scope = if whole { DecisionScope::Campaign(name) } else { DecisionScope::Run(self.fixture.run.run) };
        let cancelled = self.fixture.operator(self.now).cancel(&scope, "somebody", self.now).expect("cancelled");
        let mut expected = 0;
        for index in 0..ENTRIES.len() {
            let is_in_doubt = self.is_in_doubt(index);
            let entry = &mut self.entries[index];
            if !(whole || entry.listed) || entry.cancelled != Cancelled::No || entry.state == State::Cancelled {
                continue;
            }
            let is_ended = !is_in_doubt && matches!(entry.state, State::Ready | State::Waiting | State::Held);
            entry.cancelled = if is_ended { Cancelled::From(entry.state) } else { Cancelled::Pending };
            entry.state = if is_ended { State::Cancelled } else { entry.state };
            expected += 1;
        }
        assert_eq!(cancelled.count(|_| true) + cancelled.in_doubt, expected);
    }

    fn undo_cancel(&mut self) {
        let scope = DecisionScope::Campaign(self.fixture.campaign.name.clone());
        let undone = self.fixture.operator(self.now).undo_cancel(&scope, "somebody", self.now);
        undone.expect("undone");
        for index in 0..self.entries.len() {
            let cancelled = std::mem::replace(&mut self.entries[index].cancelled, Cancelled::No);
            if let Cancelled::From(before) = cancelled
                && self.entries[index].state == State::Cancelled
            {
                self.set_state(index, before);
            }
        }
    }

    fn reopen(&mut self) {
        self.fixture.reopen(self.now);
        let under_way = committed(self.fixture.ledger().in_flight(self.fixture.run.campaign)).expect("attempts");
        let expected = self.calls.iter().filter(|call| call.is_in_flight()).map(|call| call.claim.attempt);
        let mut found: Vec<_> = under_way.iter().map(|attempt| attempt.attempt).collect();
        found.sort();
        assert_eq!(found, expected.collect::<Vec<_>>(), "attempts in flight are resumed");
    }

    /// All entries and attempts have the states of the model.
    fn check_states(&self) {
        let rows = rows(&self.reader, self.fixture.run);
        let stored: Vec<_> = rows.iter().map(|row| row.state).collect();
        assert_eq!(stored, self.entries.iter().map(|entry| entry.state).collect::<Vec<_>>());
        assert_eq!(self.fixture.attempt_states(), self.calls.iter().map(|call| call.state).collect::<Vec<_>>());
    }
}

pub(super) fn after_any_sequence_of_operations_the_ledger_agrees_with_the_model(open: Opener) {
    let cases = std::env::var("CALLROUNDS_CASES").map_or(DEFAULT_CASES, |text| text.parse().expect("a number"));
    let config = Config { failure_persistence: None, cases, ..Config::default() };
    let coverage = RefCell::new(Coverage::default());
    let sequences = (proptest::bool::weighted(0.2), proptest::collection::vec(operation(), 1..40));
    let result = TestRunner::new(config).run(&sequences, |(begins_in_doubt, operations)| {
        let mut test = ModelTest::new(open);
        if begins_in_doubt {
            test.bar_by_a_doubt();
        }
        for operation in &operations {
            test.apply(operation);
            test.check_states();
        }
        coverage.borrow_mut().add(&test);
        Ok(())
    });
    result.unwrap_or_else(|broken| panic!("{broken}"));
    let covered = coverage.into_inner();
    let _ = writeln!(
        std::io::stderr(),
        "{cases} sequences, none broken (95 %: fewer than 3 in {cases}); covered {covered:?}"
    );
    assert!(covered.is_complete(), "{covered:?}");
}
