//! What the cases need: a store that is opened for them, and a run on it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::campaign::{Campaign, Redial};
use crate::entry::{AttemptState, Fact, ListCounts, NewEntry, Outcome, State};
use crate::fixtures::{self, CONSENT, REQUIRED, SIMULATOR};
use crate::ids::{ConversationId, EntryId, EntryKey, OrganisationId};
use crate::ledger::{
    AttemptUpdate, CallSubject, CallerId, ClaimRequest, ClaimResult, ClaimScope, ClaimedAttempt, CommitFuture,
    EnrolledList, EnrolmentCounts, EntryRow, EventRow, InFlightAttempt, Ledger, LedgerError, LedgerReader, ListChunk,
    ListEnd, ObservedCall, Operator, OperatorError, ReviewDecision, RunHandle, SuppressionRequest, SuppressionScope,
};
use crate::phone::E164;
use crate::policy::CallRules;

/// A store that holds nothing at first and is gone with this value.
pub(super) trait Store {
    /// Opens it for writing; only one ledger may have it open at a time.
    fn ledger(&self, now: DateTime<Utc>) -> Ledger;
    /// Opens it for reading what is committed.
    fn reader(&self) -> LedgerReader;
    /// Opens it for an operator's decision, while a ledger may have it open.
    fn operator(&self, now: DateTime<Utc>) -> Operator;
    /// The committed state of every attempt, oldest first. The ledger's own interface counts most of them only.
    fn attempt_states(&self) -> Vec<AttemptState>;
}

/// Makes a new store.
pub(super) type Opener = fn() -> Box<dyn Store>;

/// A store with a run of one campaign.
pub(super) struct Fixture {
    /// `None` while it is closed.
    ledger: Option<Ledger>,
    store: Box<dyn Store>,
    pub(super) campaign: Arc<Campaign>,
    pub(super) run: RunHandle,
}

pub(super) fn noon() -> DateTime<Utc> {
    "2026-11-24T18:00:00Z".parse().expect("an instant")
}

pub(super) fn number(last: u32) -> E164 {
    E164::parse(&format!("+1312555{last:04}")).expect("a good number")
}

pub(super) fn our_caller_id() -> CallerId {
    CallerId { organisation: OrganisationId::new("Bright Smile Dental"), from: number(142) }
}

pub(super) fn entry(key: &str, last: u32) -> NewEntry {
    fixtures::new_entry(key, number(last))
}

/// Waits until the work is committed.
pub(super) fn committed<T>(work: CommitFuture<T>) -> Result<T, LedgerError> {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(work)
}

impl Fixture {
    pub(super) fn new(open: Opener) -> Self {
        Self::on(open())
    }

    /// A new store with these entries enrolled.
    pub(super) fn with(open: Opener, entries: &[NewEntry]) -> Self {
        let fixture = Self::new(open);
        fixture.enrol(entries);
        fixture
    }

    pub(super) fn on(store: Box<dyn Store>) -> Self {
        let ledger = store.ledger(noon());
        let campaign = Arc::new(fixtures::load(&format!("{REQUIRED}{CONSENT}{SIMULATOR}")));
        let run = committed(ledger.begin_run(Arc::clone(&campaign), true, noon())).expect("a run");
        Self { ledger: Some(ledger), store, campaign, run }
    }

