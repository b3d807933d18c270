//! A vendor next door: the simulator's world as the engine's vendor, without a network between, and runs against it on
//! virtual time.

#![allow(dead_code, reason = "each program that includes this uses a part of it")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callrounds::annie::webhook::{self, Hinting};
use callrounds::annie::{
    Answer, CallRequest, Concern, Conversation, Medium, Meter, NotPlaced, Page, Reply, Status, Unread, Vendor,
};
use callrounds::campaign::{self, Allowances, Campaign};
use callrounds::clock::{SharedClock, TravelClock};
use callrounds::engine::{Engine, Event, Requests};
use callrounds::entry::{CalledPartyZones, Content, Draft, ListTally, PatientInfo, Standing, Testimony, ZoneSource};
use callrounds::ids::{ConversationId, EntryKey, OrganisationId};
use callrounds::ledger::Ledger;
use callrounds::phone::E164;
use callrounds::simulator::budget::Budget;
use callrounds::simulator::conversation::{Status as Shown, View};
use callrounds::simulator::{ListQuery, PlaceCall, Settings, World};
use chrono::{DateTime, TimeDelta, Utc};

/// Ten in the morning in Chicago, on a Tuesday.
const START: &str = "2026-11-24T16:00:00Z";

/// Area codes of Illinois, each with a hundred numbers that ring nobody.
const AREAS: [u32; 10] = [312, 773, 708, 630, 847, 224, 331, 464, 872, 815];

/// The number that calls.
const FROM: &str = "+13125550142";

pub fn start() -> DateTime<Utc> {
    START.parse().expect("an instant")
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Call,
    Page,
    Conversation,
    Line,
}

/// A request that the vendor was asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub at: DateTime<Utc>,
    pub what: What,
    /// Refused with 429, until then.
    pub refused_until: Option<DateTime<Utc>>,
}

/// What the vendor's answers tell of the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// Everything, as documented.
    Headers,
    /// That it is used up, once it is.
    RefusalsAlone,
    /// As documented; and webhooks name each conversation when it closes.
    HeadersAndWebhooks,
}

/// The vendor's side.
struct House {
    world: World,
    budget: Budget,
    asked: Vec<Asked>,
}

/// The simulator's world, its request budget, and a note of every request.
pub struct Neighbour {
    house: Mutex<House>,
    clock: SharedClock,
    closing: TimeDelta,
    telling: Telling,
    hinting: Hinting,
}

impl Neighbour {
    fn new(settings: Settings, clock: SharedClock, telling: Telling, hinting: Hinting) -> Self {
        let closing = settings.closing;
        let budget = Budget::new(settings.budget.clone());
        let house = House { world: World::new(settings, start()), budget, asked: Vec::new() };
        Self { house: Mutex::new(house), clock, closing, telling, hinting }
    }

    fn house(&self) -> MutexGuard<'_, House> {
        self.house.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.house().asked.clone()
    }

    fn ask<T>(&self, what: What, refused: T, question: impl FnOnce(&mut World, DateTime<Utc>) -> T) -> Answer<T> {
        let now = self.clock.now();
        let mut house = self.house();
        let exhausted = house.budget.charge(now).is_err();
        let value = if exhausted { refused } else { question(&mut house.world, now) };
        let told = house.budget.meter(now);
        house.asked.push(Asked { at: now, what, refused_until: exhausted.then_some(told.reset) });
        let meter = match self.telling {
            Telling::Headers | Telling::HeadersAndWebhooks => Meter {
                limit: Some(told.limit),
                remaining: Some(told.remaining),
                reset: Some(told.reset),
                retry_at: None,
                exhausted,
            },
            Telling::RefusalsAlone => Meter { reset: exhausted.then_some(told.reset), exhausted, ..Meter::default() },
        };
        Answer { meter, ..Answer::bare(value) }
    }

    /// A webhook names the conversation when it closes.
    fn deliver(&self, id: ConversationId) {
        let now = self.clock.now();
        let ended = self.house().world.conversation(now + TimeDelta::days(1), &id).and_then(|view| view.ended);
        let Some(closes) = ended.map(|ended| ended + self.closing) else { return };
        let (clock, hinting) = (Arc::clone(&self.clock), self.hinting.clone());
        tokio::spawn(async move {
            clock.sleep(closes - now).await;
            hinting.hint(id);
        });
    }
}

impl Vendor for Neighbour {
    async fn place(&self, call: CallRequest) -> Answer<Reply> {
        let request =
            PlaceCall { from_number: call.from.expose(), to_number: call.to.expose(), ..PlaceCall::default() };
        let refused = Reply::NotPlaced(NotPlaced::RateLimited);
        let answer = self.ask(What::Call, refused, |world, now| match world.place(now, &request) {
            Ok(id) => Reply::Accepted(id),
            Err(_) => Reply::NotPlaced(NotPlaced::refused(400, Concern::Destination)),
        });
        if let (Reply::Accepted(id), Telling::HeadersAndWebhooks) = (&answer.value, self.telling) {
            self.deliver(id.clone());
        }
        answer
    }

    async fn page(&self, offset: u64, limit: u32) -> Answer<Result<Page, Unread>> {
        self.ask(What::Page, Err(Unread::RateLimited), |world, now| {
            let page = world.list(now, &ListQuery { offset, limit, ..ListQuery::default() });
            let conversations = page.conversations.iter().map(told).collect();
            Ok(Page { conversations, nameless: Vec::new(), total: page.total })
        })
    }

