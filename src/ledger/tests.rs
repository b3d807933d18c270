//! The ledger on its own, over a file of its own.

mod approvals;
mod high_water;
mod households;
mod lines;
mod lists;
mod machine;
mod numbers;
mod opening;
mod places;

use std::path::PathBuf;

use chrono::TimeDelta;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::campaign::{self, Allowances};
use crate::entry::{
    AttemptState, CalledPartyZones, Content, Fact, Member, Outcome, PatientInfo, Reason, Standing, State, ZoneSource,
};
use crate::ids::{EntryKey, OrganisationId};
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
struct Desk {
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

fn draft(key: &str, last: u32) -> Draft {
    Draft {
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
        content: Content {
            patient: PatientInfo { first_name: "Pat".into(), ..PatientInfo::default() },
            ..Content::default()
        },
        not_after: None,
        standing: Standing::Ready,
        members: Vec::new(),
        line: 2,
    }
}

fn now_or_never<T>(pending: Pending<T>) -> Result<T, LedgerError> {
    futures_util::FutureExt::now_or_never(pending).expect("an inline ledger answers at once")
}

fn path_in(folder: &TempDir) -> PathBuf {
    folder.path().join("ledger.db")
}

impl Desk {
    fn new() -> Self {
        Self::in_folder(tempfile::tempdir().expect("a folder"))
    }

    fn in_folder(folder: TempDir) -> Self {
        let ledger = Ledger::open_inline(&path_in(&folder), noon()).expect("a new ledger");
        let campaign = campaign::load(CAMPAIGN, "recall.toml", PathBuf::from("."), Allowances::default());
        let campaign = Arc::new(campaign.expect("a sound campaign"));
        let run = now_or_never(ledger.begin_run(Arc::clone(&campaign), true, noon())).expect("a run");
        Self { folder, ledger, campaign, run }
    }

    /// With these entries enrolled.
    fn with(drafts: &[Draft]) -> Self {
        let desk = Self::new();
        desk.enrol(drafts);
        desk
    }

    fn enrol(&self, drafts: &[Draft]) -> Enrolled {
        now_or_never(self.ledger.enrol(self.run, drafts, noon())).expect("enrolled")
    }

    /// A later run with a list of its own, which withdraws whom it lacks.
    fn next_list(&mut self, drafts: &[Draft]) -> u64 {
        let campaign = Arc::clone(&self.campaign);
        self.run = now_or_never(self.ledger.begin_run(campaign, true, noon())).expect("a run");
        self.enrol(drafts);
        let (read, accepted) = (drafts.len() as u64, drafts.len() as u64);
        let tally = ListTally { read, accepted, ..ListTally::default() };
        now_or_never(self.ledger.close_list(self.run, tally, true, noon())).expect("closed")
    }

    /// Everybody.
    fn share(&self) -> Share {
        Share::of(self.campaign.practice.organisation.clone())
    }

    fn claim_at(&self, now: DateTime<Utc>) -> Claims {
        let (run, campaign) = (self.run, Arc::clone(&self.campaign));
        let order = ClaimOrder { run, campaign, share: self.share(), now, limit: 10 };
        now_or_never(self.ledger.claim(order)).expect("a claim")
    }

    fn claim(&self) -> Vec<Authorised> {
        self.claim_at(noon()).authorised
    }

    fn record(&self, happened: Vec<Happened>) -> Result<Vec<State>, LedgerError> {
        now_or_never(self.ledger.record(self.run, happened))
    }

