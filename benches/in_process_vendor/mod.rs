//! The simulator's world as the engine's vendor in the same process, without a network, and runs against it on virtual time.

#![allow(dead_code, reason = "each program that includes this uses a part of it")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callrounds::campaign::Campaign;
use callrounds::clock::{ScaledClock, SharedClock};
use callrounds::engine::{Engine, Event, RequestCounts};
use callrounds::entry::{CalledPartyZones, ListCounts, NewEntry, OutcomeSignals, ZoneSource};
use callrounds::ids::ConversationId;
use callrounds::ledger::Ledger;
use callrounds::phone::E164;
use callrounds::simulator::budget::SimulatedQuota;
use callrounds::simulator::conversation::{ConversationView, SimulatedStatus as Shown};
use callrounds::simulator::{ListQuery, PlaceCall, Settings, World};
use callrounds::vendor::hints::{self, HintSender};
use callrounds::vendor::{
    CallRequest, Concern, Conversation, Medium, NotPlaced, Page, RateHeaders, ReadError, Reply, Response, Status,
    Vendor,
};
use chrono::{DateTime, TimeDelta, Utc};

use super::fixtures::{self, CONSENT, NO_STOP_RULE, ONE_CALL_EACH, REQUIRED, SIMULATOR};

/// Ten in the morning in Chicago, on a Tuesday.
const START: &str = "2026-11-24T16:00:00Z";

/// Area codes of Illinois, each with a hundred fictional numbers.
const AREAS: [u32; 10] = [312, 773, 708, 630, 847, 224, 331, 464, 872, 815];

pub fn start() -> DateTime<Utc> {
    START.parse().expect("an instant")
}

/// The endpoint of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    Call,
    Page,
    Conversation,
    CallerId,
}

/// A request that the vendor received.
#[derive(Debug, Clone, Copy)]
pub struct SentRequest {
    pub at: DateTime<Utc>,
    pub kind: RequestKind,
    /// When the budget's window resets, if the request was refused with 429.
    pub refused_until: Option<DateTime<Utc>>,
}

/// What the vendor signals: the request budget in its responses, and endings by webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VendorSignals {
    /// The budget headers on every response, as documented.
    Headers,
    /// Only the reset time, on refusals with 429.
    RefusalsOnly,
    /// The headers, and a webhook for each conversation when its call ends.
    HeadersAndWebhooks,
    /// The headers, and a webhook for each conversation only when it closes.
    HeadersAndLateWebhooks,
}

struct VendorState {
    world: World,
    budget: SimulatedQuota,
    sent: Vec<SentRequest>,
}

/// The simulator's world, its request budget, and a record of every request.
pub struct InProcessVendor {
    state: Mutex<VendorState>,
    clock: SharedClock,
    closing: TimeDelta,
    signals: VendorSignals,
    hint_sender: HintSender,
}

impl InProcessVendor {
    fn new(settings: Settings, clock: SharedClock, signals: VendorSignals, hint_sender: HintSender) -> Self {
        let closing = settings.closing;
        let budget = SimulatedQuota::new(settings.budget.clone());
        let state = VendorState { world: World::new(settings, start()), budget, sent: Vec::new() };
        Self { state: Mutex::new(state), clock, closing, signals, hint_sender }
    }

    fn state(&self) -> MutexGuard<'_, VendorState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every request so far.
    pub fn sent(&self) -> Vec<SentRequest> {
        self.state().sent.clone()
    }

