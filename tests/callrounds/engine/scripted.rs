//! The engine with a scripted vendor, for answers that the simulator never gives.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use callrounds::campaign::Campaign;
use callrounds::clock::{Clock, ScaledClock, SharedClock};
use callrounds::engine::{Engine, Event, RunResult};
use callrounds::entry::{ListCounts, OutcomeSignals, State};
use callrounds::ids::ConversationId;
use callrounds::ledger::{Ledger, Operator, RunHandle, SuppressionRequest, SuppressionScope};
use callrounds::phone::E164;
use callrounds::vendor::{
    CallRequest, Conversation, LostAnswer, Medium, Page, ReadError, Reply, Response, Status, Vendor,
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::support::fixtures::{self, CONSENT, ONE_CALL_EACH, REQUIRED, SIMULATOR, new_entry};

/// What its campaign adds.
const MORE: &str = "[list]\non_absent = \"keep\"\n[safety]\nsettle = \"120s\"\n";

/// A vendor with scripted replies to calls, and a list that the test changes.
struct ScriptedVendor {
    clock: SharedClock,
    replies: Mutex<VecDeque<Reply>>,
    list: Mutex<Vec<Conversation>>,
    /// The numbers of the call requests.
    requested: Mutex<Vec<E164>>,
}

impl ScriptedVendor {
    fn answer<T>(&self, value: T) -> Response<T> {
        Response { date: Some(self.clock.now()), ..Response::bare(value) }
    }
}

impl Vendor for ScriptedVendor {
    async fn place(&self, call: CallRequest) -> Response<Reply> {
        self.requested.lock().expect("calls").push(call.to);
        let reply = self.replies.lock().expect("replies").pop_front().expect("a reply in the script");
        if let Reply::Accepted(id) = &reply {
            self.list.lock().expect("a list").push(conversation(id.as_str(), self.clock.now()));
        }
        self.answer(reply)
    }

    async fn page(&self, offset: u64, _limit: u32) -> Response<Result<Page, ReadError>> {
        let list = self.list.lock().expect("a list");
        let conversations: Vec<_> = list.iter().skip(offset as usize).cloned().collect();
        self.answer(Ok(Page { conversations, rows_without_id: Vec::new(), total: Some(list.len() as u64) }))
    }

    async fn conversation(&self, id: &ConversationId) -> Response<Result<Conversation, ReadError>> {
        let list = self.list.lock().expect("a list");
        self.answer(list.iter().find(|one| one.id == *id).cloned().ok_or(ReadError::NotFound))
    }

    async fn may_call_from(&self, _from: E164) -> Response<Result<Option<bool>, ReadError>> {
        self.answer(Ok(Some(true)))
    }
}

/// A ledger, a vendor and a clock.
struct Scenario {
    folder: tempfile::TempDir,
    ledger: Ledger,
    campaign: Arc<Campaign>,
    clock: Arc<ScaledClock>,
    vendor: Arc<ScriptedVendor>,
}

fn number(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

fn patient() -> E164 {
    number("+13125550177")
}

/// A closed conversation of our call to the patient.
fn conversation(id: &str, started: DateTime<Utc>) -> Conversation {
    Conversation {
        medium: Medium::read(Some("VOICE")),
        id: ConversationId::new(id),
        from: Some(number("+13125550142")),
        to: Some(patient()),
        started: Some(started),
        ended: Some(started + TimeDelta::minutes(2)),
        status: Status::Closed,
        signals: OutcomeSignals::default(),
    }
}

impl Scenario {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let noon: DateTime<Utc> = "2026-12-01T18:00:00Z".parse().expect("an instant");
        let clock = Arc::new(ScaledClock::starting_at(noon, 1.0));
        let ledger = Ledger::open_inline(&folder.path().join("ledger.db"), noon).expect("a ledger");
        let campaign = fixtures::load(&format!("{REQUIRED}{CONSENT}{ONE_CALL_EACH}{SIMULATOR}{MORE}"));
        let vendor = ScriptedVendor {
            clock: clock.clone(),
            replies: Mutex::default(),
            list: Mutex::default(),
            requested: Mutex::default(),
        };
        Self { folder, ledger, campaign: Arc::new(campaign), clock, vendor: Arc::new(vendor) }
    }

    /// Runs a campaign with one patient, whose call gets this reply.
    async fn run(&self, key: &str, reply: Reply) -> RunResult {
        self.run_while(key, reply, |_: &Event| ()).await
    }

    /// The same, with a listener for its events.
    async fn run_while(&self, key: &str, reply: Reply, mut on_event: impl FnMut(&Event) + Send) -> RunResult {
        self.vendor.replies.lock().expect("replies").push_back(reply);
        let now = self.clock.now();
        let run: RunHandle = self.ledger.begin_run(self.campaign.clone(), true, now).await.expect("a run");
        self.ledger.enrol(run, &[new_entry(key, patient())], now).await.expect("enrolled");
        let tally = ListCounts { read: 1, accepted: 1, ..ListCounts::default() };
        self.ledger.close_list(run, tally, false, now).await.expect("closed");
        let engine = Engine {
            ledger: self.ledger.clone(),
            vendors: [(self.campaign.practice.organisation.clone(), self.vendor.clone())].into(),
            clock: self.clock.clone(),
            campaign: self.campaign.clone(),
            run,
            until_done: true,
            seed: 1,
            hints: None,
            exclusions: None,
        };
        engine.run(&mut on_event, std::future::pending()).await.expect("it runs to its end")
    }

    /// One column's text from the ledger, for the entry with this key.
    fn query_text(&self, key: &str, what: &str) -> String {
        let ledger = rusqlite::Connection::open(self.folder.path().join("ledger.db")).expect("the ledger");
        let query = format!("SELECT {what} FROM entry JOIN attempt ON attempt.entry_id = entry.id WHERE key = ?1");
        ledger.query_row(&query, [key], |row| row.get(0)).expect("a word")
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_call_is_not_taken_for_a_conversation_that_another_attempt_has() {
    let scenario = Scenario::new();
    scenario.run("P-1", Reply::Accepted(ConversationId::new("c-1"))).await;
    assert_eq!(scenario.query_text("P-1", "attempt.state"), "ended");

    // Two days later the vendor's list shows the same conversation as just begun.
    tokio::time::advance(std::time::Duration::from_hours(48)).await;
    *scenario.vendor.list.lock().expect("a list") =
        vec![conversation("c-1", scenario.clock.now() + TimeDelta::seconds(5))];
    scenario.run("P-2", Reply::Lost(LostAnswer::Timeout)).await;
    assert_eq!(scenario.vendor.requested.lock().expect("calls").len(), 2, "one request for each");
    assert_eq!(scenario.query_text("P-2", "entry.state"), State::Held.name());
    assert_eq!(scenario.query_text("P-1", "attempt.conversation"), "c-1");
    let evidence = "(SELECT detail FROM event WHERE kind = 'scanned' ORDER BY id DESC LIMIT 1)";
    let evidence = scenario.query_text("P-2", evidence);
    assert!(
        evidence.ends_with("similar conversations: conversation c-1, which belongs to another attempt"),
        "{evidence}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_opt_out_between_the_claim_and_the_request_stops_the_request() {
    let scenario = Scenario::new();
    let (ledger, now) = (scenario.folder.path().join("ledger.db"), scenario.clock.now());
    // The intent is on stable storage and the request not yet sent when an operator suppresses the number.
    let by_phone = SuppressionRequest { scope: SuppressionScope::All, source: "by phone", expires: None };
    let suppress = move |event: &Event| {
        if matches!(event, Event::Dialling { .. }) {
            let mut operator = Operator::open(&ledger, now).expect("beside the run");
            operator.suppress([patient()], by_phone, now).expect("suppressed");
        }
    };
    scenario.run_while("P-1", Reply::Accepted(ConversationId::new("c-1")), suppress).await;
    assert_eq!(scenario.vendor.requested.lock().expect("calls").len(), 0, "the request was sent");
    assert_eq!(scenario.query_text("P-1", "attempt.state"), "not_placed");
    assert_eq!(scenario.query_text("P-1", "entry.state"), State::Suppressed.name());
    let evidence = "(SELECT evidence FROM event WHERE kind = 'barred')";
    assert!(scenario.query_text("P-1", evidence).contains("\"suppressed\":true"));
}

#[tokio::test(start_paused = true)]
async fn an_opt_out_in_a_call_that_an_earlier_run_lost_track_of_is_read_before_the_next_call() {
    let scenario = Scenario::new();
    let vendor = Arc::clone(&scenario.vendor);
    let change =
        move |change: &dyn Fn(&mut Conversation)| vendor.list.lock().expect("a list").iter_mut().for_each(change);
    let stays_open = |event: &Event| {
        if matches!(event, Event::Accepted { .. }) {
            change(&|call| (call.status, call.ended) = (Status::Open, None));
        }
    };
    scenario.run_while("P-1", Reply::Accepted(ConversationId::new("c-1")), stays_open).await;
    assert_eq!(scenario.query_text("P-1", "entry.state"), State::LostTrack.name());

    change(&|call| {
        (call.status, call.ended) = (Status::Closed, call.started.map(|started| started + TimeDelta::minutes(2)));
        call.signals.tags = vec!["opt_out".into()];
    });
    // Another patient has the same number, and the caps let the call through a day later.
    scenario.run("P-2", Reply::Accepted(ConversationId::new("c-2"))).await;
    assert_eq!(scenario.query_text("P-1", "attempt.outcome"), "opt_out");
    assert_eq!(scenario.vendor.requested.lock().expect("calls").len(), 1, "a number that has opted out is not called");
}
