//! Several organisations in one run, on virtual time: each at its own pace, and none held up by another's troubles.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use callrounds::annie::{
    Answer, CallRequest, Concern, Conversation, LostAnswer, Medium, NotPlaced, Page, Reply, Status, Unread, Vendor,
};
use callrounds::campaign::{self, Allowances, Campaign};
use callrounds::clock::{Clock, SharedClock, TravelClock};
use callrounds::engine::{Ending, Engine, Event, Finished, Refusal};
use callrounds::entry::{Draft, ListTally, State, Testimony};
use callrounds::ids::{ConversationId, Location, OrganisationId};
use callrounds::ledger::{Census, Ledger};
use callrounds::phone::E164;
use chrono::{DateTime, TimeDelta, Utc};

use crate::scripted;

/// Ten in the morning in Chicago, on a Tuesday.
const START: &str = "2026-11-24T16:00:00Z";

/// The number of the first organisation's second location.
const ANNEX: &str = "+13125550160";

/// How an organisation's vendor is today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    /// Every answer takes so many seconds.
    Slow(i64),
    /// It does not know our key.
    TurnsUsAway,
    /// It accepts every call, and no answer to one arrives.
    Mute,
    /// It does not let the annex's number call, and says so when it is asked, or only when it is to place a call.
    BarsTheAnnex {
        says_so: bool,
    },
}

/// One organisation's vendor: its conversations last a minute.
struct Desk {
    name: usize,
    mood: Mood,
    clock: Arc<TravelClock>,
    calls: Mutex<Vec<Call>>,
    /// Calls from a number that may not call.
    barred: Mutex<usize>,
}

#[derive(Clone)]
struct Call {
    at: DateTime<Utc>,
    from: E164,
    to: E164,
}

impl Desk {
    /// The same vendor, now that all is well.
    fn mended(&self) -> Self {
        let calls = Mutex::new(self.calls().clone());
        Self { name: self.name, mood: Mood::Well, clock: Arc::clone(&self.clock), calls, barred: Mutex::default() }
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer<T>(&self, value: T) -> Answer<T> {
        if let Mood::Slow(seconds) = self.mood {
            self.clock.sleep(TimeDelta::seconds(seconds)).await;
        }
        Answer { date: Some(self.clock.now()), ..Answer::bare(value) }
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
            testimony: Testimony { duration: Some(60.0), ..Testimony::default() },
        }
    }

    fn read<T>(&self, value: T) -> Result<T, Unread> {
        if self.mood == Mood::TurnsUsAway { Err(Unread::Unauthorised(401)) } else { Ok(value) }
    }
}

impl Vendor for Desk {
    async fn place(&self, call: CallRequest) -> Answer<Reply> {
        if self.mood == Mood::TurnsUsAway {
            return self.answer(Reply::NotPlaced(NotPlaced::refused(401, Concern::Credentials))).await;
        }
        if matches!(self.mood, Mood::BarsTheAnnex { .. }) && call.from.expose() == ANNEX {
            *self.barred.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            return self.answer(Reply::NotPlaced(NotPlaced::refused(403, Concern::OurNumber))).await;
        }
        let at = {
            let mut calls = self.calls();
            calls.push(Call { at: self.clock.now(), from: call.from, to: call.to });
            calls.len() - 1
        };
        if self.mood == Mood::Mute {
            self.clock.sleep(TimeDelta::seconds(30)).await;
            return Answer::bare(Reply::Lost(LostAnswer::Timeout));
        }
        self.answer(Reply::Accepted(self.id(at))).await
    }

    async fn page(&self, offset: u64, limit: u32) -> Answer<Result<Page, Unread>> {
        let (total, conversations) = {
            let calls = self.calls();
            let newest_first = calls.iter().enumerate().rev().skip(offset as usize).take(limit as usize);
            let shown = newest_first.map(|(at, call)| self.conversation_at(at, call)).collect();
            (calls.len() as u64, shown)
        };
        let page = self.read(Page { conversations, nameless: Vec::new(), total: Some(total) });
        self.answer(page).await
    }

    async fn conversation(&self, id: &ConversationId) -> Answer<Result<Conversation, Unread>> {
        let found = (0..)
            .zip(self.calls().iter())
            .find_map(|(at, call)| (self.id(at) == *id).then(|| self.conversation_at(at, call)));
        self.answer(found.ok_or(Unread::NotFound)).await
    }