    /// Charges the budget and answers a request: with `refused` if the budget is exhausted.
    fn respond<T>(
        &self,
        kind: RequestKind,
        refused: T,
        answer: impl FnOnce(&mut World, DateTime<Utc>) -> T,
    ) -> Response<T> {
        let now = self.clock.now();
        let mut state = self.state();
        let exhausted = state.budget.charge(now).is_err();
        let value = if exhausted { refused } else { answer(&mut state.world, now) };
        let budget = state.budget.headers(now);
        state.sent.push(SentRequest { at: now, kind, refused_until: exhausted.then_some(budget.reset) });
        let rate_headers = match self.signals {
            VendorSignals::Headers | VendorSignals::HeadersAndWebhooks | VendorSignals::HeadersAndLateWebhooks => {
                RateHeaders {
                    limit: Some(budget.limit),
                    remaining: Some(budget.remaining),
                    reset: Some(budget.reset),
                    retry_at: None,
                    exhausted,
                }
            }
            VendorSignals::RefusalsOnly => {
                RateHeaders { reset: exhausted.then_some(budget.reset), exhausted, ..RateHeaders::default() }
            }
        };
        Response { rate_headers, ..Response::bare(value) }
    }

    /// Schedules the webhook delivery about a conversation.
    fn deliver(&self, id: ConversationId) {
        let after_end = match self.signals {
            VendorSignals::Headers | VendorSignals::RefusalsOnly => return,
            VendorSignals::HeadersAndWebhooks => TimeDelta::zero(),
            VendorSignals::HeadersAndLateWebhooks => self.closing,
        };
        let now = self.clock.now();
        let ended = self.state().world.conversation(now + TimeDelta::days(1), &id).and_then(|view| view.ended);
        let Some(ended) = ended else { return };
        let (clock, hint_sender) = (Arc::clone(&self.clock), self.hint_sender.clone());
        tokio::spawn(async move {
            clock.sleep(ended + after_end - now).await;
            hint_sender.hint(id);
        });
    }
}

impl Vendor for InProcessVendor {
    async fn place(&self, call: CallRequest) -> Response<Reply> {
        let request =
            PlaceCall { from_number: call.from.expose(), to_number: call.to.expose(), ..PlaceCall::default() };
        let refused = Reply::NotPlaced(NotPlaced::RateLimited);
        let answer = self.respond(RequestKind::Call, refused, |world, now| match world.place(now, &request) {
            Ok(id) => Reply::Accepted(id),
            Err(_) => Reply::NotPlaced(NotPlaced::refused(400, Concern::Destination)),
        });
        if let Reply::Accepted(id) = &answer.value {
            self.deliver(id.clone());
        }
        answer
    }

    async fn page(&self, offset: u64, limit: u32) -> Response<Result<Page, ReadError>> {
        self.respond(RequestKind::Page, Err(ReadError::RateLimited), |world, now| {
            let page = world.list(now, &ListQuery { offset, limit, ..ListQuery::default() });
            let conversations = page.conversations.iter().map(to_conversation).collect();
            Ok(Page { conversations, rows_without_id: Vec::new(), total: page.total })
        })
    }

    async fn conversation(&self, id: &ConversationId) -> Response<Result<Conversation, ReadError>> {
        self.respond(RequestKind::Conversation, Err(ReadError::RateLimited), |world, now| {
            world.conversation(now, id).map(|view| to_conversation(&view)).ok_or(ReadError::NotFound)
        })
    }

    async fn may_call_from(&self, _from: E164) -> Response<Result<Option<bool>, ReadError>> {
        self.respond(RequestKind::CallerId, Err(ReadError::RateLimited), |_, _| Ok(Some(true)))
    }
}

fn to_conversation(view: &ConversationView) -> Conversation {
    let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Conversation {
        medium: Medium::read(Some("VOICE")),
        id: view.id.clone(),
        from: Some(view.from),
        to: Some(view.to),
        started: Some(view.started),
        ended: view.ended,
        status: match view.status {
            Shown::Open => Status::Open,
            Shown::Closing => Status::Closing,
            Shown::Closed => Status::Closed,
        },
        signals: OutcomeSignals {
            tags: view.transcript.map(|transcript| words(transcript.tags)).unwrap_or_default(),
            topic: view.transcript.map(|transcript| transcript.topic.into()),
            summary: view.transcript.map(|transcript| transcript.summary.into()),
            actions: view.transcript.map(|transcript| words(transcript.actions)).unwrap_or_default(),
            duration: view.duration.map(TimeDelta::as_seconds_f64),
        },
    }
}

