//! The ledger against a book kept beside it (`faults.md`, row 6): random sequences of everything that is done to a ledger,
//! by a run, by a list and by an operator; after each step everybody stands where the book says.
//!
//! `CALLROUNDS_CASES=100000 cargo test --release --lib ledger::tests::machine -- --nocapture` tries more of them.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::policy::Hours;

/// Sequences of an ordinary test run.
const EVERY_RUN: u32 = 1_000;

/// People and the last digits of their numbers: two share one.
const PEOPLE: [(&str, u32); 4] = [("P-0", 101), ("P-1", 102), ("P-2", 103), ("P-3", 103)];

/// One thing done to the ledger.
#[derive(Debug, Clone)]
enum Deed {
    /// So many hours pass.
    Wait(u8),
    /// A run claims so many entries at most.
    Claim(u8),
    /// Something becomes known about a person's newest attempt, be it possible or not.
    Tell { person: usize, fact: usize },
    /// Something that is possible becomes known about a call that is under way.
    Happen { call: usize, fact: usize },
    /// The next list has these people on it.
    List([bool; 4]),
    /// An operator suppresses a person's number.
    Suppress(usize),
    /// An operator settles a person's entry, be it held or not.
    Resolve { person: usize, verdict: usize },
    /// An operator calls the newest run off.
    CancelRun,
    /// The program ends, and another one opens the ledger.
    Reopen,
}

fn deed() -> impl Strategy<Value = Deed> {
    let person = 0..PEOPLE.len();
    prop_oneof![
        3 => (1..100_u8).prop_map(Deed::Wait),
        6 => (1..5_u8).prop_map(Deed::Claim),
        3 => (person.clone(), 0..facts(noon()).len()).prop_map(|(person, fact)| Deed::Tell { person, fact }),
        12 => any::<(usize, usize)>().prop_map(|(call, fact)| Deed::Happen { call, fact }),
        2 => any::<[bool; 4]>().prop_map(Deed::List),
        1 => person.clone().prop_map(Deed::Suppress),
        2 => (person, 0..3_usize).prop_map(|(person, verdict)| Deed::Resolve { person, verdict }),
        1 => Just(Deed::CancelRun),
        1 => Just(Deed::Reopen),
    ]
}

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
        Fact::TrackLost,
        Fact::Adopted,
        Fact::Absent { retry: false },
        Fact::Absent { retry: true },
        Fact::DeclaredNotPlaced,
    ]
}

/// A person as the book has them.
#[derive(Debug)]
struct Person {
    state: State,
    /// On the newest run's list.
    listed: bool,
    /// Taken off a list while the call was not settled: withdrawn as soon as it could be called again.
    leaves: bool,
}

/// An attempt as the book has it.
#[derive(Debug)]
struct Call {
    claim: Authorised,
    person: usize,
    state: AttemptState,
}

impl Call {
    fn may_have_been_placed(&self) -> bool {
        !matches!(self.state, AttemptState::NotPlaced | AttemptState::Refused)
    }

    fn is_under_way(&self) -> bool {
        matches!(self.state, AttemptState::Submitting | AttemptState::Open | AttemptState::Unknown)
    }
}

/// The ledger and the book.
struct Office {
    desk: Desk,
    now: DateTime<Utc>,
    people: Vec<Person>,
    calls: Vec<Call>,
    suppressed: Vec<u32>,
    /// What is committed, and nothing else.
    witness: Connection,
    /// A ledger of no meaning, in place of ours while no program has ours open.
    nobodys: Ledger,
}

impl Office {
    fn open(nobodys: Ledger) -> Self {
        let desk = Desk::in_folder(folder_in_memory());
        desk.enrol(&PEOPLE.map(|(key, last)| draft(key, last)));
        let person = || Person { state: State::Ready, listed: true, leaves: false };
        let people = PEOPLE.iter().map(|_| person()).collect();
        let witness = desk.committed();
        Self { desk, now: noon(), people, calls: Vec::new(), suppressed: Vec::new(), witness, nobodys }
    }

