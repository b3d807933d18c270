//! The ledger alone, each test with a file of its own.

mod approvals;
mod file_identity;
mod high_water;
mod households;
mod lists;
mod machine;
mod numbers;
mod opening;
mod unrecorded_calls;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::campaign::{self, Campaign, SafetyOverrides};
use crate::entry::{
    AttemptState, CallContent, CalledPartyZones, Fact, HouseholdMember, ListCounts, ListEligibility, NewEntry, Outcome,
    PatientInfo, Reason, State, ZoneSource,
};
use crate::ids::{ConversationId, EntryId, EntryKey, OrganisationId};
use crate::phone::E164;

const CAMPAIGN: &str = r#"
name = "recall"
purpose = "recall"
[practice]
name = "Bright Smile Dental"
timezone = "America/Chicago"
from_number = "+13125550142"
[calling]
consent = "on_file"
[vendor]
kind = "simulator"
"#;

/// A ledger in a folder of its own, with a run of one campaign.
struct Fixture {
    folder: TempDir,
    ledger: Ledger,
    campaign: Arc<Campaign>,
    run: RunHandle,
}

fn noon() -> DateTime<Utc> {
    "2026-11-24T18:00:00Z".parse().expect("an instant")
}

fn number(last: u32) -> E164 {
    E164::parse(&format!("+1312555{last:04}")).expect("a good number")
}

fn entry(key: &str, last: u32) -> NewEntry {
    NewEntry {
        key: EntryKey::new(key),
        organisation: OrganisationId::new("Bright Smile Dental"),
        location: None,
        phone: number(last),
        alternatives: Vec::new(),
        zones: CalledPartyZones {
            zones: vec!["America/Chicago".into()],
            regions: Vec::new(),
            source: ZoneSource::AreaCode,
        },
        content: CallContent {
            patient: PatientInfo { first_name: "Pat".into(), ..PatientInfo::default() },
            ..CallContent::default()
        },
        not_after: None,
        eligibility: ListEligibility::Ready,
        members: Vec::new(),
        line: 2,
    }
}

fn now_or_never<T>(future: CommitFuture<T>) -> Result<T, LedgerError> {
    futures_util::FutureExt::now_or_never(future).expect("an inline ledger answers at once")
}

fn path_in(folder: &TempDir) -> PathBuf {
    folder.path().join("ledger.db")
}

impl Fixture {
    fn new() -> Self {
        Self::in_folder(tempfile::tempdir().expect("a folder"))
    }

    fn in_folder(folder: TempDir) -> Self {
        let ledger = Ledger::open_inline(&path_in(&folder), noon()).expect("a new ledger");
        let campaign = campaign::load(CAMPAIGN, "recall.toml", PathBuf::from("."), SafetyOverrides::default());
        let campaign = Arc::new(campaign.expect("a sound campaign"));
        let run = now_or_never(ledger.begin_run(Arc::clone(&campaign), true, noon())).expect("a run");
        Self { folder, ledger, campaign, run }
    }

    /// A ledger with these entries enrolled.
    fn with(entries: &[NewEntry]) -> Self {
        let fixture = Self::new();
        fixture.enrol(entries);
        fixture
    }

    fn enrol(&self, entries: &[NewEntry]) -> EnrolmentCounts {
        now_or_never(self.ledger.enrol(self.run, entries, noon())).expect("enrolled")
    }

    /// Starts another run with a list that withdraws the entries that it lacks. Returns how many.
    fn next_list(&mut self, entries: &[NewEntry]) -> u64 {
        let campaign = Arc::clone(&self.campaign);
        self.run = now_or_never(self.ledger.begin_run(campaign, true, noon())).expect("a run");
        self.enrol(entries);
        let (read, accepted) = (entries.len() as u64, entries.len() as u64);
        let counts = ListCounts { read, accepted, ..ListCounts::default() };
        now_or_never(self.ledger.close_list(self.run, counts, true, noon())).expect("closed")
    }

    /// All entries.
    fn scope(&self) -> ClaimScope {
        ClaimScope::for_organisation(self.campaign.practice.organisation.clone())
    }