    async fn may_call_from(&self, from: E164) -> Answer<Result<Option<bool>, Unread>> {
        let is_barred = self.mood == Mood::BarsTheAnnex { says_so: true } && from.expose() == ANNEX;
        let may = self.read(Some(!is_barred));
        self.answer(may).await
    }
}

/// A campaign with so many lines. `more` is written below `[safety]`, but what comes after `[[each]]` into every line.
fn campaign(organisations: usize, more: &str) -> Arc<Campaign> {
    let (more, each) = more.split_once("[[each]]\n").unwrap_or((more, ""));
    let mut text = format!(
        "name = \"recall\"\npurpose = \"recall\"\n[practice]\nname = \"Group\"\ntimezone = \"America/Chicago\"\n\
         from_number = \"+13125550100\"\n[calling]\nconsent = \"on_file\"\n[redial]\nmax_attempts = 1\n\
         [vendor]\nkind = \"simulator\"\n[safety]\nsettle = \"120s\"\nstop_on = {{ error_rate = 1.0 }}\n{more}"
    );
    for n in 0..organisations {
        let number = 150 + n;
        write!(
            text,
            "[[line]]\nlocation = \"L{n}\"\norganisation = \"organisation {n}\"\nfrom_number = \"+13125550{number}\"\n{each}"
        )
        .expect("written");
    }
    let loaded = campaign::load(&text, "recall.toml", PathBuf::new(), Allowances::default());
    Arc::new(loaded.unwrap_or_else(|problems| panic!("{}", problems.drawn(false))))
}

fn name(n: usize) -> OrganisationId {
    OrganisationId::new(format!("organisation {n}"))
}

/// The `k`th patient of an organisation.
fn draft(n: usize, k: usize) -> Draft {
    let area = [773, 708, 630, 847, 224, 331][n];
    Draft {
        organisation: name(n),
        location: Some(Location::new(format!("L{n}"))),
        phone: E164::parse(&format!("+1{area}5550{}", 100 + k)).expect("a number"),
        line: (k * 10 + n) as u64 + 2,
        ..scripted::draft(&format!("{n}-{k}"))
    }
}

struct Ran {
    finished: Finished,
    desks: Vec<Arc<Desk>>,
    census: Census,
    clock: Arc<TravelClock>,
    events: Vec<Event>,
}

impl Ran {
    /// How long after the start an organisation's last call was placed.
    fn took(&self, n: usize) -> TimeDelta {
        let last = self.desks[n].calls().last().map(|call| call.at);
        last.expect("a call") - START.parse::<DateTime<Utc>>().expect("an instant")
    }

    fn placed(&self) -> Vec<usize> {
        self.desks.iter().map(|desk| desk.calls().len()).collect()
    }

    fn ending(&self, n: usize) -> &Ending {
        &self.finished.endings[n].1
    }
}

/// A ledger, a clock, and the vendors of organisations in these moods.
struct Scene {
    _folder: tempfile::TempDir,
    ledger: Ledger,
    clock: Arc<TravelClock>,
    desks: Vec<Arc<Desk>>,
}

impl Scene {
    fn of(moods: &[Mood]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let start = START.parse().expect("an instant");
        let clock = Arc::new(TravelClock::starting_at(start, 1.0).leaping());
        let ledger = Ledger::open_inline(&folder.path().join("ledger.db"), start).expect("a ledger");
        let desk = |(name, mood): (usize, &Mood)| {
            Arc::new(Desk {
                name,
                mood: *mood,
                clock: Arc::clone(&clock),
                calls: Mutex::default(),
                barred: Mutex::default(),
            })
        };
        let desks = moods.iter().enumerate().map(desk).collect();
        Self { _folder: folder, ledger, clock, desks }
    }

    /// A run of a campaign that has lines of the first so many organisations, over a list of these patients, until `stop`.
    async fn run(
        &self,
        organisations: usize,
        drafts: Vec<Draft>,
        more: &str,
        stop: impl Future<Output = ()> + Send,
    ) -> Ran {
        let (now, campaign) = (self.clock.now(), campaign(organisations, more));
        let run = self.ledger.begin_run(Arc::clone(&campaign), true, now).await.expect("a run");
        let tally = ListTally { read: drafts.len() as u64, accepted: drafts.len() as u64, ..ListTally::default() };
        self.ledger.enrol(run, &drafts, now).await.expect("enrolled");
        self.ledger.close_list(run, tally, false, now).await.expect("closed");
        let desks = &self.desks[..organisations];
        let vendors: BTreeMap<_, _> = desks.iter().map(|desk| (name(desk.name), Arc::clone(desk))).collect();
        let (ledger, clock): (_, SharedClock) = (self.ledger.clone(), self.clock.clone());
        let engine = Engine { ledger, vendors, clock, campaign, run, until_done: true, seed: 1, hints: None };
        let mut events = Vec::new();
        let mut listener = |event: &Event| events.push(event.clone());
        let ended = tokio::time::timeout(Duration::from_hours(48), engine.run(&mut listener, stop)).await;
        let finished = ended.expect("it ends within two days").expect("it runs");
        let (census, _) = self.ledger.standing(run).await.expect("a census");
        Ran { finished, desks: self.desks.clone(), census, clock: Arc::clone(&self.clock), events }
    }
}

