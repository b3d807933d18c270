//! Several organisations in one run, on virtual time: each at its own pace, and none delayed by another's problems.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use callrounds::campaign::Campaign;
use callrounds::clock::{Clock, ScaledClock, SharedClock};
use callrounds::ending::Ending;
use callrounds::engine::{Engine, Event, RefusedByVendor, RunResult, StopReason};
use callrounds::entry::{ListCounts, NewEntry, OutcomeSignals, State};
use callrounds::ids::{ConversationId, Location, OrganisationId};
use callrounds::ledger::{Ledger, StateCounts};
use callrounds::phone::E164;
use callrounds::vendor::{
    CallRequest, Concern, Conversation, LostAnswer, Medium, NotPlaced, Page, ReadError, Reply, Response, Status, Vendor,
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::support::fixtures::{self, CONSENT, ONE_CALL_EACH, REQUIRED, SIMULATOR};

/// Ten in the morning in Chicago, on a Tuesday.
const START: &str = "2026-11-24T16:00:00Z";

/// The caller id of the first organisation's second location.
const ANNEX: &str = "+13125550160";

/// How an organisation's vendor behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behaviour {
    Normal,
    /// Every answer takes this many seconds.
    Slow(i64),
    RejectsCredentials,
    /// It accepts every call, but no answer to a call arrives.
    LosesAnswers,
    /// It blocks the annex's caller id. If `announced`, it says so when asked; otherwise only by refusing calls.
    BlocksAnnex {
        announced: bool,
    },
}

/// One organisation's vendor, whose conversations last a minute.
struct FakeVendor {
    name: usize,
    behaviour: Behaviour,
    clock: Arc<ScaledClock>,
    calls: Mutex<Vec<Call>>,
    /// Requests for calls from a blocked caller id.
    blocked_requests: Mutex<usize>,
}

#[derive(Clone)]
struct Call {
    at: DateTime<Utc>,
    from: E164,
    to: E164,
}

impl FakeVendor {
    /// The same vendor, behaving normally.
    fn as_normal(&self) -> Self {
        let calls = Mutex::new(self.calls().clone());
        Self {
            name: self.name,
            behaviour: Behaviour::Normal,
            clock: Arc::clone(&self.clock),
            calls,
            blocked_requests: Mutex::default(),
        }
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer<T>(&self, value: T) -> Response<T> {
        if let Behaviour::Slow(seconds) = self.behaviour {
            self.clock.sleep(TimeDelta::seconds(seconds)).await;
        }
        Response { date: Some(self.clock.now()), ..Response::bare(value) }
    }

    fn id(&self, at: usize) -> ConversationId {
        ConversationId::new(format!("{}-{at}", self.name))
    }

    fn conversation_at(&self, at: usize, call: &Call) -> Conversation {
        let is_over = self.clock.now() - call.at > TimeDelta::minutes(1);
        Conversation {
            medium: Medium::read(Some("VOICE")),
            id: self.id(at),
            from: Some(call.from),
            to: Some(call.to),
            started: Some(call.at),
            ended: is_over.then(|| call.at + TimeDelta::minutes(1)),
            status: if is_over { Status::Closed } else { Status::Open },
            signals: OutcomeSignals { duration: Some(60.0), ..OutcomeSignals::default() },
        }
    }

    fn read<T>(&self, value: T) -> Result<T, ReadError> {
        if self.behaviour == Behaviour::RejectsCredentials { Err(ReadError::Unauthorised(401)) } else { Ok(value) }
    }
}

impl Vendor for FakeVendor {
    async fn place(&self, call: CallRequest) -> Response<Reply> {
        if self.behaviour == Behaviour::RejectsCredentials {
            return self.answer(Reply::NotPlaced(NotPlaced::refused(401, Concern::Credentials))).await;
        }
        if matches!(self.behaviour, Behaviour::BlocksAnnex { .. }) && call.from.expose() == ANNEX {
            *self.blocked_requests.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            return self.answer(Reply::NotPlaced(NotPlaced::refused(403, Concern::CallerId))).await;
        }
        let at = {
            let mut calls = self.calls();
            calls.push(Call { at: self.clock.now(), from: call.from, to: call.to });
            calls.len() - 1
        };
        if self.behaviour == Behaviour::LosesAnswers {
            self.clock.sleep(TimeDelta::seconds(30)).await;
            return Response::bare(Reply::Lost(LostAnswer::Timeout));
        }
        self.answer(Reply::Accepted(self.id(at))).await
    }