    fn claim_at(&self, now: DateTime<Utc>) -> ClaimResult {
        let (run, campaign) = (self.run, Arc::clone(&self.campaign));
        let request = ClaimRequest { run, campaign, scope: self.scope(), now, limit: 10 };
        now_or_never(self.ledger.claim(request)).expect("a claim")
    }

    fn claim(&self) -> Vec<ClaimedAttempt> {
        self.claim_at(noon()).claimed
    }

    fn record(&self, updates: Vec<AttemptUpdate>) -> Result<Vec<State>, LedgerError> {
        now_or_never(self.ledger.record(self.run, updates))
    }

    /// Another connection, which sees only what is committed.
    fn committed(&self) -> Connection {
        Connection::open(path_in(&self.folder)).expect("the ledger's file")
    }

    fn states(&self) -> Vec<(String, String)> {
        let conn = self.committed();
        let mut statement = conn.prepare("SELECT key, state FROM entry ORDER BY id").expect("a statement");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        rows.collect::<Result<_, _>>().expect("words")
    }

    #[track_caller]
    fn check_states(&self, expected: &[(&str, State)]) {
        let expected: Vec<_> = expected.iter().map(|(key, state)| ((*key).into(), state.name().to_owned())).collect();
        assert_eq!(self.states(), expected);
    }

    fn count(&self, what: &str) -> i64 {
        self.committed().query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0)).expect("a count")
    }
}

fn update(of: &ClaimedAttempt, fact: Fact) -> AttemptUpdate {
    let &ClaimedAttempt { attempt, entry, .. } = of;
    let conversation =
        matches!(fact, Fact::Accepted | Fact::Adopted).then(|| ConversationId::new(format!("c-{attempt}")));
    AttemptUpdate { attempt, entry, at: noon(), fact, conversation, started: None, ended: None, detail: None }
}

fn ended(of: &ClaimedAttempt, outcome: Outcome, redial: Option<DateTime<Utc>>) -> AttemptUpdate {
    update(of, Fact::Ended { outcome, redial })
}