    fn carry_out(&mut self, deed: &Deed) {
        match *deed {
            Deed::Wait(hours) => self.now += TimeDelta::hours(hours.into()),
            Deed::Claim(limit) => self.claim(limit),
            Deed::Tell { person, fact } => self.tell(person, facts(self.now).swap_remove(fact)),
            Deed::Happen { call, fact } => self.happen(call, fact),
            Deed::List(on_it) => self.list(on_it),
            Deed::Suppress(person) => self.suppress(PEOPLE[person].1),
            Deed::Resolve { person, verdict } => self.resolve(person, verdict),
            Deed::CancelRun => self.cancel_run(),
            Deed::Reopen => self.reopen(),
        }
    }

    fn claim(&mut self, limit: u8) {
        let order = ClaimOrder {
            run: self.desk.run,
            campaign: Arc::clone(&self.desk.campaign),
            share: self.desk.share(),
            now: self.now,
            limit: limit.into(),
        };
        let must_be_called = self.nothing_speaks_against();
        let claims = now_or_never(self.desk.ledger.claim(order)).expect("a claim");
        for aside in &claims.set_aside {
            let person = aside.entry.0 as usize - 1;
            self.was_set_aside(person, aside);
            self.people[person].state = aside.state;
        }
        for claim in claims.authorised {
            let person = claim.entry.0 as usize - 1;
            self.may_be_called(person, &claim);
            self.people[person].state = State::Submitting;
            self.calls.push(Call { claim, person, state: AttemptState::Submitting });
        }
        let full = self.calls.iter().filter(|call| call.claim.intent_at == self.now).count() >= limit.into();
        for person in must_be_called.into_iter().filter(|_| !full) {
            let shares = |call: &Call| PEOPLE[call.person].1 == PEOPLE[person].1;
            assert!(self.calls.iter().any(shares), "{} is forgotten", PEOPLE[person].0);
        }
    }

    /// Those whom a claim now must call, if it may call enough: nobody has called their number, and nothing forbids it.
    fn nothing_speaks_against(&self) -> Vec<usize> {
        let open = |last| {
            let zones = &draft("", last).zones;
            Hours::of_entry(&self.desk.campaign.calling, &self.desk.campaign.practice.zone, number(last), zones)
                .next_open(self.now)
                == Some(self.now)
        };
        let free = |&person: &usize| {
            let last = PEOPLE[person].1;
            let fresh = !self.calls.iter().any(|call| PEOPLE[call.person].1 == last);
            self.people[person].state == State::Ready && fresh && !self.suppressed.contains(&last) && open(last)
        };
        (0..PEOPLE.len()).filter(free).collect()
    }

    /// One call for an attempt, none to a number that is called or suppressed, and none over the vendor's caps.
    fn may_be_called(&self, person: usize, claim: &Authorised) {
        let (key, last) = PEOPLE[person];
        assert!(matches!(self.people[person].state, State::Ready | State::Waiting), "{key} was not due");
        assert!(!self.suppressed.contains(&last), "{key}: suppressed, and claimed");
        assert!(self.calls.iter().all(|call| call.claim.attempt != claim.attempt), "{key}: claimed twice");
        let to_the_number: Vec<_> = self.calls.iter().filter(|call| PEOPLE[call.person].1 == last).collect();
        assert!(!to_the_number.iter().any(|call| call.is_under_way()), "{key}: its number is being called");
        for (days, most) in [(1, 1), (7, 3), (30, 6)] {
            let recent =
                |call: &&&Call| call.may_have_been_placed() && call.claim.intent_at > self.now - TimeDelta::days(days);
            let calls = to_the_number.iter().filter(recent).count();
            assert!(calls < most, "{key}: {calls} calls in {days} days already");
        }
    }

    fn was_set_aside(&self, person: usize, aside: &SetAside) {
        let (key, last) = PEOPLE[person];
        assert!(matches!(self.people[person].state, State::Ready | State::Waiting), "{key} was not due");
        let suppressed = self.suppressed.contains(&last);
        let attempts = self.calls.iter().filter(|call| call.person == person && call.may_have_been_placed()).count();
        let used_up = attempts >= self.desk.campaign.redial.max_attempts as usize;
        let waits = aside.state == State::Waiting && aside.until > Some(self.now) && !suppressed;
        let is_barred = aside.state == State::Suppressed && (suppressed || used_up);
        assert!(waits || is_barred, "{key}: {aside:?}");
    }

