//! How far `check`'s forecast is from what a run of the same calls takes: minutes, requests, and calls that fit before the
//! window closes. The run is the engine's own, against the simulator's world, in one process and on virtual time.
//!
//! `cargo bench --bench forecast` prints a table, and fails if an error is above five per cent.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use callrounds::annie::{Answer, CallRequest, Conversation, NotPlaced, Page, Reply, Status, Unread, Vendor};
use callrounds::campaign::{self, Allowances, Campaign};
use callrounds::clock::{SharedClock, TravelClock};
use callrounds::engine::{Engine, Event};
use callrounds::entry::{CalledPartyZones, Content, Draft, ListTally, PatientInfo, Standing, Testimony, ZoneSource};
use callrounds::ids::{ConversationId, EntryKey, OrganisationId};
use callrounds::ledger::Ledger;
use callrounds::phone::E164;
use callrounds::plan::{Forecast, Lengths, Planner, turns};
use callrounds::simulator::conversation::{Status as Shown, View};
use callrounds::simulator::{ListQuery, PlaceCall, Settings, World};
use chrono::{DateTime, TimeDelta, Utc};

/// Ten in the morning in Chicago, on a Tuesday.
const START: &str = "2026-11-24T16:00:00Z";

/// The goal: an error of at most so much.
const GOAL: f64 = 0.05;

/// Area codes of Illinois, each with a hundred numbers that ring nobody.
const AREAS: [u32; 10] = [312, 773, 708, 630, 847, 224, 331, 464, 872, 815];

/// What a run took, or is foretold to take.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Effort {
    minutes: f64,
    requests: f64,
    fit: f64,
}

/// The simulator's world as the engine's vendor, without a network between.
struct Neighbour {
    world: Mutex<World>,
    clock: SharedClock,
}

impl Neighbour {
    fn ask<T>(&self, question: impl FnOnce(&mut World, DateTime<Utc>) -> T) -> Answer<T> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        Answer::bare(question(&mut world, self.clock.now()))
    }
}

impl Vendor for Neighbour {
    async fn place(&self, call: CallRequest) -> Answer<Reply> {
        let request =
            PlaceCall { from_number: call.from.expose(), to_number: call.to.expose(), ..PlaceCall::default() };
        self.ask(|world, now| match world.place(now, &request) {
            Ok(id) => Reply::Accepted(id),
            Err(_) => Reply::NotPlaced(NotPlaced::Refused { status: 400 }),
        })
    }

    async fn page(&self, offset: u64, limit: u32) -> Answer<Result<Page, Unread>> {
        self.ask(|world, now| {
            let page = world.list(now, &ListQuery { offset, limit, ..ListQuery::default() });
            let conversations = page.conversations.iter().map(told).collect();
            Ok(Page { conversations, unreadable: 0, offset, total: Some(page.total) })
        })
    }

    async fn conversation(&self, id: &ConversationId) -> Answer<Result<Conversation, Unread>> {
        self.ask(|world, now| world.conversation(now, id).map(|view| told(&view)).ok_or(Unread::NotFound))
    }

    fn renews_credentials(&self) -> bool {
        false
    }

    async fn may_call_from(&self, _from: E164) -> Answer<Result<Option<bool>, Unread>> {
        Answer::bare(Ok(Some(true)))
    }
}

