//! Unusual answers: the engine with a vendor that refuses some calls or all of them, and with one that fails. One unusual
//! answer must not stop everything.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use callrounds::campaign::Campaign;
use callrounds::clock::{Clock, ScaledClock, SharedClock};
use callrounds::engine::{Engine, Event, Outage, RefusedByVendor, RunResult, StopReason};
use callrounds::entry::{ListCounts, NewEntry, OutcomeSignals, Reason, State};
use callrounds::ids::{ConversationId, EntryId, Location};
use callrounds::ledger::{Ledger, Operator, Resolution};
use callrounds::phone::E164;
use callrounds::vendor::{
    CallRequest, Concern, Conversation, LostAnswer, Medium, NotPlaced, Page, ReadError, Refused, Reply, Response,
    Status, Vendor,
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::support::fixtures::{self, CONSENT, ONE_CALL_EACH, REQUIRED, SIMULATOR, new_entry};

const ANNEX: &str = "+13125550143";

/// The vendor's reply to a call, given the number of earlier requests for the same patient and the time.
type ReplyRule = Box<dyn Fn(&CallRequest, usize, DateTime<Utc>) -> Reply + Send + Sync>;

/// The error of the nth read, if it fails.
type ReadFault = Box<dyn Fn(usize) -> Option<ReadError> + Send + Sync>;

struct FakeVendor {
    clock: SharedClock,
    reply_to: ReplyRule,
    read_fault: ReadFault,
    /// The longest page that the client accepts, in conversations.
    max_page_rows: u32,
    status: Status,
    requested: Mutex<Vec<(DateTime<Utc>, E164)>>,
    list: Mutex<Vec<Conversation>>,
    reads: Mutex<usize>,
    /// Calls in flight, and their maximum so far.
    in_flight: Mutex<(u32, u32)>,
}

impl FakeVendor {
    fn answer<T>(&self, value: T) -> Response<T> {
        Response { date: Some(self.clock.now()), ..Response::bare(value) }
    }

    fn read<T>(&self, value: impl FnOnce() -> T) -> Result<T, ReadError> {
        let mut reads = self.reads.lock().expect("reads");
        *reads += 1;
        (self.read_fault)(*reads).map_or_else(|| Ok(value()), Err)
    }

    /// The conversation as of now: it ends after a minute.
    fn current_view(&self, conversation: &Conversation) -> Conversation {
        let started = conversation.started.expect("all have started");
        let is_over = self.clock.now() - started > TimeDelta::minutes(1);
        Conversation {
            ended: is_over.then(|| started + TimeDelta::minutes(1)),
            status: if is_over { self.status } else { Status::Open },
            ..conversation.clone()
        }
    }
}

fn conversation(id: &ConversationId, call: &CallRequest, started: DateTime<Utc>) -> Conversation {
    Conversation {
        medium: Medium::read(Some("VOICE")),
        id: id.clone(),
        from: Some(call.from),
        to: Some(call.to),
        started: Some(started),
        ended: None,
        status: Status::Open,
        signals: OutcomeSignals::default(),
    }
}

impl Vendor for FakeVendor {
    async fn place(&self, call: CallRequest) -> Response<Reply> {
        let now = self.clock.now();
        let earlier_requests = {
            let mut requested = self.requested.lock().expect("calls");
            requested.push((now, call.to));
            requested.iter().filter(|(_, to)| *to == call.to).count() - 1
        };
        {
            let mut in_flight = self.in_flight.lock().expect("in flight");
            in_flight.0 += 1;
            in_flight.1 = in_flight.1.max(in_flight.0);
        }
        self.clock.sleep(TimeDelta::seconds(1)).await;
        self.in_flight.lock().expect("in flight").0 -= 1;
        let reply = (self.reply_to)(&call, earlier_requests, now);
        if let Reply::Accepted(id) = &reply {
            self.list.lock().expect("a list").push(conversation(id, &call, now));
        }
        self.answer(reply)
    }

    async fn page(&self, offset: u64, limit: u32) -> Response<Result<Page, ReadError>> {
        let read = self.read(|| {
            let list = self.list.lock().expect("a list");
            let shown = list.iter().rev().skip(offset as usize).take(limit as usize).map(|one| self.current_view(one));
            let conversations: Vec<_> = shown.collect();
            Page { conversations, rows_without_id: Vec::new(), total: Some(list.len() as u64) }
        });
        let is_long = |page: &Page| page.conversations.len() as u32 > self.max_page_rows;
        self.answer(read.and_then(|page| if is_long(&page) { Err(ReadError::TooLong) } else { Ok(page) }))
    }

    async fn conversation(&self, id: &ConversationId) -> Response<Result<Conversation, ReadError>> {
        let list = self.list.lock().expect("a list");
        let found = list.iter().find(|one| one.id == *id).map(|one| self.current_view(one));
        self.answer(found.ok_or(ReadError::NotFound))
    }

    async fn may_call_from(&self, _from: E164) -> Response<Result<Option<bool>, ReadError>> {
        let read = self.read(|| Some(true));
        self.answer(read)
    }
}

/// A ledger, a campaign, and a vendor.
struct Scenario {
    folder: tempfile::TempDir,
    ledger: Ledger,
    campaign: Arc<Campaign>,
    clock: Arc<ScaledClock>,
    vendor: FakeVendor,
}

/// The result of a run, and what it left behind.
struct RunRecord {
    folder: tempfile::TempDir,
    ledger: Ledger,
    campaign: Arc<Campaign>,
    vendor: Arc<FakeVendor>,
    finished: RunResult,
    events: Vec<Event>,
    states: BTreeMap<State, u64>,
    /// Entries that are still due.
    due: u64,
    now: DateTime<Utc>,
}

impl Scenario {
    fn new(reply_to: impl Fn(&CallRequest, usize, DateTime<Utc>) -> Reply + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let noon: DateTime<Utc> = "2026-12-01T16:00:00Z".parse().expect("an instant");
        let clock = Arc::new(ScaledClock::starting_at(noon, 1.0));
        let ledger = Ledger::open_inline(&folder.path().join("ledger.db"), noon).expect("a ledger");
        let vendor = FakeVendor {
            clock: clock.clone(),
            reply_to: Box::new(reply_to),
            read_fault: Box::new(|_| None),
            max_page_rows: 100,
            status: Status::Closed,
            requested: Mutex::default(),
            list: Mutex::default(),
            reads: Mutex::default(),
            in_flight: Mutex::default(),
        };
        Self { folder, ledger, campaign: campaign(""), clock, vendor }
    }

    async fn run(self, patients: u32) -> RunRecord {
        self.run_over((0..patients).map(patient).collect()).await
    }

    async fn run_over(self, new_entries: Vec<NewEntry>) -> RunRecord {
        let Self { folder, ledger, campaign, clock, vendor } = self;
        let vendor = Arc::new(vendor);
        let now = clock.now();
        let run = ledger.begin_run(campaign.clone(), true, now).await.expect("a run");
        ledger.enrol(run, &new_entries, now).await.expect("enrolled");
        let count = new_entries.len() as u64;
        let tally = ListCounts { read: count, accepted: count, ..ListCounts::default() };
        ledger.close_list(run, tally, false, now).await.expect("closed");
        let engine = Engine {
            ledger: ledger.clone(),
            vendors: [(campaign.practice.organisation.clone(), vendor.clone())].into(),
            clock: clock.clone(),
            campaign: campaign.clone(),
            run,
            until_done: false,
            seed: 1,
            hints: None,
            exclusions: None,
        };
        let mut events = Vec::new();
        let finished = engine
            .run(&mut |event: &Event| events.push(event.clone()), std::future::pending())
            .await
            .expect("no error in the program");
        let (census, _) = ledger.counts(run).await.expect("a census");
        let mut states = BTreeMap::new();
        for group in &census.0 {
            *states.entry(group.state).or_default() += group.count;
        }
        let (due, now) = (census.due_work(), clock.now());
        RunRecord { folder, ledger, campaign, vendor, finished, events, states, due, now }
    }
}

impl RunRecord {
    fn in_state(&self, state: State) -> u64 {
        self.states.get(&state).copied().unwrap_or_default()
    }

    fn requests(&self) -> usize {
        self.vendor.requested.lock().expect("calls").len()
    }

    fn requests_for(&self, n: u32) -> usize {
        let requested = self.vendor.requested.lock().expect("calls");
        requested.iter().filter(|(_, to)| *to == number(n)).count()
    }

    fn count(&self, what: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| what(event)).count()
    }

    /// Runs a query on the ledger that returns one text.
    fn query_text(&self, query: &str) -> String {
        let ledger = rusqlite::Connection::open(self.folder.path().join("ledger.db")).expect("the ledger");
        ledger.query_row(query, [], |row| row.get(0)).expect("a text")
    }
}

