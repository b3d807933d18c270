//! The engine before a vendor whose every word is written down: what the simulator would never say.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use callrounds::annie::{Answer, CallRequest, Conversation, LostAnswer, Medium, Page, Reply, Status, Unread, Vendor};
use callrounds::campaign::{self, Allowances, Campaign};
use callrounds::clock::{Clock, SharedClock, TravelClock};
use callrounds::engine::{Engine, Event, Finished};
use callrounds::entry::{
    CalledPartyZones, Content, Draft, ListTally, PatientInfo, Standing, State, Testimony, ZoneSource,
};
use callrounds::ids::{ConversationId, EntryKey, OrganisationId};
use callrounds::ledger::{Ban, Ledger, Operator, RunHandle, Scope};
use callrounds::phone::E164;
use chrono::{DateTime, TimeDelta, Utc};

const CAMPAIGN: &str = r#"
name = "recall"
purpose = "recall"
[practice]
name = "Bright Smile Dental"
timezone = "America/Chicago"
from_number = "+13125550142"
[list]
on_absent = "keep"
[calling]
consent = "on_file"
[redial]
max_attempts = 1
[safety]
settle = "120s"
[vendor]
kind = "simulator"
"#;

/// A vendor that answers calls as it is told, and whose list is whatever the script makes of it.
struct Script {
    clock: SharedClock,
    replies: Mutex<VecDeque<Reply>>,
    list: Mutex<Vec<Conversation>>,
    /// The calls that it was asked for.
    asked: Mutex<Vec<E164>>,
}

impl Script {
    fn answer<T>(&self, value: T) -> Answer<T> {
        Answer { date: Some(self.clock.now()), ..Answer::bare(value) }
    }
}

impl Vendor for Script {
    async fn place(&self, call: CallRequest) -> Answer<Reply> {
        self.asked.lock().expect("calls").push(call.to);
        let reply = self.replies.lock().expect("replies").pop_front().expect("a reply in the script");
        if let Reply::Accepted(id) = &reply {
            self.list.lock().expect("a list").push(conversation(id.as_str(), self.clock.now()));
        }
        self.answer(reply)
    }

    async fn page(&self, offset: u64, _limit: u32) -> Answer<Result<Page, Unread>> {
        let list = self.list.lock().expect("a list");
        let conversations: Vec<_> = list.iter().skip(offset as usize).cloned().collect();
        self.answer(Ok(Page { conversations, nameless: Vec::new(), total: Some(list.len() as u64) }))
    }

    async fn conversation(&self, id: &ConversationId) -> Answer<Result<Conversation, Unread>> {
        let list = self.list.lock().expect("a list");
        self.answer(list.iter().find(|one| one.id == *id).cloned().ok_or(Unread::NotFound))
    }

    async fn may_call_from(&self, _from: E164) -> Answer<Result<Option<bool>, Unread>> {
        self.answer(Ok(Some(true)))
    }
}

/// A ledger, a vendor and a clock.
struct Scene {
    folder: tempfile::TempDir,
    ledger: Ledger,
    campaign: Arc<Campaign>,
    clock: Arc<TravelClock>,
    vendor: Arc<Script>,
}