fn told(view: &View) -> Conversation {
    let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Conversation {
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

fn campaign(open_calls: u32) -> Arc<Campaign> {
    let text = format!(
        "name = \"forecast\"\npurpose = \"recall\"\n[practice]\nname = \"Bright Smile Dental\"\n\
         timezone = \"America/Chicago\"\nfrom_number = \"+13125550142\"\n[calling]\nconsent = \"on_file\"\n\
         window = \"10:00-12:00\"\n[redial]\nmax_attempts = 1\n[rate]\nopen_calls = {open_calls}\n[vendor]\nkind = \"simulator\"\n"
    );
    let loaded = campaign::load(&text, "forecast.toml", PathBuf::new(), Allowances::default());
    Arc::new(loaded.unwrap_or_else(|problems| panic!("{}", problems.drawn(false))))
}

fn drafts(count: u32) -> Vec<Draft> {
    let draft = |n: u32| Draft {
        key: EntryKey::new(n.to_string()),
        organisation: OrganisationId::new("bright-smile"),
        phone: E164::parse(&format!("+1{}5550{}", AREAS[(n / 100) as usize], 100 + n % 100)).expect("a number"),
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

fn start() -> DateTime<Utc> {
    START.parse().expect("an instant")
}

fn forecast(campaign: &Campaign, drafts: Vec<Draft>) -> Effort {
    let mut planner = Planner::new(campaign, None, start(), false);
    for draft in drafts {
        planner.take(draft).expect("no ledger is asked");
    }
    let mut plan = planner.finish(true).expect("no ledger is asked");
    let Forecast { requests, minutes, fit, .. } = turns::play(&mut plan.calls, campaign, &Lengths::default(), start());
    Effort { minutes: minutes as f64, requests: requests as f64, fit: fit as f64 }
}

/// Places the calls, on every day that it takes.
async fn run(campaign: Arc<Campaign>, drafts: Vec<Draft>, seed: u64, ledger: &Path) -> Effort {
    let clock: SharedClock = Arc::new(TravelClock::starting_at(start(), 1.0));
    let mut settings = Settings { seed, ..Settings::default() };
    settings.rules.zone = campaign.practice.zone.clone();
    let vendor = Neighbour { world: Mutex::new(World::new(settings, start())), clock: Arc::clone(&clock) };
    let ledger = Ledger::open_inline(ledger, start()).expect("a ledger");
    let run = ledger.begin_run(Arc::clone(&campaign), true, start()).await.expect("a run");
    let count = drafts.len() as u64;
    ledger.enrol(run, drafts, start()).await.expect("enrolled");
    let tally = ListTally { read: count, accepted: count, ..ListTally::default() };
    ledger.close_list(run, tally, true, start()).await.expect("closed");
    let engine = Engine { ledger, vendor: Arc::new(vendor), clock, campaign, run, until_done: true, seed: 1 };
    let watched: Arc<Mutex<Seen>> = Arc::default();
    let mut listener = {
        let watched = Arc::clone(&watched);
        move |event: &Event| watched.lock().unwrap_or_else(PoisonError::into_inner).hear(event)
    };
    let finished = engine.run(&mut listener, std::future::pending()).await.expect("it ends");
    let requests = finished.requests;
    let requests = requests.calls + requests.pages + requests.conversations + requests.other;
    let told = watched.lock().unwrap_or_else(PoisonError::into_inner);
    Effort { minutes: told.busy.as_seconds_f64() / 60.0, requests: requests as f64, fit: f64::from(told.fit) }
}

/// What a run told of itself.
#[derive(Default)]
struct Seen {
    open: u32,
    last: Option<DateTime<Utc>>,
    busy: TimeDelta,
    fit: u32,
}

impl Seen {
    fn hear(&mut self, event: &Event) {
        let at = event.at();
        if let Some(last) = self.last.filter(|_| self.open > 0) {
            self.busy += at - last;
        }
        self.last = Some(at);
        match event {
            Event::Accepted { .. } => {
                self.open += 1;
                self.fit += u32::from(at < start() + TimeDelta::hours(2));
            }
            Event::Ended { .. } => self.open -= 1,
            Event::Started { .. }
            | Event::Dialling { .. }
            | Event::NotPlaced { .. }
            | Event::Refused { .. }
            | Event::AnswerLost { .. }
            | Event::Adopted { .. }
            | Event::TakenOver { .. }
            | Event::Absent { .. }
            | Event::TrackLost { .. }
            | Event::SetAside { .. }
            | Event::Paused { .. }
            | Event::Resting { .. }
            | Event::Stopping { .. } => {}
        }
    }
}

fn error(foretold: f64, seen: f64) -> f64 {
    if seen == 0.0 { foretold.abs() } else { (foretold - seen) / seen }
}

fn main() -> ExitCode {
    println!("calls  open_calls  seed   minutes foretold/seen    requests foretold/seen   fit foretold/seen");
    let mut worst: f64 = 0.0;
    for (calls, open_calls) in [(100, 10), (1_000, 5), (1_000, 10), (1_000, 20), (1_000, 60), (1_000, 200)] {
        let campaign = campaign(open_calls);
        let foretold = forecast(&campaign, drafts(calls));
        for seed in 1..=3 {
            let folder = tempfile::tempdir().expect("a folder");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
            let path = folder.path().join("ledger.db");
            let run = run(Arc::clone(&campaign), drafts(calls), seed, &path);
            let seen = runtime.expect("a runtime").block_on(run);
            let pairs =
                [(foretold.minutes, seen.minutes), (foretold.requests, seen.requests), (foretold.fit, seen.fit)];
            let cells = pairs.map(|(foretold, seen)| {
                format!("{foretold:>6.0} / {seen:>6.0} {:>+5.1} %", 100.0 * error(foretold, seen))
            });
            println!("{calls:>5}  {open_calls:>10}  {seed:>4}   {}", cells.join("   "));
            if calls >= 1_000 {
                worst = pairs.into_iter().map(|(foretold, seen)| error(foretold, seen).abs()).fold(worst, f64::max);
            }
        }
    }
    println!("worst error at 1,000 calls: {:.1} %; goal: {:.0} %", 100.0 * worst, 100.0 * GOAL);
    if worst <= GOAL { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