fn campaign(more: &str) -> Arc<Campaign> {
    let more =
        format!("[list]\non_absent = \"keep\"\n[safety]\nsettle = \"120s\"\nstop_on = {{ error_rate = 1.0 }}\n{more}");
    Arc::new(fixtures::load(&format!("{REQUIRED}{CONSENT}{ONE_CALL_EACH}{SIMULATOR}{more}")))
}

fn two_locations() -> Arc<Campaign> {
    campaign(&format!("[[line]]\nlocation = \"Main\"\n[[line]]\nlocation = \"Annex\"\nfrom_number = \"{ANNEX}\"\n"))
}

fn number(n: u32) -> E164 {
    E164::parse(&format!("+1773555{:04}", 100 + n)).expect("a number")
}

fn patient(n: u32) -> NewEntry {
    new_entry(format!("P-{n}"), number(n))
}

fn at(location: &str, n: u32) -> NewEntry {
    NewEntry { location: Some(Location::new(location)), ..patient(n) }
}

fn accepted(call: &CallRequest) -> Reply {
    Reply::Accepted(ConversationId::new(format!("c-{}", &call.to.expose()[1..])))
}

fn refused(status: u16, concern: Concern, words: &str) -> Reply {
    Reply::NotPlaced(NotPlaced::Refused(Refused { status, concern, message: words.into() }))
}