    fn tell(&mut self, person: usize, fact: Fact) {
        let Some(call) = self.calls.iter_mut().rev().find(|call| call.person == person) else { return };
        let state = self.people[person].state;
        // What is read of a call that was lost track of counts, wherever its entry has gone; one that waits may be settled.
        let is_late = call.state == AttemptState::LostTrack && state != State::LostTrack;
        let is_told = matches!(fact, Fact::Ended { .. });
        let settles =
            matches!(fact, Fact::Ended { redial: None, .. }) && matches!(state, State::Ready | State::Waiting);
        let entry = if is_late && is_told && !settles { Some(state) } else { state.after(&fact).ok() };
        let after = entry.zip(call.state.after(&fact));
        let opt_out = matches!(fact, Fact::Ended { outcome: Outcome::OptOut, .. });
        let recorded = self.desk.record(vec![Happened { at: self.now, ..happened(&call.claim, fact) }]);
        assert_eq!(recorded.is_ok(), after.is_some(), "{recorded:?}, {after:?}");
        let Some((entry, attempt)) = after else { return };
        call.state = attempt;
        self.stands(person, entry);
        if opt_out {
            self.suppressed.push(PEOPLE[person].1);
        }
    }

    fn happen(&mut self, call: usize, fact: usize) {
        let under_way: Vec<_> = self.calls.iter().filter(|call| call.is_under_way()).collect();
        if under_way.is_empty() {
            return;
        }
        let call = under_way[call % under_way.len()];
        let mut possible = facts(self.now);
        possible.retain(|fact| call.state.after(fact).is_some());
        self.tell(call.person, possible.swap_remove(fact % possible.len()));
    }

    /// An entry that could be called again leaves, if a list has taken it off meanwhile.
    fn stands(&mut self, person: usize, state: State) {
        let person = &mut self.people[person];
        let callable = matches!(state, State::Ready | State::Waiting);
        person.state = if callable && person.leaves { State::Withdrawn } else { state };
        person.leaves &= !callable;
    }

    fn list(&mut self, on_it: [bool; 4]) {
        let drafts: Vec<_> =
            PEOPLE.iter().zip(on_it).filter(|(_, listed)| *listed).map(|((key, last), _)| draft(key, *last)).collect();
        self.desk.next_list(&drafts);
        for (person, listed) in self.people.iter_mut().zip(on_it) {
            person.listed = listed;
            let unsettled = matches!(
                person.state,
                State::Submitting | State::Open | State::Unknown | State::LostTrack | State::Held
            );
            person.leaves = if listed { false } else { person.leaves || unsettled };
            person.state = match (person.state, listed) {
                (State::Withdrawn, true) => State::Ready,
                (State::Ready | State::Waiting, false) => State::Withdrawn,
                (state, _) => state,
            };
        }
    }

    fn operator(&self) -> Operator {
        Operator::open(&path_in(&self.desk.folder), self.now).expect("an operator")
    }

    fn suppress(&mut self, last: u32) {
        let ban = Ban { scope: Scope::All, source: "operator", expires: None };
        self.operator().suppress([number(last)], ban, self.now).expect("suppressed");
        self.suppressed.push(last);
    }

    fn resolve(&mut self, person: usize, verdict: usize) {
        let call = self.calls.iter_mut().rev().find(|call| call.person == person);
        let by_hand = ConversationId::new(format!("by-hand-{}", call.as_ref().map_or(0, |call| call.claim.attempt.0)));
        let (resolution, fact) = vec![
            (Resolution::Placed(by_hand), Fact::Adopted),
            (Resolution::NotPlaced, Fact::DeclaredNotPlaced),
            (Resolution::Cancel, Fact::CancelledByOperator),
        ]
        .swap_remove(verdict);
        let state = self.people[person].state;
        let is_back = state == State::Failed && fact == Fact::DeclaredNotPlaced;
        let decidable = fact == Fact::CancelledByOperator || state == State::Held || is_back;
        let after = state.after(&fact).ok().filter(|_| decidable);
        let mut operator = Operator::open(&path_in(&self.desk.folder), self.now).expect("an operator");
        let resolved = operator.resolve(crate::ids::EntryId(person as i64 + 1), resolution, "somebody", self.now);
        assert_eq!(resolved.is_ok(), after.is_some(), "{resolved:?}");
        let Some(after) = after else { return };
        if let Some((call, after)) = call.and_then(|call| call.state.after(&fact).map(|after| (call, after))) {
            call.state = after;
        }
        self.stands(person, after);
    }