fn number(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

fn patient() -> E164 {
    number("+13125550177")
}

/// A patient of the practice who may be called.
pub fn draft(key: &str) -> Draft {
    Draft {
        key: EntryKey::new(key),
        organisation: OrganisationId::new("Bright Smile Dental"),
        location: None,
        phone: patient(),
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

/// A call of ours to the patient, over.
fn conversation(id: &str, started: DateTime<Utc>) -> Conversation {
    Conversation {
        medium: Medium::read(Some("VOICE")),
        id: ConversationId::new(id),
        from: Some(number("+13125550142")),
        to: Some(patient()),
        started: Some(started),
        ended: Some(started + TimeDelta::minutes(2)),
        status: Status::Closed,
        testimony: Testimony::default(),
    }
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let noon: DateTime<Utc> = "2026-12-01T18:00:00Z".parse().expect("an instant");
        let clock = Arc::new(TravelClock::starting_at(noon, 1.0));
        let ledger = Ledger::open_inline(&folder.path().join("ledger.db"), noon).expect("a ledger");
        let campaign = campaign::load(CAMPAIGN, "recall.toml", PathBuf::from("."), Allowances::default());
        let vendor =
            Script { clock: clock.clone(), replies: Mutex::default(), list: Mutex::default(), asked: Mutex::default() };
        let campaign = Arc::new(campaign.unwrap_or_else(|problems| panic!("{}", problems.drawn(false))));
        Self { folder, ledger, campaign, clock, vendor: Arc::new(vendor) }
    }

    /// One run over a list with this one patient on it, whose call the vendor answers so.
    async fn run(&self, key: &str, reply: Reply) -> Finished {
        self.run_while(key, reply, |_: &Event| ()).await
    }

    /// The same, `hearing` what happens.
    async fn run_while(&self, key: &str, reply: Reply, mut hearing: impl FnMut(&Event) + Send) -> Finished {
        self.vendor.replies.lock().expect("replies").push_back(reply);
        let now = self.clock.now();
        let run: RunHandle = self.ledger.begin_run(self.campaign.clone(), true, now).await.expect("a run");
        self.ledger.enrol(run, &[draft(key)], now).await.expect("enrolled");
        let tally = ListTally { read: 1, accepted: 1, ..ListTally::default() };
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
        };
        engine.run(&mut hearing, std::future::pending()).await.expect("it runs to its end")
    }

    /// One word from the ledger, about the entry of that key.
    fn of(&self, key: &str, what: &str) -> String {
        let ledger = rusqlite::Connection::open(self.folder.path().join("ledger.db")).expect("the ledger");
        let query = format!("SELECT {what} FROM entry JOIN attempt ON attempt.entry_id = entry.id WHERE key = ?1");
        ledger.query_row(&query, [key], |row| row.get(0)).expect("a word")
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_call_is_not_taken_for_a_conversation_that_another_attempt_has() {
    let scene = Scene::new();
    scene.run("P-1", Reply::Accepted(ConversationId::new("c-1"))).await;
    assert_eq!(scene.of("P-1", "attempt.state"), "ended");

    // Two days later the vendor says of the same conversation that it has just begun.
    tokio::time::advance(std::time::Duration::from_hours(48)).await;
    *scene.vendor.list.lock().expect("a list") = vec![conversation("c-1", scene.clock.now() + TimeDelta::seconds(5))];
    scene.run("P-2", Reply::Lost(LostAnswer::Timeout)).await;
    assert_eq!(scene.vendor.asked.lock().expect("calls").len(), 2, "one request for each");
    assert_eq!(scene.of("P-2", "entry.state"), State::Held.name());
    assert_eq!(scene.of("P-1", "attempt.conversation"), "c-1");
    let evidence = "(SELECT detail FROM event WHERE kind = 'scanned' ORDER BY id DESC LIMIT 1)";
    let evidence = scene.of("P-2", evidence);
    assert!(evidence.ends_with("near it: conversation c-1, which is another attempt's"), "{evidence}");
}

#[tokio::test(start_paused = true)]
async fn an_opt_out_between_the_claim_and_the_request_stops_the_request() {
    let scene = Scene::new();
    let (ledger, now) = (scene.folder.path().join("ledger.db"), scene.clock.now());
    // The intent is on stable storage, and the request is about to leave: somebody at the practice puts the number on the list.
    let by_phone = Ban { scope: Scope::All, source: "by phone", expires: None };
    let suppress = move |event: &Event| {
        if matches!(event, Event::Dialling { .. }) {
            let mut desk = Operator::open(&ledger, now).expect("beside the run");
            desk.suppress([patient()], by_phone, now).expect("suppressed");
        }
    };
    scene.run_while("P-1", Reply::Accepted(ConversationId::new("c-1")), suppress).await;
    assert_eq!(scene.vendor.asked.lock().expect("calls").len(), 0, "the request left");
    assert_eq!(scene.of("P-1", "attempt.state"), "not_placed");
    assert_eq!(scene.of("P-1", "entry.state"), State::Suppressed.name());
    let evidence = "(SELECT evidence FROM event WHERE kind = 'barred')";
    assert!(scene.of("P-1", evidence).contains("\"suppressed\":true"));
}

#[tokio::test(start_paused = true)]
async fn an_opt_out_in_a_call_that_a_former_run_gave_up_is_heard_before_the_next_call() {
    let scene = Scene::new();
    let vendor = Arc::clone(&scene.vendor);
    let change =
        move |change: &dyn Fn(&mut Conversation)| vendor.list.lock().expect("a list").iter_mut().for_each(change);
    let stays_open = |event: &Event| {
        if matches!(event, Event::Accepted { .. }) {
            change(&|call| (call.status, call.ended) = (Status::Open, None));
        }
    };
    scene.run_while("P-1", Reply::Accepted(ConversationId::new("c-1")), stays_open).await;
    assert_eq!(scene.of("P-1", "entry.state"), State::LostTrack.name());

    change(&|call| {
        (call.status, call.ended) = (Status::Closed, call.started.map(|started| started + TimeDelta::minutes(2)));
        call.testimony.tags = vec!["opt_out".into()];
    });
    // Another patient has the same number, and the caps let the call through a day later.
    scene.run("P-2", Reply::Accepted(ConversationId::new("c-2"))).await;
    assert_eq!(scene.of("P-1", "attempt.outcome"), "opt_out");
    assert_eq!(scene.vendor.asked.lock().expect("calls").len(), 1, "whoever has asked not to be called is not called");
}