    /// What another connection sees: what is committed, and nothing else.
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

fn happened(of: &Authorised, fact: Fact) -> Happened {
    let &Authorised { attempt, entry, .. } = of;
    let conversation =
        matches!(fact, Fact::Accepted | Fact::Adopted).then(|| ConversationId::new(format!("c-{attempt}")));
    Happened { attempt, entry, at: noon(), fact, conversation, started: None, ended: None, detail: None }
}

fn ended(of: &Authorised, outcome: Outcome, redial: Option<DateTime<Utc>>) -> Happened {
    happened(of, Fact::Ended { outcome, redial })
}

#[test]
fn the_linked_sqlite_keeps_every_commit() {
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

#[test]
fn enrolling_the_same_list_twice_inserts_nothing() {
    let desk = Desk::new();
    let list = [draft("P-1", 101), draft("P-2", 102)];
    assert_eq!(desk.enrol(&list), Enrolled { new: 2, ..Enrolled::default() });
    assert_eq!(desk.enrol(&list), Enrolled { same: 2, ..Enrolled::default() });
    assert_eq!((desk.count("entry"), desk.count("event WHERE kind = 'enrolled' AND entry_id <= 2")), (2, 2));
}

#[test]
fn a_claim_authorises_once_and_its_intent_is_committed_when_it_returns() {
    let desk = Desk::with(&[draft("P-1", 101)]);
    let claimed = desk.claim();
    assert_eq!(claimed.len(), 1);
    let intent: (i64, String, i64) = desk
        .committed()
        .query_row("SELECT id, state, intent_at FROM attempt", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("one attempt");
    assert_eq!(intent, (claimed[0].attempt.0, "submitting".into(), noon().timestamp_millis()));
    desk.check_states(&[("P-1", State::Submitting)]);
    assert!(desk.claim().is_empty());
    assert_eq!(desk.count("attempt"), 1);
}

#[test]
fn a_number_with_an_unsettled_call_waits() {
    let desk = Desk::with(&[draft("P-1", 101), draft("P-2", 101)]);
    let claims = desk.claim_at(noon());
    assert_eq!(claims.authorised.len(), 1);
    let aside: Vec<_> = claims.set_aside.iter().map(|aside| (aside.state, aside.reason)).collect();
    // The day between two calls keeps longer than the call that is under way.
    assert_eq!(aside, [(State::Waiting, Reason::DailyCap)]);
}

#[test]
fn one_number_has_at_most_one_unresolved_attempt_even_past_the_rules() {
    let desk = Desk::with(&[draft("P-1", 101), draft("P-2", 101)]);
    desk.claim();
    let second = desk.committed().execute(
        "INSERT INTO attempt (entry_id, run_id, number, organisation, from_number, to_number, state, intent_at)
         SELECT 2, run_id, 1, organisation, from_number, to_number, 'submitting', intent_at FROM attempt",
        [],
    );
    let error = second.expect_err("the index refuses it").to_string();
    assert!(error.contains("UNIQUE"), "{error}");
}

#[test]
fn an_illegal_fact_is_refused_and_leaves_nothing_half_done() {
    let desk = Desk::with(&[draft("P-1", 101), draft("P-2", 102)]);
    let claimed = desk.claim();
    let events = desk.count("event");
    let redial = None;
    let record = desk.record(vec![
        happened(&claimed[0], Fact::Accepted),
        happened(&claimed[1], Fact::Ended { outcome: Outcome::Booked, redial }),
    ]);
    assert!(matches!(record, Err(LedgerError::Conflict)), "{record:?}");
    desk.check_states(&[("P-1", State::Submitting), ("P-2", State::Submitting)]);
    assert_eq!(desk.count("event"), events);
    assert_eq!(desk.count("attempt WHERE conversation IS NOT NULL"), 0);
}

#[test]
fn a_conversation_belongs_to_one_attempt() {
    let desk = Desk::with(&[draft("P-1", 101), draft("P-2", 102)]);
    let claimed = desk.claim();
    let same = |of| Happened { conversation: Some(ConversationId::new("c")), ..happened(of, Fact::Accepted) };
    desk.record(vec![same(&claimed[0])]).expect("recorded");
    desk.record(vec![same(&claimed[1])]).expect_err("another attempt has it");
    desk.check_states(&[("P-1", State::Open), ("P-2", State::Submitting)]);
}

#[test]
fn an_opt_out_suppresses_its_number_at_once_for_everybody_on_it() {
    let desk = Desk::with(&[draft("P-1", 101)]);
    let claimed = desk.claim();
    desk.record(vec![happened(&claimed[0], Fact::Accepted)]).expect("recorded");
    desk.record(vec![ended(&claimed[0], Outcome::OptOut, None)]).expect("recorded");
    desk.enrol(&[draft("P-2", 101)]);
    let later = desk.claim_at(noon() + TimeDelta::days(40));
    assert!(later.authorised.is_empty());
    desk.check_states(&[("P-1", State::Finished), ("P-2", State::Suppressed)]);
}

#[test]
fn a_job_that_fails_does_not_undo_its_neighbours_in_the_same_commit() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk { ledger: Ledger::open(&path_in(&folder), noon()).expect("a ledger"), folder, ..Desk::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let run = desk.ledger.begin_run(Arc::clone(&desk.campaign), true, noon()).await.expect("a run");
        // Queued together: at least some of them share a commit.
        let nobody = Note {
            at: noon(),
            entry: Some(crate::ids::EntryId(4711)),
            attempt: None,
            kind: "x",
            detail: String::new(),
        };
        let jobs: Vec<_> = (0..40_u32)
            .map(|n| {
                let good = desk.ledger.enrol(run, &[draft(&format!("P-{n}"), 101)], noon());
                (good, desk.ledger.note(run, nobody.clone()))
            })
            .collect();
        for (good, bad) in jobs {
            assert_eq!(good.await.expect("its neighbour's fault is not its own").new, 1);
            bad.await.expect_err("there is no such entry");
        }
    });
    assert_eq!((desk.count("entry"), desk.count("event WHERE kind = 'x'")), (40, 0));
}

#[test]
fn whoever_is_no_longer_listed_is_withdrawn_and_taken_back_when_listed_again() {
    let mut desk = Desk::with(&[draft("P-1", 101), draft("P-2", 102)]);
    assert_eq!(desk.next_list(&[draft("P-1", 101)]), 1);
    desk.check_states(&[("P-1", State::Ready), ("P-2", State::Withdrawn)]);
    assert_eq!(desk.next_list(&[draft("P-2", 102), draft("P-1", 101)]), 0);
    desk.check_states(&[("P-1", State::Ready), ("P-2", State::Ready)]);
}

#[test]
fn what_a_list_says_while_a_call_is_under_way_is_heeded_when_it_ends() {
    let booked = Draft { standing: Standing::Suppressed(Reason::Booked), ..draft("P-1", 101) };
    let unsure = Draft { standing: Standing::Held(Reason::ConsentBlank), ..draft("P-1", 101) };
    let cases: [(Vec<Vec<Draft>>, State); 5] = [
        (vec![vec![draft("P-1", 101)]], State::Waiting),
        (vec![vec![booked.clone()]], State::Suppressed),
        (vec![vec![unsure]], State::Held),
        (vec![vec![]], State::Withdrawn),
        (vec![vec![booked], vec![draft("P-1", 101)]], State::Waiting),
    ];
    for (lists, expected) in cases {
        let mut desk = Desk::with(&[draft("P-1", 101)]);
        let claimed = desk.claim();
        desk.record(vec![happened(&claimed[0], Fact::Accepted)]).expect("recorded");
        for list in &lists {
            assert_eq!(desk.next_list(list), 0, "nobody under way is withdrawn at once");
        }
        desk.check_states(&[("P-1", State::Open)]);
        let redial = Some(noon() + TimeDelta::days(3));
        desk.record(vec![ended(&claimed[0], Outcome::NoAnswer, redial)]).expect("recorded");
        desk.check_states(&[("P-1", expected)]);
    }
}

#[test]
fn an_edited_number_is_the_one_that_is_called_next() {
    let mut desk = Desk::with(&[draft("P-1", 101)]);
    let claimed = desk.claim();
    desk.record(vec![happened(&claimed[0], Fact::Accepted)]).expect("recorded");
    desk.next_list(&[draft("P-1", 107)]);
    desk.record(vec![ended(&claimed[0], Outcome::NoAnswer, Some(noon()))]).expect("recorded");
    assert!(desk.claim().is_empty(), "it is the same patient, called a moment ago");
    // A week later, in the morning: at another part of the day.
    let later = noon() + TimeDelta::days(8) - TimeDelta::hours(2);
    assert_eq!(desk.claim_at(later).authorised[0].to, number(107));
    assert_eq!(desk.count("attempt WHERE to_number = '+13125550101'"), 1, "the call that was made stays as it was");
}

/// Whoever leaves the list and comes back with another number is not called sooner for it. (That the number after a wrong
/// one is called at once, `tests/numbers.rs` shows.)
#[test]
fn another_number_waits_for_the_gap_as_the_first_one_would() {
    let mut desk = Desk::with(&[draft("P-1", 101)]);
    let claimed = desk.claim();
    desk.record(vec![happened(&claimed[0], Fact::Accepted)]).expect("recorded");
    desk.record(vec![ended(&claimed[0], Outcome::NoAnswer, Some(noon()))]).expect("recorded");
    desk.next_list(&[]);
    desk.next_list(&[draft("P-1", 107)]);
    desk.check_states(&[("P-1", State::Ready)]);
    let claims = desk.claim_at(noon());
    let waits: Vec<_> = claims.set_aside.iter().map(|aside| (aside.state, aside.reason)).collect();
    assert_eq!((claims.authorised.len(), waits), (0, vec![(State::Waiting, Reason::RedialGap)]));
}

#[test]
fn whom_nobody_could_follow_to_the_end_a_person_may_settle() {
    let desk = Desk::with(&[draft("P-1", 101)]);
    let claimed = desk.claim();
    desk.record(vec![happened(&claimed[0], Fact::Accepted)]).expect("recorded");
    desk.record(vec![happened(&claimed[0], Fact::TrackLost)]).expect("recorded");
    desk.check_states(&[("P-1", State::LostTrack)]);
    let mut operator = Operator::open(&path_in(&desk.folder), noon()).expect("the ledger");
    let settled = operator.resolve(claimed[0].entry, Resolution::Cancel, "somebody", noon()).expect("settled");
    assert_eq!(settled, State::Cancelled);
    assert!(desk.claim().is_empty());
}

#[test]
fn the_database_allows_exactly_the_transitions_that_the_program_decides() {
    let desk = Desk::new();
    let conn = desk.committed();
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
fn a_step_from_where_the_entry_does_not_stand_is_refused() {
    let desk = Desk::with(&[draft("P-1", 101)]);
    let conn = desk.committed();
    let step = |from| transition::Step {
        run: desk.run.run,
        entry: crate::ids::EntryId(1),
        attempt: None,
        at: noon(),
        from,
        fact: &Fact::TooLate,
        detail: None,
    };
    let stale = step(State::Waiting).take(&conn);
    assert!(matches!(stale, Err(LedgerError::Conflict)), "{stale:?}");
    desk.check_states(&[("P-1", State::Ready)]);
    assert_eq!(step(State::Ready).take(&conn).expect("it stands there"), State::Expired);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..proptest::prelude::ProptestConfig::with_cases(64) })]