    pub(super) fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().expect("it is open")
    }

    /// The program ends.
    pub(super) fn close(&mut self) {
        self.ledger = None;
    }

    /// The program ends, and another one opens the store.
    pub(super) fn reopen(&mut self, now: DateTime<Utc>) {
        self.close();
        self.ledger = Some(self.store.ledger(now));
    }

    pub(super) fn reader(&self) -> LedgerReader {
        self.store.reader()
    }

    pub(super) fn operator(&self, now: DateTime<Utc>) -> Operator {
        self.store.operator(now)
    }

    pub(super) fn attempt_states(&self) -> Vec<AttemptState> {
        self.store.attempt_states()
    }

    pub(super) fn enrol(&self, entries: &[NewEntry]) -> EnrolmentCounts {
        committed(self.ledger().enrol(self.run, entries, noon())).expect("enrolled")
    }

    /// Starts another run with a list that withdraws the entries that it lacks. Returns how many.
    pub(super) fn next_list(&mut self, entries: &[NewEntry]) -> u64 {
        let campaign = Arc::clone(&self.campaign);
        self.run = committed(self.ledger().begin_run(campaign, true, noon())).expect("a run");
        self.enrol(entries);
        let (read, accepted) = (entries.len() as u64, entries.len() as u64);
        let counts = ListCounts { read, accepted, ..ListCounts::default() };
        committed(self.ledger().close_list(self.run, counts, true, noon())).expect("closed")
    }

    /// A call to the number that another copy of the ledger placed two days ago is taken over, and not yet read.
    pub(super) fn late_call_to(&self, last: u32) -> InFlightAttempt {
        let call = ObservedCall {
            conversation: ConversationId::new("of-another-copy"),
            from: our_caller_id().from,
            to: number(last),
            started: noon() - TimeDelta::days(2),
        };
        let taken_over = self.ledger().take_over_calls(self.run, our_caller_id(), vec![call], noon());
        committed(taken_over).expect("taken over").swap_remove(0)
    }

    /// The exclude list names this patient while the run is under way. Returns the entries suppressed now.
    pub(super) fn exclude(&self, key: &'static str) -> Vec<EntryId> {
        let is_excluded = Arc::new(move |excluded: &EntryKey| excluded.as_str() == key);
        committed(self.ledger().exclude(self.run, is_excluded, noon())).expect("excluded")
    }

    /// A person decides about every conversation of the entry that waits for one.
    pub(super) fn review(
        &self,
        entry: EntryId,
        decision: ReviewDecision,
        rules: &Redial,
        now: DateTime<Utc>,
    ) -> Result<State, OperatorError> {
        let pending = self.reader().pending_reviews(None).expect("reviews");
        let shown: Vec<_> =
            pending.iter().filter(|review| review.entry == entry).map(|review| review.attempt).collect();
        self.operator(now).review(entry, &shown, decision, rules, "somebody", now)
    }

    /// Starts another run with a list that may withdraw at most this fraction of the entries still to be called.
    pub(super) fn next_list_at_most_withdrawing(
        &mut self,
        entries: &[NewEntry],
        rate: f64,
    ) -> Result<EnrolledList, LedgerError> {
        let (read, accepted) = (entries.len() as u64, entries.len() as u64);
        let counts = ListCounts { read, accepted, ..ListCounts::default() };
        let end = ListChunk::End(ListEnd { counts, max_withdraw_rate: Some(rate), plan: None });
        let chunks = vec![ListChunk::Entries(entries.iter().collect()), end];
        let campaign = Arc::clone(&self.campaign);
        let listed = committed(self.ledger().enrol_list(campaign, true, chunks.into_iter(), read, noon()))?;
        self.run = listed.run;
        Ok(listed)
    }

    /// All entries.
    pub(super) fn scope(&self) -> ClaimScope {
        ClaimScope::for_organisation(self.campaign.practice.organisation.clone())
    }

    pub(super) fn claim_at(&self, now: DateTime<Utc>) -> ClaimResult {
        self.claim_for(self.run, now, 10)
    }

    pub(super) fn claim_for(&self, run: RunHandle, now: DateTime<Utc>, limit: u32) -> ClaimResult {
        let request = ClaimRequest { run, campaign: Arc::clone(&self.campaign), scope: self.scope(), now, limit };
        committed(self.ledger().claim(request)).expect("a claim")
    }

    pub(super) fn claim(&self) -> Vec<ClaimedAttempt> {
        self.claim_at(noon()).claimed
    }

    pub(super) fn record(&self, updates: Vec<AttemptUpdate>) -> Result<Vec<State>, LedgerError> {
        committed(self.ledger().record(self.run, updates))
    }

    /// Suppresses a number for every purpose.
    pub(super) fn suppress(&self, phone: E164, expires: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        let request = SuppressionRequest { scope: SuppressionScope::All, source: "operator", expires };
        self.operator(now).suppress([phone], request, now).expect("suppressed");
    }

    /// The committed rows of all patients, household members included, by entry.
    pub(super) fn rows(&self) -> Vec<EntryRow> {
        rows(&self.reader(), self.run)
    }

    /// The committed row of the entry with this key.
    pub(super) fn row(&self, key: &str) -> EntryRow {
        let found = |row: &EntryRow| row.key.as_str() == key && !row.covered_by_household;
        self.rows().into_iter().find(found).expect("an entry with this key")
    }

    /// When the number was called, oldest call first.
    pub(super) fn calls_to(&self, last: u32) -> Vec<DateTime<Utc>> {
        let NewEntry { ref key, phone, ref zones, not_after, .. } = entry("P-0", last);
        let rules = CallRules::new(&self.campaign, &self.campaign.practice, phone, zones);
        let (purpose, rules) = (self.campaign.purpose, Some(&rules));
        let covers = &[];
        let subject = CallSubject { campaign: None, purpose, entry: None, key, covers, phone, not_after, rules };
        let facts = self.reader().call_facts(subject, noon()).expect("facts");
        facts.history.placements.iter().map(|placement| placement.at).collect()
    }

    #[track_caller]
    pub(super) fn check_states(&self, expected: &[(&str, State)]) {
        let rows = self.rows();
        let entries = rows.iter().filter(|row| !row.covered_by_household);
        assert_eq!(entries.map(|row| (row.key.as_str(), row.state)).collect::<Vec<_>>(), expected);
    }

    /// The events of the entries with these numbers, oldest first.
    pub(super) fn events_of(&self, entries: impl IntoIterator<Item = i64>) -> Vec<EventRow> {
        let reader = self.reader();
        entries.into_iter().flat_map(|entry| reader.events_of(EntryId(entry)).expect("events")).collect()
    }
}

/// The rows of all patients of the run's campaign, by entry.
pub(super) fn rows(reader: &LedgerReader, run: RunHandle) -> Vec<EntryRow> {
    let mut rows = Vec::new();
    let taken = reader.each_entry(run, noon(), |row| {
        rows.push(row);
        Ok::<_, LedgerError>(())
    });
    taken.expect("rows");
    rows.sort_by_key(|row| row.entry);
    rows
}

pub(super) fn update(of: &ClaimedAttempt, fact: Fact) -> AttemptUpdate {
    let &ClaimedAttempt { attempt, entry, .. } = of;
    let conversation =
        matches!(fact, Fact::Accepted | Fact::Adopted).then(|| ConversationId::new(format!("c-{attempt}")));
    AttemptUpdate {
        attempt,
        entry,
        at: noon(),
        fact,
        conversation,
        started: None,
        ended: None,
        words: None,
        patient_died: false,
        detail: None,
    }
}

pub(super) fn ended(of: &ClaimedAttempt, outcome: Outcome, redial: Option<DateTime<Utc>>) -> AttemptUpdate {
    update(of, Fact::Ended { outcome, redial })
}