    async fn conversation(&self, id: &ConversationId) -> Answer<Result<Conversation, Unread>> {
        self.ask(What::Conversation, Err(Unread::RateLimited), |world, now| {
            world.conversation(now, id).map(|view| told(&view)).ok_or(Unread::NotFound)
        })
    }

    async fn may_call_from(&self, _from: E164) -> Answer<Result<Option<bool>, Unread>> {
        self.ask(What::Line, Err(Unread::RateLimited), |_, _| Ok(Some(true)))
    }
}

fn told(view: &View) -> Conversation {
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
        testimony: Testimony {
            tags: view.story.map(|story| words(story.tags)).unwrap_or_default(),
            topic: view.story.map(|story| story.topic.into()),
            summary: view.story.map(|story| story.summary.into()),
            actions: view.story.map(|story| words(story.actions)).unwrap_or_default(),
            duration: view.duration.map(TimeDelta::as_seconds_f64),
        },
    }
}

/// One call to each patient, in the hours of `window`, by so many lines.
pub fn campaign(window: &str, open_calls: u32) -> Arc<Campaign> {
    let text = format!(
        "name = \"next-door\"\npurpose = \"recall\"\n[practice]\nname = \"Bright Smile Dental\"\n\
         timezone = \"America/Chicago\"\nfrom_number = \"{FROM}\"\n[calling]\nconsent = \"on_file\"\n\
         window = \"{window}\"\n[redial]\nmax_attempts = 1\n[rate]\nopen_calls = {open_calls}\n\
         [safety]\nstop_on = {{ opt_out_rate = 1.0, error_rate = 1.0, wrong_number_rate = 1.0 }}\n\
         [vendor]\nkind = \"simulator\"\n"
    );
    let loaded = campaign::load(&text, "next-door.toml", PathBuf::new(), Allowances::default());
    Arc::new(loaded.unwrap_or_else(|problems| panic!("{}", problems.drawn(false))))
}

/// The `n`th patient's number.
pub fn number(n: u32) -> E164 {
    E164::parse(&format!("+1{}5550{}", AREAS[(n / 100) as usize], 100 + n % 100)).expect("a number")
}

pub fn drafts(count: u32) -> Vec<Draft> {
    let draft = |n: u32| Draft {
        key: EntryKey::new(n.to_string()),
        organisation: OrganisationId::new("Bright Smile Dental"),
        location: None,
        phone: number(n),
        alternatives: Vec::new(),
        zones: CalledPartyZones { zones: Vec::new(), regions: Vec::new(), source: ZoneSource::AreaCode },
        content: Content {
            patient: PatientInfo { first_name: "Pat".into(), ..PatientInfo::default() },
            ..Content::default()
        },
        not_after: None,
        standing: Standing::Ready,
        members: Vec::new(),
        line: u64::from(n) + 2,
    };
    (0..count).map(draft).collect()
}

/// What a run took.
pub struct Ran {
    pub requests: Requests,
    pub asked: Vec<Asked>,
    pub events: Vec<Event>,
}

/// What is counted here depends on no disk, so none is waited for.
fn memory() -> PathBuf {
    let shared_memory = Path::new("/dev/shm");
    if shared_memory.is_dir() { shared_memory.to_path_buf() } else { std::env::temp_dir() }
}

/// Places the calls on virtual time, on every day that it takes.
pub fn run(campaign: &Arc<Campaign>, drafts: Vec<Draft>, settings: Settings, telling: Telling) -> Ran {
    let folder = tempfile::tempdir_in(memory()).expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let run = run_on(Arc::clone(campaign), drafts, settings, telling, folder.path());
    runtime.expect("a runtime").block_on(run)
}

async fn run_on(
    campaign: Arc<Campaign>,
    drafts: Vec<Draft>,
    mut settings: Settings,
    telling: Telling,
    folder: &Path,
) -> Ran {
    let clock: SharedClock = Arc::new(TravelClock::starting_at(start(), 1.0));
    settings.rules.zone = campaign.practice.zone.clone();
    let (hinting, hints) = webhook::channel();
    let vendor = Arc::new(Neighbour::new(settings, Arc::clone(&clock), telling, hinting));
    let ledger = Ledger::open_inline(&folder.join("ledger.db"), start()).expect("a ledger");
    let run = ledger.begin_run(Arc::clone(&campaign), true, start()).await.expect("a run");
    let count = drafts.len() as u64;
    ledger.enrol(run, &drafts, start()).await.expect("enrolled");
    let tally = ListTally { read: count, accepted: count, ..ListTally::default() };
    ledger.close_list(run, tally, true, start()).await.expect("closed");
    let hints = Some(hints).filter(|_| telling == Telling::HeadersAndWebhooks);
    let vendors = [(campaign.practice.organisation.clone(), Arc::clone(&vendor))].into();
    let engine = Engine { ledger, vendors, clock, campaign, run, until_done: true, seed: 1, hints };
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let heard = Arc::clone(&events);
    let mut listener = move |event: &Event| heard.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    let finished = engine.run(&mut listener, std::future::pending()).await.expect("it ends");
    let events = std::mem::take(&mut *events.lock().unwrap_or_else(PoisonError::into_inner));
    Ran { requests: finished.requests, asked: vendor.asked(), events }
}