    /// Random facts, one after the other: the ledger takes one if the two state machines do, ends where they end, and
    /// is otherwise untouched.
    #[test]
    fn the_ledger_follows_the_state_machines(facts in proptest::collection::vec(0..Fact::every_shape().len(), 1..12)) {
        let desk = Desk::with(&[draft("P-1", 101)]);
        let claimed = &desk.claim()[0];
        let mut model = (State::Submitting, AttemptState::Submitting);
        for fact in facts.into_iter().map(|at| Fact::every_shape().swap_remove(at)) {
            let after = model.0.after(&fact).ok().zip(model.1.after(&fact));
            let recorded = desk.record(vec![happened(claimed, fact)]);
            proptest::prop_assert_eq!(recorded.is_ok(), after.is_some());
            model = after.unwrap_or(model);
            let stored: (String, String) = desk
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
    let desk = Desk::with(&[draft("P-1", 101)]);
    let error = desk.committed().execute("UPDATE entry SET state = 'lost_track'", []);
    let error = error.expect_err("the trigger refuses it").to_string();
    assert!(error.contains("illegal transition"), "{error}");
}

#[test]
fn events_are_neither_changed_nor_removed() {
    let desk = Desk::with(&[draft("P-1", 101)]);
    for statement in ["UPDATE event SET detail = 'x'", "DELETE FROM event"] {
        let error = desk.committed().execute(statement, []).expect_err("the trigger refuses it").to_string();
        assert!(error.contains("append-only"), "{error}");
    }
}

#[test]
fn the_words_of_attempts_are_the_programs() {
    let desk = Desk::new();
    let table: String = desk
        .committed()
        .query_row("SELECT sql FROM sqlite_schema WHERE name = 'attempt'", [], |row| row.get(0))
        .expect("the table");
    for state in AttemptState::ALL {
        assert!(table.contains(&format!("'{}'", state.name())), "{}", state.name());
    }
}

#[test]
fn a_number_suppressed_after_the_claim_is_found_by_the_last_look() {
    let desk = Desk::with(&[draft("1", 101)]);
    let claimed = desk.claim();
    let look = |at| now_or_never(desk.ledger.forbids(claimed[0].to, desk.campaign.purpose, at)).expect("a look");
    assert!(!look(noon()));
    let mut operator = Operator::open(&path_in(&desk.folder), noon()).expect("an operator");
    let until = noon() + TimeDelta::hours(1);
    let ban = Ban { scope: Scope::All, source: "operator", expires: Some(until) };
    operator.suppress([claimed[0].to], ban, noon()).expect("suppressed");
    assert!(look(noon()));
    assert!(!look(until), "a ban ends when it says");
}