    fn cancel_run(&mut self) {
        let cancelled = self.operator().cancel_run(self.desk.run.run, "somebody", self.now).expect("cancelled");
        let callable =
            |person: &&mut Person| person.listed && matches!(person.state, State::Ready | State::Waiting | State::Held);
        let expected = self.people.iter_mut().filter(callable).map(|person| person.state = State::Cancelled).count();
        assert_eq!(cancelled, expected as u64);
    }

    fn reopen(&mut self) {
        // One program at a time holds a ledger: the one that ends lets go of it before the next one opens it.
        drop(std::mem::replace(&mut self.desk.ledger, self.nobodys.clone()));
        self.desk.ledger = Ledger::open_inline(&path_in(&self.desk.folder), self.now).expect("the ledger again");
        let under_way = now_or_never(self.desk.ledger.under_way(self.desk.run.campaign)).expect("attempts");
        let expected = self.calls.iter().filter(|call| call.is_under_way()).map(|call| call.claim.attempt);
        let mut found: Vec<_> = under_way.iter().map(|attempt| attempt.attempt).collect();
        found.sort();
        assert_eq!(found, expected.collect::<Vec<_>>(), "what is under way is gone on with");
    }

    /// Everybody stands where the book says, and so does every attempt.
    fn agrees(&self) {
        let words = |query| {
            let mut statement = self.witness.prepare_cached(query).expect("a statement");
            let rows = statement.query_map([], |row| row.get(0)).expect("rows");
            rows.collect::<Result<Vec<String>, _>>().expect("words")
        };
        let people: Vec<_> = self.people.iter().map(|person| person.state.name()).collect();
        assert_eq!(words("SELECT state FROM entry ORDER BY id"), people);
        let calls: Vec<_> = self.calls.iter().map(|call| call.state.name()).collect();
        assert_eq!(words("SELECT state FROM attempt ORDER BY id"), calls);
    }
}

fn folder_in_memory() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::tempdir_in(place).expect("a folder")
}

/// What the sequences met, so that a test which has become toothless is noticed.
static MET: [(&str, AtomicU64); 4] = [
    ("calls", AtomicU64::new(0)),
    ("second calls to one person", AtomicU64::new(0)),
    ("held", AtomicU64::new(0)),
    ("withdrawn once settled", AtomicU64::new(0)),
];

fn meet(office: &Office) {
    let again = |call: &&Call| office.calls.iter().filter(|other| other.person == call.person).count() > 1;
    let held = office.people.iter().filter(|person| person.state == State::Held).count();
    let left = "SELECT count(*) FROM event WHERE kind = 'unlisted' AND detail IS NOT NULL";
    let left: i64 = office.witness.query_row(left, [], |row| row.get(0)).expect("a count");
    let counts = [office.calls.len(), office.calls.iter().filter(again).count(), held, left as usize];
    for ((_, met), count) in MET.iter().zip(counts) {
        met.fetch_add(count as u64, Ordering::Relaxed);
    }
}

#[test]
fn whatever_is_done_to_a_ledger_everybody_stands_where_the_book_says() {
    let cases = std::env::var("CALLROUNDS_CASES").map_or(EVERY_RUN, |text| text.parse().expect("a number"));
    let elsewhere = folder_in_memory();
    let nobodys = Ledger::open_inline(&path_in(&elsewhere), noon()).expect("a ledger");
    let config = Config { failure_persistence: None, cases, ..Config::default() };
    let tried = TestRunner::new(config).run(&proptest::collection::vec(deed(), 1..40), |deeds| {
        let mut office = Office::open(nobodys.clone());
        for deed in &deeds {
            office.carry_out(deed);
            office.agrees();
        }
        meet(&office);
        Ok(())
    });
    if let Err(broken) = tried {
        panic!("{broken}");
    }
    let met: Vec<_> = MET.iter().map(|(what, times)| (*what, times.load(Ordering::Relaxed))).collect();
    let _ = writeln!(std::io::stderr(), "{cases} sequences, none broken (95 %: fewer than 3 in {cases}); met {met:?}");
    assert!(met.iter().all(|(_, times)| *times > 0), "{met:?}");
}