/// A campaign with one call for each patient, in the hours of `window`, with at most `open_calls` concurrent calls.
pub fn campaign(window: &str, open_calls: u32) -> Arc<Campaign> {
    Arc::new(fixtures::load(&format!(
        "{REQUIRED}{CONSENT}window = \"{window}\"\n{ONE_CALL_EACH}[rate]\nopen_calls = {open_calls}\n{NO_STOP_RULE}{SIMULATOR}"
    )))
}

/// The `n`th patient's number.
pub fn number(n: u32) -> E164 {
    E164::parse(&format!("+1{}5550{}", AREAS[(n / 100) as usize], 100 + n % 100)).expect("a number")
}

pub fn new_entries(count: u32) -> Vec<NewEntry> {
    // Anywhere in the United States or Canada, as after an area code that says nothing.
    let zones = CalledPartyZones { zones: Vec::new(), regions: Vec::new(), source: ZoneSource::AreaCode };
    let new_entry = |n: u32| NewEntry {
        zones: zones.clone(),
        line: u64::from(n) + 2,
        ..fixtures::new_entry(n.to_string(), number(n))
    };
    (0..count).map(new_entry).collect()
}

/// The requests and events of a run.
pub struct RunRecord {
    pub requests: RequestCounts,
    pub sent: Vec<SentRequest>,
    pub events: Vec<Event>,
}

/// A folder in memory, where there is one: the results do not depend on the disk.
fn memory() -> PathBuf {
    let shared_memory = Path::new("/dev/shm");
    if shared_memory.is_dir() { shared_memory.to_path_buf() } else { std::env::temp_dir() }
}

/// Runs the campaign on virtual time until it is done, over as many days as it takes.
pub fn run(campaign: &Arc<Campaign>, entries: Vec<NewEntry>, settings: Settings, signals: VendorSignals) -> RunRecord {
    let folder = tempfile::tempdir_in(memory()).expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let run = run_on(Arc::clone(campaign), entries, settings, signals, folder.path());
    runtime.expect("a runtime").block_on(run)
}

async fn run_on(
    campaign: Arc<Campaign>,
    entries: Vec<NewEntry>,
    mut settings: Settings,
    signals: VendorSignals,
    folder: &Path,
) -> RunRecord {
    let clock: SharedClock = Arc::new(ScaledClock::starting_at(start(), 1.0));
    settings.rules.zone = campaign.practice.zone.clone();
    let (hint_sender, hints) = hints::channel();
    let vendor = Arc::new(InProcessVendor::new(settings, Arc::clone(&clock), signals, hint_sender));
    let ledger = Ledger::open_inline(&folder.join("ledger.db"), start()).expect("a ledger");
    let run = ledger.begin_run(Arc::clone(&campaign), true, start()).await.expect("a run");
    let count = entries.len() as u64;
    ledger.enrol(run, &entries, start()).await.expect("enrolled");
    let tally = ListCounts { read: count, accepted: count, ..ListCounts::default() };
    ledger.close_list(run, tally, true, start()).await.expect("closed");
    let sends_webhooks = match signals {
        VendorSignals::Headers | VendorSignals::RefusalsOnly => false,
        VendorSignals::HeadersAndWebhooks | VendorSignals::HeadersAndLateWebhooks => true,
    };
    let hints = Some(hints).filter(|_| sends_webhooks);
    let vendors = [(campaign.practice.organisation.clone(), Arc::clone(&vendor))].into();
    let engine = Engine { ledger, vendors, clock, campaign, run, until_done: true, seed: 1, hints, exclusions: None };
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let recorded = Arc::clone(&events);
    let mut listener = move |event: &Event| recorded.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    let finished = engine.run(&mut listener, std::future::pending()).await.expect("it ends");
    let events = std::mem::take(&mut *events.lock().unwrap_or_else(PoisonError::into_inner));
    RunRecord { requests: finished.requests, sent: vendor.sent(), events }
}