#[test]
fn the_linked_sqlite_keeps_every_commit() {
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

#[test]
fn enrolling_the_same_list_twice_inserts_nothing() {
    let fixture = Fixture::new();
    let list = [entry("P-1", 101), entry("P-2", 102)];
    assert_eq!(fixture.enrol(&list), EnrolmentCounts { new: 2, ..EnrolmentCounts::default() });
    assert_eq!(fixture.enrol(&list), EnrolmentCounts { same: 2, ..EnrolmentCounts::default() });
    assert_eq!((fixture.count("entry"), fixture.count("event WHERE kind = 'enrolled' AND entry_id <= 2")), (2, 2));
}

#[test]
fn a_claim_authorises_once_and_its_intent_is_committed_when_it_returns() {
    let fixture = Fixture::with(&[entry("P-1", 101)]);
    let claimed = fixture.claim();
    assert_eq!(claimed.len(), 1);
    let intent: (i64, String, i64) = fixture
        .committed()
        .query_row("SELECT id, state, intent_at FROM attempt", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("one attempt");
    assert_eq!(intent, (claimed[0].attempt.0, "submitting".into(), noon().timestamp_millis()));
    fixture.check_states(&[("P-1", State::Submitting)]);
    assert!(fixture.claim().is_empty());
    assert_eq!(fixture.count("attempt"), 1);
}

#[test]
fn a_number_with_an_unsettled_call_waits() {
    let fixture = Fixture::with(&[entry("P-1", 101), entry("P-2", 101)]);
    let claims = fixture.claim_at(noon());
    assert_eq!(claims.claimed.len(), 1);
    let deferred: Vec<_> = claims.deferred.iter().map(|entry| (entry.state, entry.reason)).collect();
    // The daily cap lasts longer than the call that is under way.
    assert_eq!(deferred, [(State::Waiting, Reason::DailyCap)]);
}

#[test]
fn one_number_has_at_most_one_unresolved_attempt_even_past_the_rules() {
    let fixture = Fixture::with(&[entry("P-1", 101), entry("P-2", 101)]);
    fixture.claim();
    let second = fixture.committed().execute(
        "INSERT INTO attempt (entry_id, run_id, number, organisation, from_number, to_number, state, intent_at)
         SELECT 2, run_id, 1, organisation, from_number, to_number, 'submitting', intent_at FROM attempt",
        [],
    );
    let error = second.expect_err("the index refuses it").to_string();
    assert!(error.contains("UNIQUE"), "{error}");
}

#[test]
fn an_illegal_fact_is_refused_and_leaves_nothing_half_done() {
    let fixture = Fixture::with(&[entry("P-1", 101), entry("P-2", 102)]);
    let claimed = fixture.claim();
    let events = fixture.count("event");
    let redial = None;
    let record = fixture.record(vec![
        update(&claimed[0], Fact::Accepted),
        update(&claimed[1], Fact::Ended { outcome: Outcome::Booked, redial }),
    ]);
    assert!(matches!(record, Err(LedgerError::Conflict)), "{record:?}");
    fixture.check_states(&[("P-1", State::Submitting), ("P-2", State::Submitting)]);
    assert_eq!(fixture.count("event"), events);
    assert_eq!(fixture.count("attempt WHERE conversation IS NOT NULL"), 0);
}

#[test]
fn a_conversation_belongs_to_one_attempt() {
    let fixture = Fixture::with(&[entry("P-1", 101), entry("P-2", 102)]);
    let claimed = fixture.claim();
    let same = |of| AttemptUpdate { conversation: Some(ConversationId::new("c")), ..update(of, Fact::Accepted) };
    fixture.record(vec![same(&claimed[0])]).expect("recorded");
    fixture.record(vec![same(&claimed[1])]).expect_err("another attempt has it");
    fixture.check_states(&[("P-1", State::Open), ("P-2", State::Submitting)]);
}

#[test]
fn an_opt_out_suppresses_its_number_at_once_for_everybody_on_it() {
    let fixture = Fixture::with(&[entry("P-1", 101)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![ended(&claimed[0], Outcome::OptOut, None)]).expect("recorded");
    fixture.enrol(&[entry("P-2", 101)]);
    let later = fixture.claim_at(noon() + TimeDelta::days(40));
    assert!(later.claimed.is_empty());
    fixture.check_states(&[("P-1", State::Finished), ("P-2", State::Suppressed)]);
}

#[test]
fn a_job_that_fails_does_not_undo_its_neighbours_in_the_same_commit() {
    let folder = tempfile::tempdir().expect("a folder");
    let fixture =
        Fixture { ledger: Ledger::open(&path_in(&folder), noon()).expect("a ledger"), folder, ..Fixture::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let run = fixture.ledger.begin_run(Arc::clone(&fixture.campaign), true, noon()).await.expect("a run");
        // Queued together: at least some of them share a commit.
        let no_such_entry =
            AuditNote { at: noon(), entry: Some(EntryId(4711)), attempt: None, kind: "x", detail: String::new() };
        let jobs: Vec<_> = (0..40_u32)
            .map(|n| {
                let good = fixture.ledger.enrol(run, &[entry(&format!("P-{n}"), 101)], noon());
                (good, fixture.ledger.note(run, no_such_entry.clone()))
            })
            .collect();
        for (good, bad) in jobs {
            assert_eq!(good.await.expect("its neighbour's failure does not matter").new, 1);
            bad.await.expect_err("there is no such entry");
        }
    });
    assert_eq!((fixture.count("entry"), fixture.count("event WHERE kind = 'x'")), (40, 0));
}

#[test]
fn an_entry_that_is_no_longer_listed_is_withdrawn_and_comes_back_when_listed_again() {
    let mut fixture = Fixture::with(&[entry("P-1", 101), entry("P-2", 102)]);
    assert_eq!(fixture.next_list(&[entry("P-1", 101)]), 1);
    fixture.check_states(&[("P-1", State::Ready), ("P-2", State::Withdrawn)]);
    assert_eq!(fixture.next_list(&[entry("P-2", 102), entry("P-1", 101)]), 0);
    fixture.check_states(&[("P-1", State::Ready), ("P-2", State::Ready)]);
}

#[test]
fn a_list_change_during_a_call_is_applied_when_the_call_ends() {
    let booked = NewEntry { eligibility: ListEligibility::Suppressed(Reason::Booked), ..entry("P-1", 101) };
    let unsure = NewEntry { eligibility: ListEligibility::Held(Reason::ConsentBlank), ..entry("P-1", 101) };
    let cases: [(Vec<Vec<NewEntry>>, State); 5] = [
        (vec![vec![entry("P-1", 101)]], State::Waiting),
        (vec![vec![booked.clone()]], State::Suppressed),
        (vec![vec![unsure]], State::Held),
        (vec![vec![]], State::Withdrawn),
        (vec![vec![booked], vec![entry("P-1", 101)]], State::Waiting),
    ];
    for (lists, expected) in cases {
        let mut fixture = Fixture::with(&[entry("P-1", 101)]);
        let claimed = fixture.claim();
        fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
        for list in &lists {
            assert_eq!(fixture.next_list(list), 0, "no entry in flight is withdrawn at once");
        }
        fixture.check_states(&[("P-1", State::Open)]);
        let redial = Some(noon() + TimeDelta::days(3));
        fixture.record(vec![ended(&claimed[0], Outcome::NoAnswer, redial)]).expect("recorded");
        fixture.check_states(&[("P-1", expected)]);
    }
}

#[test]
fn an_edited_number_is_the_one_that_is_called_next() {
    let mut fixture = Fixture::with(&[entry("P-1", 101)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.next_list(&[entry("P-1", 107)]);
    fixture.record(vec![ended(&claimed[0], Outcome::NoAnswer, Some(noon()))]).expect("recorded");
    assert!(fixture.claim().is_empty(), "it is the same patient, called a moment ago");
    // A week later, in the morning: at another part of the day.
    let later = noon() + TimeDelta::days(8) - TimeDelta::hours(2);
    assert_eq!(fixture.claim_at(later).claimed[0].to, number(107));
    assert_eq!(fixture.count("attempt WHERE to_number = '+13125550101'"), 1, "the call that was made stays as it was");
}

/// An entry that leaves the list and comes back with another number is not called sooner. (The number after a wrong one
/// is called at once: see `tests/numbers.rs`.)
#[test]
fn a_changed_number_still_waits_for_the_redial_gap() {
    let mut fixture = Fixture::with(&[entry("P-1", 101)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![ended(&claimed[0], Outcome::NoAnswer, Some(noon()))]).expect("recorded");
    fixture.next_list(&[]);
    fixture.next_list(&[entry("P-1", 107)]);
    fixture.check_states(&[("P-1", State::Ready)]);
    let claims = fixture.claim_at(noon());
    let deferred: Vec<_> = claims.deferred.iter().map(|entry| (entry.state, entry.reason)).collect();
    assert_eq!((claims.claimed.len(), deferred), (0, vec![(State::Waiting, Reason::RedialGap)]));
}

#[test]
fn a_person_may_settle_an_entry_that_was_lost_track_of() {
    let fixture = Fixture::with(&[entry("P-1", 101)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![update(&claimed[0], Fact::TrackLost)]).expect("recorded");
    fixture.check_states(&[("P-1", State::LostTrack)]);
    let mut operator = Operator::open(&path_in(&fixture.folder), noon()).expect("the ledger");
    let settled = operator.resolve(claimed[0].entry, Resolution::Cancel, "somebody", noon()).expect("settled");
    assert_eq!(settled, State::Cancelled);
    assert!(fixture.claim().is_empty());
}

#[test]
fn the_database_allows_exactly_the_transitions_that_the_program_decides() {
    let fixture = Fixture::new();
    let conn = fixture.committed();
    let mut statement = conn.prepare("SELECT state_before, state_after FROM legal_transition").expect("the table");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    let allowed: std::collections::BTreeSet<(String, String)> = rows.collect::<Result<_, _>>().expect("words");
    let pairs = State::ALL.iter().flat_map(|before| Fact::every_shape().into_iter().map(move |fact| (*before, fact)));
    let decided = pairs
        .filter_map(|(before, fact)| Some((before.name().to_owned(), before.after(&fact).ok()?.name().to_owned())))
        .collect();
    assert_eq!(allowed, decided);
}

#[test]
fn a_transition_from_another_state_than_the_entrys_is_refused() {
    let fixture = Fixture::with(&[entry("P-1", 101)]);
    let conn = fixture.committed();
    let transition = |from| transition::Transition {
        run: fixture.run.run,
        entry: EntryId(1),
        attempt: None,
        at: noon(),
        from,
        fact: &Fact::TooLate,
        detail: None,
    };
    let stale = transition(State::Waiting).apply(&conn);
    assert!(matches!(stale, Err(LedgerError::Conflict)), "{stale:?}");
    fixture.check_states(&[("P-1", State::Ready)]);
    assert_eq!(transition(State::Ready).apply(&conn).expect("it is ready"), State::Expired);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..proptest::prelude::ProptestConfig::with_cases(64) })]

    /// Random facts, one after another: the ledger accepts a fact if both state machines do, ends in their states, and
    /// otherwise is unchanged.
    #[test]
    fn the_ledger_follows_the_state_machines(facts in proptest::collection::vec(0..Fact::every_shape().len(), 1..12)) {
        let fixture = Fixture::with(&[entry("P-1", 101)]);
        let claimed = &fixture.claim()[0];
        let mut model = (State::Submitting, AttemptState::Submitting);
        for fact in facts.into_iter().map(|at| Fact::every_shape().swap_remove(at)) {
            let after = model.0.after(&fact).ok().zip(model.1.after(&fact));
            let recorded = fixture.record(vec![update(claimed, fact)]);
            proptest::prop_assert_eq!(recorded.is_ok(), after.is_some());
            model = after.unwrap_or(model);
            let stored: (String, String) = fixture
                .committed()
                .query_row("SELECT entry.state, attempt.state FROM entry JOIN attempt ON entry.id = entry_id", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .expect("one attempt");
            proptest::prop_assert_eq!(stored, (model.0.name().to_owned(), model.1.name().to_owned()));
        }
    }
}

#[test]
fn the_database_refuses_every_other_transition() {
    let fixture = Fixture::with(&[entry("P-1", 101)]);
    let error = fixture.committed().execute("UPDATE entry SET state = 'lost_track'", []);
    let error = error.expect_err("the trigger refuses it").to_string();
    assert!(error.contains("illegal transition"), "{error}");
}

#[test]
fn events_are_neither_changed_nor_removed() {
    let fixture = Fixture::with(&[entry("P-1", 101)]);
    for statement in ["UPDATE event SET detail = 'x'", "DELETE FROM event"] {
        let error = fixture.committed().execute(statement, []).expect_err("the trigger refuses it").to_string();
        assert!(error.contains("append-only"), "{error}");
    }
}

#[test]
fn the_schema_has_every_attempt_state() {
    let fixture = Fixture::new();
    let table: String = fixture
        .committed()
        .query_row("SELECT sql FROM sqlite_schema WHERE name = 'attempt'", [], |row| row.get(0))
        .expect("the table");
    for state in AttemptState::ALL {
        assert!(table.contains(&format!("'{}'", state.name())), "{}", state.name());
    }
}

#[test]
fn a_number_suppressed_after_the_claim_is_found_before_the_request_leaves() {
    let fixture = Fixture::with(&[entry("1", 101)]);
    let claimed = fixture.claim();
    let is_forbidden =
        |at| now_or_never(fixture.ledger.forbids(claimed[0].to, fixture.campaign.purpose, at)).expect("asked");
    assert!(!is_forbidden(noon()));
    let mut operator = Operator::open(&path_in(&fixture.folder), noon()).expect("an operator");
    let until = noon() + TimeDelta::hours(1);
    let request = SuppressionRequest { scope: SuppressionScope::All, source: "operator", expires: Some(until) };
    operator.suppress([claimed[0].to], request, noon()).expect("suppressed");
    assert!(is_forbidden(noon()));
    assert!(!is_forbidden(until), "a suppression ends when it expires");
}