    async fn page(&self, offset: u64, limit: u32) -> Response<Result<Page, ReadError>> {
        let (total, conversations) = {
            let calls = self.calls();
            let newest_first = calls.iter().enumerate().rev().skip(offset as usize).take(limit as usize);
            let shown = newest_first.map(|(at, call)| self.conversation_at(at, call)).collect();
            (calls.len() as u64, shown)
        };
        let page = self.read(Page { conversations, rows_without_id: Vec::new(), total: Some(total) });
        self.answer(page).await
    }

    async fn conversation(&self, id: &ConversationId) -> Response<Result<Conversation, ReadError>> {
        let found = (0..)
            .zip(self.calls().iter())
            .find_map(|(at, call)| (self.id(at) == *id).then(|| self.conversation_at(at, call)));
        self.answer(found.ok_or(ReadError::NotFound)).await
    }

    async fn may_call_from(&self, from: E164) -> Response<Result<Option<bool>, ReadError>> {
        let is_blocked = self.behaviour == Behaviour::BlocksAnnex { announced: true } && from.expose() == ANNEX;
        let may = self.read(Some(!is_blocked));
        self.answer(may).await
    }
}

/// A campaign with one location for each organisation. `more` is appended to `[safety]`; its part after `[[each]]` is added
/// to every location.
fn campaign(organisations: usize, more: &str) -> Arc<Campaign> {
    let (more, each) = more.split_once("[[each]]\n").unwrap_or((more, ""));
    let mut text = format!(
        "{REQUIRED}{CONSENT}{ONE_CALL_EACH}{SIMULATOR}[safety]\nsettle = \"120s\"\nstop_on = {{ error_rate = 1.0 }}\n{more}"
    );
    for n in 0..organisations {
        let number = 150 + n;
        write!(
            text,
            "[[line]]\nlocation = \"L{n}\"\norganisation = \"organisation {n}\"\nfrom_number = \"+13125550{number}\"\n{each}"
        )
        .expect("written");
    }
    Arc::new(fixtures::load(&text))
}

fn name(n: usize) -> OrganisationId {
    OrganisationId::new(format!("organisation {n}"))
}

/// The `k`th patient of an organisation.
fn new_entry(n: usize, k: usize) -> NewEntry {
    let area = [773, 708, 630, 847, 224, 331][n];
    let phone = E164::parse(&format!("+1{area}5550{}", 100 + k)).expect("a number");
    NewEntry {
        organisation: name(n),
        location: Some(Location::new(format!("L{n}"))),
        line: (k * 10 + n) as u64 + 2,
        ..fixtures::new_entry(format!("{n}-{k}"), phone)
    }
}

struct RunRecord {
    finished: RunResult,
    vendors: Vec<Arc<FakeVendor>>,
    census: StateCounts,
    clock: Arc<ScaledClock>,
    events: Vec<Event>,
}

impl RunRecord {
    /// The time from the start to an organisation's last call.
    fn took(&self, n: usize) -> TimeDelta {
        let last = self.vendors[n].calls().last().map(|call| call.at);
        last.expect("a call") - START.parse::<DateTime<Utc>>().expect("an instant")
    }

    fn placed(&self) -> Vec<usize> {
        self.vendors.iter().map(|vendor| vendor.calls().len()).collect()
    }