fn in_a_row(refusal: RefusedByVendor, vendor_text: &str, locations: &[&str]) -> StopReason {
    let locations = locations.iter().map(|name| Location::new(*name)).collect();
    StopReason::RefusedInARow { refusal, vendor_text: Some(vendor_text.into()), locations }
}

#[tokio::test(start_paused = true)]
async fn refusals_of_destinations_and_texts_stop_nothing_however_many_they_are() {
    for concern in [Concern::Destination, Concern::Content] {
        let scenario = Scenario::new(move |call, _, _| {
            if call.to == number(29) { accepted(call) } else { refused(403, concern, "landlines are not supported") }
        });
        let ran = scenario.run(30).await;
        assert_eq!(ran.finished.stop_reason, StopReason::Done, "{concern:?}");
        assert_eq!((ran.in_state(State::Failed), ran.in_state(State::Finished), ran.requests()), (29, 1, 30));
        let detail = ran.query_text("SELECT detail FROM event WHERE kind = 'refused' LIMIT 1");
        assert_eq!(detail, "status 403: \"landlines are not supported\"");
    }
}

#[tokio::test(start_paused = true)]
async fn a_vendor_without_a_free_place_is_asked_seldom_and_everybody_is_called_once_it_has_one() {
    let scenario = Scenario::new(move |call, _, now| {
        let has_places = now >= "2026-12-01T16:10:00Z".parse::<DateTime<Utc>>().expect("an instant");
        if has_places { accepted(call) } else { refused(429, Concern::ConcurrentCalls, "all lines are in use") }
    });
    let ran = scenario.run(30).await;
    assert_eq!(ran.finished.stop_reason, StopReason::Done);
    assert_eq!(ran.in_state(State::Finished), 30, "{:?}", ran.states);
    let refusals = ran.requests() - 30;
    assert!((20..60).contains(&refusals), "{refusals} refused in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn one_patient_who_is_refused_for_no_known_reason_stops_nobody_and_is_tried_once_more() {
    let scenario =
        Scenario::new(
            |call, _, _| {
                if call.to == number(0) { refused(405, Concern::Unknown, "no") } else { accepted(call) }
            },
        );
    let ran = scenario.run(12).await;
    assert_eq!(ran.finished.stop_reason, StopReason::Done);
    assert_eq!((ran.in_state(State::Failed), ran.in_state(State::Finished)), (1, 11), "{:?}", ran.states);
    assert_eq!((ran.requests_for(0), ran.requests()), (2, 13));
}

#[tokio::test(start_paused = true)]
async fn three_patients_in_a_row_stop_the_location_and_everybody_is_still_to_be_called() {
    for (concern, refusal) in
        [(Concern::Unknown, RefusedByVendor::Unexplained), (Concern::CallerId, RefusedByVendor::CallerId)]
    {
        let scenario = Scenario::new(move |_, _, _| refused(403, concern, "no"));
        let ran = scenario.run(30).await;
        assert_eq!(ran.finished.stop_reason, in_a_row(refusal, "status 403: \"no\"", &[]));
        assert_eq!((ran.in_state(State::Ready), ran.requests()), (30, 3), "{:?}", ran.states);
    }
}

#[tokio::test(start_paused = true)]
async fn a_location_that_is_refused_stops_alone() {
    let scenario =
        Scenario::new(
            |call, _, _| {
                if call.from.expose() == ANNEX { refused(400, Concern::Unknown, "no") } else { accepted(call) }
            },
        );
    let new_entries = (0..10).map(|n| at("Annex", n)).chain((10..20).map(|n| at("Main", n))).collect();
    let ran = Scenario { campaign: two_locations(), ..scenario }.run_over(new_entries).await;
    assert_eq!(ran.finished.stop_reason, in_a_row(RefusedByVendor::Unexplained, "status 400: \"no\"", &["Annex"]));
    assert_eq!((ran.in_state(State::Ready), ran.in_state(State::Finished), ran.requests()), (10, 10, 13));
    assert_eq!(ran.count(|event| matches!(event, Event::LineRefused { .. })), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_account_stops_the_organisation_after_three_whichever_location_calls() {
    let scenario = Scenario::new(|_, _, _| refused(402, Concern::Account, "monthly limit reached"));
    let new_entries = (0..10).map(|n| at("Annex", n)).chain((10..20).map(|n| at("Main", n))).collect();
    let ran = Scenario { campaign: two_locations(), ..scenario }.run_over(new_entries).await;
    assert_eq!(
        ran.finished.stop_reason,
        in_a_row(RefusedByVendor::Account, "status 402: \"monthly limit reached\"", &[])
    );
    assert_eq!((ran.in_state(State::Ready), ran.requests()), (20, 3));
}

#[tokio::test(start_paused = true)]
async fn with_fewer_than_three_patients_left_nobody_is_tried_for_ever_and_all_stay_ready() {
    for patients in [1, 2] {
        let ran = Scenario::new(|_, _, _| refused(403, Concern::Unknown, "no")).run(patients).await;
        assert_eq!(ran.finished.stop_reason, in_a_row(RefusedByVendor::Unexplained, "status 403", &[]), "{patients}");
        assert_eq!(ran.in_state(State::Ready), u64::from(patients));
        assert!(ran.requests() <= patients as usize + 1, "{patients}: {} requests", ran.requests());
    }
}

#[tokio::test(start_paused = true)]
async fn two_refusals_and_a_success_again_and_again_stop_nothing() {
    // Two of every three patients are refused once.
    let scenario = Scenario::new(|call, earlier_requests, _| {
        let odd = call.to.expose().bytes().last().is_some_and(|digit| digit % 3 != 0);
        if odd && earlier_requests == 0 { refused(403, Concern::CallerId, "no") } else { accepted(call) }
    });
    let ran = scenario.run(30).await;
    assert_eq!(
        (ran.finished.stop_reason.clone(), ran.in_state(State::Finished)),
        (StopReason::Done, 30),
        "{:?}",
        ran.states
    );
}

#[tokio::test(start_paused = true)]
async fn a_cap_of_the_vendors_that_only_defers_leaves_nothing_undone() {
    let ran = Scenario::new(|call, _, _| {
        if call.to == number(0) { refused(422, Concern::Cap, "24 hours between attempts") } else { accepted(call) }
    });
    let ran = ran.run(4).await;
    assert_eq!((ran.finished.stop_reason.clone(), ran.due), (StopReason::Done, 0));
    assert_eq!((ran.in_state(State::Ready), ran.in_state(State::Finished), ran.requests()), (1, 3, 4));
}

#[tokio::test(start_paused = true)]
async fn who_was_refused_can_be_brought_back_or_cancelled() {
    let ran = Scenario::new(|_, _, _| refused(400, Concern::Destination, "no")).run(2).await;
    assert_eq!(ran.in_state(State::Failed), 2);
    let RunRecord { folder, ledger, now, .. } = ran;
    let mut operator = Operator::open(&folder.path().join("ledger.db"), now).expect("no run holds the ledger");
    let mut resolve = |entry, resolution| operator.resolve(EntryId(entry), resolution, "somebody", now);
    let placed = resolve(1, Resolution::Placed { conversation: ConversationId::new("c-1"), started: None })
        .expect_err("it was refused");
    assert!(placed.to_string().contains("use --not-placed or --cancel"), "{placed}");
    assert_eq!(resolve(1, Resolution::NotPlaced).expect("brought back"), State::Ready);
    assert_eq!(resolve(2, Resolution::Cancel).expect("settled"), State::Cancelled);
    drop(ledger);
}

#[tokio::test(start_paused = true)]
async fn a_wave_of_requests_with_an_old_token_is_no_trouble_at_all() {
    let scenario =
        Scenario::new(
            |call, earlier_requests, _| {
                if earlier_requests == 0 { Reply::NotPlaced(NotPlaced::StaleToken) } else { accepted(call) }
            },
        );
    let ran = scenario.run(10).await;
    assert_eq!(
        (ran.finished.stop_reason.clone(), ran.in_state(State::Finished), ran.requests()),
        (StopReason::Done, 10, 20)
    );
    assert_eq!(ran.count(|event| matches!(event, Event::Paused { .. })), 0);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_turned_away_three_times_in_a_row_end_a_run_and_twice_do_not() {
    for (times, ending) in [(2, StopReason::Done), (3, StopReason::Refused(RefusedByVendor::Credentials))] {
        let scenario = Scenario::new(|call, _, _| accepted(call));
        let read_fault: ReadFault =
            Box::new(move |read| (read > 2 && read <= 2 + times).then_some(ReadError::Unauthorised(403)));
        let ran = Scenario { vendor: FakeVendor { read_fault, ..scenario.vendor }, ..scenario }.run(3).await;
        assert_eq!(ran.finished.stop_reason, ending, "{times}");
    }
    let scenario = Scenario::new(|_, _, _| refused(401, Concern::Credentials, ""));
    let ran = scenario.run(30).await;
    assert_eq!(ran.finished.stop_reason, StopReason::Refused(RefusedByVendor::Credentials));
    assert_eq!(ran.in_state(State::Ready), 30);
    assert!(ran.requests() <= 9, "{} requests", ran.requests());
}

#[tokio::test(start_paused = true)]
async fn one_conversation_for_two_patients_is_the_first_ones_and_the_seconds_answer_is_lost() {
    for same in [[0, 1], [1, 5]] {
        let scenario = Scenario::new(move |call, _, _| {
            if same.map(number).contains(&call.to) {
                Reply::Accepted(ConversationId::new("c-1"))
            } else {
                accepted(call)
            }
        });
        let ran = scenario.run(8).await;
        assert_eq!(ran.finished.stop_reason, StopReason::Done);
        assert_eq!((ran.in_state(State::Finished), ran.in_state(State::Held)), (7, 1), "{:?}", ran.states);
        let lost = "SELECT detail FROM event WHERE kind = 'answer_lost'";
        assert_eq!(ran.query_text(lost), "the vendor named another call's conversation");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_lost_in_a_row_pause_before_a_fourth_patient_is_in_doubt() {
    for lost in [LostAnswer::Status(503), LostAnswer::Timeout] {
        let until: DateTime<Utc> = "2026-12-01T16:08:00Z".parse().expect("an instant");
        let ran = Scenario::new(move |call, _, now| if now < until { Reply::Lost(lost) } else { accepted(call) });
        let ran = ran.run(30).await;
        let first = ran.events.iter().position(|event| matches!(event, Event::Paused { .. })).expect("a pause");
        let earlier_requests =
            ran.events[..first].iter().filter(|event| matches!(event, Event::Dialling { .. })).count();
        assert_eq!(earlier_requests, 3, "{lost:?}");
        assert!(matches!(ran.events[first], Event::Paused { reason: Reason::AnswersLost, .. }));
        assert_eq!(ran.finished.stop_reason, StopReason::Done);
        // Three before the pause, and one at each later try.
        assert_eq!((ran.in_state(State::Held), ran.in_state(State::Finished)), (4, 26), "{:?}", ran.states);
        assert!(ran.vendor.in_flight.lock().expect("in flight").1 <= 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_loses_every_answer_ends_the_run_once_the_patience_is_over() {
    let ran = Scenario::new(|_, _, _| Reply::Lost(LostAnswer::Status(500))).run(30).await;
    assert_eq!(ran.finished.stop_reason, StopReason::Unreachable);
    assert!(ran.requests() <= 9, "{} requests", ran.requests());
    assert!(ran.in_state(State::Ready) >= 21, "{:?}", ran.states);
}

#[tokio::test(start_paused = true)]
async fn a_status_that_the_contract_does_not_have_ends_a_conversation_that_has_ended() {
    let scenario = Scenario::new(|call, _, _| accepted(call));
    let ran = Scenario { vendor: FakeVendor { status: Status::Other, ..scenario.vendor }, ..scenario }.run(3).await;
    assert_eq!(
        (ran.finished.stop_reason.clone(), ran.in_state(State::Finished)),
        (StopReason::Done, 3),
        "{:?}",
        ran.states
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_too_long_is_asked_for_in_pieces() {
    for max_page_rows in [60, 30, 2] {
        let scenario = Scenario::new(|call, _, _| accepted(call));
        let vendor = FakeVendor { max_page_rows, ..scenario.vendor };
        // The vendor's list is long before the first call.
        let call = CallRequest { from: number(80), to: number(81), content: patient(0).content };
        let earlier = (0..150).map(|n| {
            let started = scenario.clock.now() - TimeDelta::minutes(1000 - n);
            conversation(&ConversationId::new(format!("old-{n}")), &call, started)
        });
        vendor.list.lock().expect("a list").extend(earlier);
        let ran = Scenario { vendor, ..scenario }.run(3).await;
        assert_eq!(
            (ran.finished.stop_reason.clone(), ran.in_state(State::Finished)),
            (StopReason::Done, 3),
            "{max_page_rows}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_said_once_when_it_begins_and_once_when_it_ends_by_its_name() {
    for (unread, outage) in [
        (ReadError::Unreachable, Outage::Network),
        (ReadError::NoAnswer, Outage::Vendor),
        (ReadError::Status(503), Outage::Vendor),
        (ReadError::Unreadable, Outage::Vendor),
        (ReadError::WebPage(200), Outage::WebPage),
        (ReadError::Status(404), Outage::Address),
    ] {
        let scenario = Scenario::new(|call, _, _| accepted(call));
        let read_fault: ReadFault = Box::new(move |read| (4..15).contains(&read).then_some(unread));
        let ran = Scenario { vendor: FakeVendor { read_fault, ..scenario.vendor }, ..scenario }.run(3).await;
        let counts: HashMap<_, _> = [
            ("began", ran.count(|event| matches!(event, Event::OutageBegan { outage: it, .. } if *it == outage))),
            ("ended", ran.count(|event| matches!(event, Event::OutageEnded { outage: it, .. } if *it == outage))),
            ("paused", ran.count(|event| matches!(event, Event::Paused { .. }))),
        ]
        .into();
        assert_eq!(counts, [("began", 1), ("ended", 1), ("paused", 0)].into(), "{unread:?}");
        assert_eq!(
            (ran.finished.stop_reason.clone(), ran.in_state(State::Finished)),
            (StopReason::Done, 3),
            "{unread:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_through_for_as_long_as_the_campaign_says() {
    for (patience, minutes) in [("", 120), ("outage = \"10m\"\n", 10)] {
        let scenario = Scenario::new(|call, _, _| accepted(call));
        let began = scenario.clock.now();
        let read_fault: ReadFault = Box::new(|_| Some(ReadError::Unreachable));
        let scenario =
            Scenario { campaign: campaign(patience), vendor: FakeVendor { read_fault, ..scenario.vendor }, ..scenario };
        let ran = scenario.run(3).await;
        assert_eq!((ran.finished.stop_reason.clone(), ran.in_state(State::Ready)), (StopReason::Unreachable, 3));
        let lasted = (ran.now - began).num_minutes();
        assert!((minutes..minutes + 5).contains(&lasted), "{lasted} minutes of {minutes}");
        drop(ran.campaign);
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_never_answered_like_the_api_is_said_to_be_wrong() {
    let scenario = Scenario::new(|call, _, _| accepted(call));
    let read_fault: ReadFault = Box::new(|read| (read > 1).then_some(ReadError::Status(404)));
    let ran = Scenario { vendor: FakeVendor { read_fault, ..scenario.vendor }, ..scenario }.run(3).await;
    assert_eq!(
        (ran.finished.stop_reason.clone(), ran.in_state(State::Ready)),
        (StopReason::Refused(RefusedByVendor::Address), 3)
    );
}