/// So many patients of each of so many organisations, in turn.
fn drafts(organisations: usize, patients: usize) -> Vec<Draft> {
    (0..patients).flat_map(|k| (0..organisations).map(move |n| draft(n, k))).collect()
}

/// A run over organisations in these moods, each with so many patients.
async fn run(moods: &[Mood], patients: usize, more: &str) -> Ran {
    let drafts = drafts(moods.len(), patients);
    Scene::of(moods).run(moods.len(), drafts, more, std::future::pending()).await
}

#[tokio::test(start_paused = true)]
async fn every_organisation_is_called_at_its_own_pace_by_its_own_number() {
    let ran = run(&[Mood::Well; 4], 40, "[rate]\nopen_calls = 100\n").await;
    assert_eq!(ran.finished.ending, Ending::Done);
    for (n, desk) in ran.desks.iter().enumerate() {
        let from = format!("+13125550{}", 150 + n);
        assert!(desk.calls().iter().all(|call| call.from.expose() == from), "{from}");
        // Forty calls at sixty requests a minute, with what must be read meanwhile: side by side, not one after another.
        assert!(ran.took(n) < TimeDelta::seconds(60), "{n}: {}", ran.took(n));
    }
    assert_eq!(ran.placed(), [40; 4]);
    let started = ran.events.iter().filter(|event| matches!(event, Event::Started { .. })).count();
    assert_eq!(started, 1, "one run began");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_slow_or_mute_or_turns_us_away_keeps_nobody_else_waiting() {
    let moods = [Mood::Well, Mood::Slow(20), Mood::TurnsUsAway, Mood::Mute, Mood::Well];
    let ran = run(&moods, 30, "[rate]\nopen_calls = 100\n").await;
    assert!(ran.took(0) < TimeDelta::seconds(60) && ran.took(4) < TimeDelta::seconds(60), "as if alone");
    assert_eq!(ran.ending(0), &Ending::Done);
    assert_eq!(ran.ending(2), &Ending::Refused(Refusal::Credentials));
    assert_eq!(ran.finished.ending, Ending::Refused(Refusal::Credentials), "the gravest is the run's");
    let why = ran.finished.why();
    assert!(why.contains("organisation 2: the vendor does not accept our credentials"), "{why}");
    assert!(!why.contains("organisation 0"), "{why}");
    // Every call of the mute one was found on its list, and none was placed a second time.
    assert_eq!(ran.placed(), [30, 30, 0, 30, 30]);
    let left = ran.census.count(|group| group.location == Some(Location::new("L2")));
    assert_eq!((ran.census.due_work(), left), (30, 30), "whom nobody called is still to be called");
}

#[tokio::test(start_paused = true)]
async fn max_calls_is_everybodys_and_ends_the_run_for_all() {
    for limit in [1, 2, 3, 7, 20] {
        let ran = run(&[Mood::Well, Mood::Slow(5), Mood::Well], 10, &format!("max_calls = {limit}\n")).await;
        assert_eq!(ran.placed().iter().sum::<usize>(), limit, "{limit}");
        assert_eq!(ran.finished.ending, Ending::MaxCalls { limit: limit as u32 });
        let hours = ran.clock.now() - START.parse::<DateTime<Utc>>().expect("an instant");
        assert!(hours < TimeDelta::hours(1), "{limit}: it ended after {hours}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_organisation_has_a_canary_of_its_own() {
    let ran = run(&[Mood::Well, Mood::Well], 6, "canary = 2\n").await;
    for desk in &ran.desks {
        let calls = desk.calls();
        let third = calls[2].at - calls[1].at;
        assert!(third > TimeDelta::minutes(1), "the first two are over before the third: {third}");
    }
}

#[tokio::test(start_paused = true)]
async fn open_calls_is_what_the_line_says_and_decides_how_often_the_list_is_read() {
    let ran = run(&[Mood::Well, Mood::Well], 4, "[[each]]\nopen_calls = 1\n").await;
    for desk in &ran.desks {
        let calls = desk.calls();
        assert!(calls.windows(2).all(|pair| pair[1].at - pair[0].at > TimeDelta::minutes(1)), "one at a time");
    }
    // No call waits for another to end, so that there is no hurry to see the endings.
    let ran = run(&[Mood::Well, Mood::Well], 60, "[rate]\nopen_calls = 1\n[[each]]\nopen_calls = 100\n").await;
    let pages = ran.finished.requests.pages;
    assert!(pages <= 16, "{pages} pages for two times sixty calls");
    assert!(ran.took(0) < TimeDelta::seconds(80), "{}", ran.took(0));
}

/// Another organisation's list shows nothing of a call, which proves nothing about it.
#[tokio::test(start_paused = true)]
async fn a_lost_call_of_an_organisation_that_the_campaign_has_lost_is_never_taken_for_absent() {
    let scene = Scene::of(&[Mood::Well, Mood::Mute]);
    let retrying = "on_lost_answer = \"retry\"\n";
    let soon = scene.clock.sleep(TimeDelta::seconds(50));
    let stopped = scene.run(2, drafts(2, 3), retrying, soon).await;
    let unknown = |ran: &Ran| ran.census.count(|group| group.state == State::Unknown);
    assert_eq!((stopped.placed(), unknown(&stopped)), (vec![3, 3], 3), "the mute one's answers are lost");

    // Its line is gone, and both lists are kept up to date; then the line comes back.
    let without = scene.run(1, drafts(1, 3), retrying, std::future::pending()).await;
    assert_eq!((without.placed(), unknown(&without)), (vec![3, 3], 3));
    let again = scene.run(2, drafts(2, 3), retrying, std::future::pending()).await;
    assert_eq!((again.placed(), unknown(&again)), (vec![3, 3], 0), "each was called once, and found");
}

/// The first organisation has a second location, whose number the vendor does not let call.
#[tokio::test(start_paused = true)]
async fn a_number_that_may_not_call_stops_its_line_and_no_other() {
    let annex = Location::new("Annex");
    let line = format!(
        "[rate]\nopen_calls = 100\n[[line]]\nlocation = \"Annex\"\norganisation = \"organisation 0\"\nfrom_number = \"{ANNEX}\"\n"
    );
    for says_so in [true, false] {
        let scene = Scene::of(&[Mood::BarsTheAnnex { says_so }, Mood::Well]);
        let at_annex = |k| Draft { location: Some(annex.clone()), ..draft(0, k) };
        // The annex's are due first.
        let list = || (0..10).map(at_annex).chain((10..40).map(|k| draft(0, k))).chain((0..10).map(|k| draft(1, k)));
        let ran = scene.run(2, list().collect(), &line, std::future::pending()).await;
        assert_eq!(ran.placed(), [30, 10], "{says_so}");
        let locations = vec![annex.clone()];
        let ending = if says_so {
            Ending::LinesRefused { locations }
        } else {
            let says = Some("status 403".into());
            Ending::RefusedInARow { refusal: Refusal::FromNumber, says, locations }
        };
        assert_eq!(ran.ending(0), &ending);
        assert_eq!((ran.ending(1), ran.finished.ending.name()), (&Ending::Done, "vendor_refused"));
        assert!(ran.took(0) < TimeDelta::seconds(60), "{}", ran.took(0));
        let why = ran.finished.why();
        let says = if says_so { "" } else { " (status 403)" };
        assert_eq!(why, format!("organisation 0: the vendor does not let the from_number of Annex call{says}"));
        let told = ran.events.iter().filter(|event| matches!(event, Event::LineRefused { .. })).count();
        assert_eq!(told, 1, "it is said once");
        let refused = *scene.desks[0].barred.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(if says_so { refused == 0 } else { refused == 3 }, "{refused} requests");
        let left = |ran: &Ran| {
            let is_left = |state| matches!(state, State::Ready | State::Waiting);
            ran.census.count(|group| group.location == Some(annex.clone()) && is_left(group.state))
        };
        assert_eq!((left(&ran), ran.census.due_work()), (10, 10), "they are still to be called");

        // Once it may, they are called, and nobody again.
        let desks = scene.desks.iter().map(|desk| Arc::new(desk.mended())).collect();
        let again = Scene { desks, ..scene }.run(2, list().collect(), &line, std::future::pending()).await;
        assert_eq!((again.placed(), left(&again)), (vec![40, 10], 0));
        assert_eq!(again.finished.ending, Ending::Done);
    }
}