    fn ending(&self, n: usize) -> &StopReason {
        &self.finished.stop_reasons[n].1
    }
}

/// A ledger, a clock, and the vendors of the organisations.
struct Scenario {
    _folder: tempfile::TempDir,
    ledger: Ledger,
    clock: Arc<ScaledClock>,
    vendors: Vec<Arc<FakeVendor>>,
}

impl Scenario {
    fn new(behaviours: &[Behaviour]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let start = START.parse().expect("an instant");
        let clock = Arc::new(ScaledClock::starting_at(start, 1.0).skipping_idle_time());
        let ledger = Ledger::open_inline(&folder.path().join("ledger.db"), start).expect("a ledger");
        let vendor = |(name, behaviour): (usize, &Behaviour)| {
            Arc::new(FakeVendor {
                name,
                behaviour: *behaviour,
                clock: Arc::clone(&clock),
                calls: Mutex::default(),
                blocked_requests: Mutex::default(),
            })
        };
        let vendors = behaviours.iter().enumerate().map(vendor).collect();
        Self { _folder: folder, ledger, clock, vendors }
    }

    /// Runs a campaign with the locations of the first `organisations` organisations on these entries, until `stop`.
    async fn run(
        &self,
        organisations: usize,
        new_entries: Vec<NewEntry>,
        more: &str,
        stop: impl Future<Output = ()> + Send,
    ) -> RunRecord {
        let (now, campaign) = (self.clock.now(), campaign(organisations, more));
        let run = self.ledger.begin_run(Arc::clone(&campaign), true, now).await.expect("a run");
        let tally =
            ListCounts { read: new_entries.len() as u64, accepted: new_entries.len() as u64, ..ListCounts::default() };
        self.ledger.enrol(run, &new_entries, now).await.expect("enrolled");
        self.ledger.close_list(run, tally, false, now).await.expect("closed");
        let vendors = &self.vendors[..organisations];
        let vendors: BTreeMap<_, _> = vendors.iter().map(|vendor| (name(vendor.name), Arc::clone(vendor))).collect();
        let (ledger, clock): (_, SharedClock) = (self.ledger.clone(), self.clock.clone());
        let engine =
            Engine { ledger, vendors, clock, campaign, run, until_done: true, seed: 1, hints: None, exclusions: None };
        let mut events = Vec::new();
        let mut listener = |event: &Event| events.push(event.clone());
        let ended = tokio::time::timeout(Duration::from_hours(48), engine.run(&mut listener, stop)).await;
        let finished = ended.expect("it ends within two days").expect("it runs");
        let (census, _) = self.ledger.counts(run).await.expect("a census");
        RunRecord { finished, vendors: self.vendors.clone(), census, clock: Arc::clone(&self.clock), events }
    }
}

/// The patients of each organisation, in turn.
fn new_entries(organisations: usize, patients: usize) -> Vec<NewEntry> {
    (0..patients).flat_map(|k| (0..organisations).map(move |n| new_entry(n, k))).collect()
}

/// A run over organisations with these behaviours, each with `patients` patients.
async fn run(behaviours: &[Behaviour], patients: usize, more: &str) -> RunRecord {
    let new_entries = new_entries(behaviours.len(), patients);
    Scenario::new(behaviours).run(behaviours.len(), new_entries, more, std::future::pending()).await
}

#[tokio::test(start_paused = true)]
async fn every_organisation_is_called_at_its_own_pace_by_its_own_number() {
    let ran = run(&[Behaviour::Normal; 4], 40, "[rate]\nopen_calls = 100\n").await;
    assert_eq!(ran.finished.stop_reason, StopReason::Done);
    for (n, vendor) in ran.vendors.iter().enumerate() {
        let from = format!("+13125550{}", 150 + n);
        assert!(vendor.calls().iter().all(|call| call.from.expose() == from), "{from}");
        // 40 calls and their reads at 60 requests a minute: the organisations run in parallel, not one after another.
        assert!(ran.took(n) < TimeDelta::seconds(60), "{n}: {}", ran.took(n));
    }
    assert_eq!(ran.placed(), [40; 4]);
    let started = ran.events.iter().filter(|event| matches!(event, Event::Started { .. })).count();
    assert_eq!(started, 1, "one run began");
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_is_slow_or_loses_answers_or_rejects_us_delays_no_other_organisation() {
    let behaviours = [
        Behaviour::Normal,
        Behaviour::Slow(20),
        Behaviour::RejectsCredentials,
        Behaviour::LosesAnswers,
        Behaviour::Normal,
    ];
    let ran = run(&behaviours, 30, "[rate]\nopen_calls = 100\n").await;
    assert!(ran.took(0) < TimeDelta::seconds(60) && ran.took(4) < TimeDelta::seconds(60), "as if alone");
    assert_eq!(ran.ending(0), &StopReason::Done);
    assert_eq!(ran.ending(2), &StopReason::Refused(RefusedByVendor::Credentials));
    assert_eq!(
        ran.finished.stop_reason,
        StopReason::Refused(RefusedByVendor::Credentials),
        "the run ends with the most severe reason"
    );
    let why = ran.finished.explanation();
    assert!(why.contains("organisation 2: the vendor does not accept our credentials"), "{why}");
    assert!(!why.contains("organisation 0"), "{why}");
    // Every call whose answer was lost was found on the vendor's list, and none was placed a second time.
    assert_eq!(ran.placed(), [30, 30, 0, 30, 30]);
    let left = ran.census.count(|group| group.location == Some(Location::new("L2")));
    assert_eq!((ran.census.due_work(), left), (30, 30), "uncalled entries are still due");
}

#[tokio::test(start_paused = true)]
async fn max_calls_is_everybodys_and_ends_the_run_for_all() {
    for limit in [1, 2, 3, 7, 20] {
        let ran =
            run(&[Behaviour::Normal, Behaviour::Slow(5), Behaviour::Normal], 10, &format!("max_calls = {limit}\n"))
                .await;
        assert_eq!(ran.placed().iter().sum::<usize>(), limit, "{limit}");
        assert_eq!(ran.finished.stop_reason, StopReason::MaxCalls { limit: limit as u32 });
        let hours = ran.clock.now() - START.parse::<DateTime<Utc>>().expect("an instant");
        assert!(hours < TimeDelta::hours(1), "{limit}: it ended after {hours}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_organisation_has_a_canary_of_its_own() {
    let ran = run(&[Behaviour::Normal, Behaviour::Normal], 6, "canary = 2\n").await;
    for vendor in &ran.vendors {
        let calls = vendor.calls();
        let third = calls[2].at - calls[1].at;
        assert!(third > TimeDelta::minutes(1), "the first two are over before the third: {third}");
    }
}

#[tokio::test(start_paused = true)]
async fn open_calls_is_what_the_line_says_and_decides_how_often_the_list_is_read() {
    let ran = run(&[Behaviour::Normal, Behaviour::Normal], 4, "[[each]]\nopen_calls = 1\n").await;
    for vendor in &ran.vendors {
        let calls = vendor.calls();
        assert!(calls.windows(2).all(|pair| pair[1].at - pair[0].at > TimeDelta::minutes(1)), "one at a time");
    }
    // No call waits for another to end, so endings need not be read soon.
    let ran =
        run(&[Behaviour::Normal, Behaviour::Normal], 60, "[rate]\nopen_calls = 1\n[[each]]\nopen_calls = 100\n").await;
    let pages = ran.finished.requests.pages;
    assert!(pages <= 16, "{pages} pages for two times sixty calls");
    assert!(ran.took(0) < TimeDelta::seconds(80), "{}", ran.took(0));
}

/// The list of another organisation's account cannot prove that a call is absent.
#[tokio::test(start_paused = true)]
async fn a_lost_call_of_an_organisation_that_the_campaign_has_lost_is_never_taken_for_absent() {
    let scenario = Scenario::new(&[Behaviour::Normal, Behaviour::LosesAnswers]);
    let retrying = "on_lost_answer = \"retry\"\n";
    let soon = scenario.clock.sleep(TimeDelta::seconds(50));
    let stopped = scenario.run(2, new_entries(2, 3), retrying, soon).await;
    let unknown = |ran: &RunRecord| ran.census.count(|group| group.state == State::Unknown);
    assert_eq!((stopped.placed(), unknown(&stopped)), (vec![3, 3], 3), "its answers are lost");

    // Its location is removed from the campaign, then added again.
    let without = scenario.run(1, new_entries(1, 3), retrying, std::future::pending()).await;
    assert_eq!((without.placed(), unknown(&without)), (vec![3, 3], 3));
    let again = scenario.run(2, new_entries(2, 3), retrying, std::future::pending()).await;
    assert_eq!((again.placed(), unknown(&again)), (vec![3, 3], 0), "each was called once, and found");
}

/// The first organisation has a second location, whose caller id is blocked.
#[tokio::test(start_paused = true)]
async fn a_blocked_caller_id_stops_its_location_and_no_other() {
    let annex = Location::new("Annex");
    let line = format!(
        "[rate]\nopen_calls = 100\n[[line]]\nlocation = \"Annex\"\norganisation = \"organisation 0\"\nfrom_number = \"{ANNEX}\"\n"
    );
    for announced in [true, false] {
        let scenario = Scenario::new(&[Behaviour::BlocksAnnex { announced }, Behaviour::Normal]);
        let at_annex = |k| NewEntry { location: Some(annex.clone()), ..new_entry(0, k) };
        // The annex's entries are due first.
        let list =
            || (0..10).map(at_annex).chain((10..40).map(|k| new_entry(0, k))).chain((0..10).map(|k| new_entry(1, k)));
        let ran = scenario.run(2, list().collect(), &line, std::future::pending()).await;
        assert_eq!(ran.placed(), [30, 10], "{announced}");
        let locations = vec![annex.clone()];
        let ending = if announced {
            StopReason::CallerIdsRefused { locations }
        } else {
            let vendor_text = Some("status 403".into());
            StopReason::RefusedInARow { refusal: RefusedByVendor::CallerId, vendor_text, locations }
        };
        assert_eq!(ran.ending(0), &ending);
        assert_eq!((ran.ending(1), ran.finished.stop_reason.ending()), (&StopReason::Done, Ending::VendorRefused));
        assert!(ran.took(0) < TimeDelta::seconds(60), "{}", ran.took(0));
        let why = ran.finished.explanation();
        let says = if announced { "" } else { " (status 403)" };
        assert_eq!(why, format!("organisation 0: the vendor does not let the from_number of Annex call{says}"));
        let events = ran.events.iter().filter(|event| matches!(event, Event::LineRefused { .. })).count();
        assert_eq!(events, 1, "it is reported once");
        let refused = *scenario.vendors[0].blocked_requests.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(if announced { refused == 0 } else { refused == 3 }, "{refused} requests");
        let left = |ran: &RunRecord| {
            let is_left = |state| matches!(state, State::Ready | State::Waiting);
            ran.census.count(|group| group.location == Some(annex.clone()) && is_left(group.state))
        };
        assert_eq!((left(&ran), ran.census.due_work()), (10, 10), "they are still to be called");

        // Once the caller id is allowed, they are called, and nobody is called again.
        let vendors = scenario.vendors.iter().map(|vendor| Arc::new(vendor.as_normal())).collect();
        let again = Scenario { vendors, ..scenario }.run(2, list().collect(), &line, std::future::pending()).await;
        assert_eq!((again.placed(), left(&again)), (vec![40, 10], 0));
        assert_eq!(again.finished.stop_reason, StopReason::Done);
    }
}
