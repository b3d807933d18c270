//! The use of the request budget: requests per finished call, and calls an hour, at 60 requests a minute, reads included
//! (promise P7). The engine runs against the simulator's world, in one process and on virtual time. For comparison: a client
//! that reads each open conversation every 30 s, and the limit, which is calls alone.
//!
//! `cargo bench --bench requests` prints a table, and fails if a goal is missed.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "../tests/fixtures/mod.rs"]
mod fixtures;
mod in_process_vendor;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::process::ExitCode;
use std::sync::Arc;

use callrounds::clock::{Clock, ManualClock};
use callrounds::engine::Event;
use callrounds::ids::{EntryId, OrganisationId};
use callrounds::simulator::medium::SimulatedMedium;
use callrounds::simulator::people::Scripted;
use callrounds::simulator::settings::{ConversationOrder, ForeignTraffic, ListHabits};
use callrounds::simulator::{Behaviour, People, Settings};
use callrounds::vendor::RateHeaders;
use callrounds::vendor::quota::Quotas;
use chrono::{DateTime, TimeDelta, Utc};

use self::in_process_vendor::{RequestKind, VendorSignals, new_entries, number, start};

const CALLS: u32 = 1_000;

/// The vendor's budget: 3,600 requests an hour.
const AN_HOUR: f64 = 3_600.0;

/// More concurrent calls than are ever needed: at a call a second, calls of four minutes and their closing need 260.
const MANY_OPEN_CALLS: u32 = 400;

/// Goals: requests per finished call at most, and the share of the budget's limit that becomes calls at least.
const REQUESTS: f64 = 1.045;
const SHARE: f64 = 0.97;

/// The goal where the vendor's list is in another order than newest first.
const REQUESTS_IN_ANY_ORDER: f64 = 1.1;

/// How often the simple client reads each open conversation.
const EVERY: TimeDelta = TimeDelta::seconds(30);

/// Where concurrent calls are the limit: a case, and the share of the limit of places, in calls an hour, that it has to
/// reach.
struct PlacesCase {
    name: &'static str,
    places: u32,
    calls: u32,
    signals: VendorSignals,
    /// Requests a minute by other software, and inbound calls an hour on the vendor's list.
    used_by_others: u32,
    inbound_per_hour: u32,
    goal: f64,
}

const PLACES_CASES: [PlacesCase; 6] = [
    PlacesCase { name: "10 places", places: 10, goal: 0.97, ..PlacesCase::USUAL },
    PlacesCase { name: "60 places", places: 60, goal: 0.96, ..PlacesCase::USUAL },
    PlacesCase {
        name: "10 places, webhooks",
        places: 10,
        signals: VendorSignals::HeadersAndWebhooks,
        goal: 0.985,
        ..PlacesCase::USUAL
    },
    PlacesCase {
        name: "10 places, webhooks at closing",
        places: 10,
        signals: VendorSignals::HeadersAndLateWebhooks,
        goal: 0.97,
        ..PlacesCase::USUAL
    },
    PlacesCase {
        name: "10 places, half the budget used",
        places: 10,
        used_by_others: 30,
        inbound_per_hour: 200,
        goal: 0.95,
        ..PlacesCase::USUAL
    },
    // As many as fit into one window.
    PlacesCase { name: "1 place, 100 calls", places: 1, calls: 100, goal: 0.97, ..PlacesCase::USUAL },
];

impl PlacesCase {
    const USUAL: Self = Self {
        name: "",
        places: 10,
        calls: CALLS,
        signals: VendorSignals::Headers,
        used_by_others: 0,
        inbound_per_hour: 0,
        goal: 0.0,
    };

    /// The list's other conversations, and the part of the budget that other software uses.
    fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        settings.budget.used_by_others = self.used_by_others;
        if let Some(every) = 3_600_u32.checked_div(self.inbound_per_hour) {
            settings.list.foreign.push(ForeignTraffic {
                every: TimeDelta::seconds(every.into()),
                backlog: 100,
                from: number(999),
                to: Vec::new(),
                medium: SimulatedMedium::Voice,
            });
        }
        settings
    }

    /// Runs the case. Returns whether its goal is met.
    fn is_met(&self) -> bool {
        let took = callrounds_run(1, self.calls, self.places, self.signals, self.settings());
        took.print(self.name, self.limit());
        if took.refused > 0 {
            println!("{:<34} {} requests refused with 429", "", took.refused);
        }
        took.calls_an_hour() >= self.goal * self.limit() && took.refused == 0
    }

    /// Calls an hour if each place had its next call at once.
    fn limit(&self) -> f64 {
        let all: u32 = (0..self.calls).map(|n| seconds(n, 1)).sum();
        f64::from(self.places) * f64::from(self.calls) / f64::from(all) * AN_HOUR
    }
}

/// How long the simulator takes to close a conversation that is over.
const CLOSING: TimeDelta = TimeDelta::seconds(20);

/// What placing the calls took.
struct Took {
    calls: u64,
    reads: u64,
    /// The time from the first call to the last.
    dialling: TimeDelta,
    /// The time from the first call to the last ending.
    whole: TimeDelta,
    /// Requests refused with 429.
    refused: usize,
    /// The time from each conversation's closing until the client knew it, in seconds, ascending.
    stale: Vec<f64>,
}

impl Took {
    fn requests_per_call(&self) -> f64 {
        (self.calls + self.reads) as f64 / self.calls as f64
    }

    /// Calls placed an hour while there were calls to place: the time at the end, in which the last conversations are awaited,
    /// does not count.
    fn calls_an_hour(&self) -> f64 {
        (self.calls - 1) as f64 * AN_HOUR / self.dialling.as_seconds_f64()
    }

    /// Prints a row. `limit`: the calls an hour that were possible.
    fn print(&self, who: &str, limit: f64) {
        let at = |share: f64| self.stale[((self.stale.len() - 1) as f64 * share) as usize];
        println!(
            "{who:<34} {:>8.3} {:>7} {:>7} {:>9.0} {:>6.2} {:>9.1} {:>8.0} / {:>3.0} / {:>3.0}",
            self.requests_per_call(),
            self.calls,
            self.reads,
            self.calls_an_hour(),
            self.calls_an_hour() / limit,
            self.whole.as_seconds_f64() / 60.0,
            at(0.5),
            at(0.95),
            at(1.0),
        );
    }
}

/// The duration of the `n`th call of the list in seconds: 60 to 240, evenly spread, in mixed order.
fn seconds(n: u32, seed: u64) -> u32 {
    let spread = ((f64::from(n) + seed as f64 * 0.37) * 0.618_033_988_749_895).fract();
    60 + (spread * 181.0) as u32
}

/// Runs callrounds with `calls` calls, of which at most `open_calls` at once.
fn callrounds_run(seed: u64, calls: u32, open_calls: u32, signals: VendorSignals, settings: Settings) -> Took {
    let mut people = People::default();
    for n in 0..calls {
        people.set_script(number(n), vec![Scripted { behaviour: Behaviour::Books, seconds: Some(seconds(n, seed)) }]);
    }
    let settings = Settings { seed, people, closing: CLOSING, ..settings };
    let ran = in_process_vendor::run(
        &in_process_vendor::campaign("10:00-18:00", open_calls),
        new_entries(calls),
        settings,
        signals,
    );
    let dialled: Vec<_> = ran.sent.iter().filter(|sent| sent.kind == RequestKind::Call).map(|sent| sent.at).collect();
    let ended: Vec<_> = ran.events.iter().filter_map(ending).collect();
    assert_eq!((dialled.len(), ended.len()), (calls as usize, calls as usize), "each is called once, and ends");
    let dialled_at: HashMap<_, _> = ran.events.iter().filter_map(dialling).collect();
    let mut stale: Vec<_> = ended
        .iter()
        .map(|(entry, at)| {
            let n = u32::try_from(entry.0 - 1).expect("entries are numbered as they are enrolled");
            let closed = dialled_at[entry] + TimeDelta::seconds(seconds(n, seed).into()) + CLOSING;
            (*at - closed).as_seconds_f64()
        })
        .collect();
    stale.sort_by(f64::total_cmp);
    let refused = ran.sent.iter().filter(|sent| sent.refused_until.is_some()).count();
    let (first, last) = (dialled[0], dialled[dialled.len() - 1]);
    let last_ending = ended.iter().map(|(_, at)| *at).max().expect("an ending");
    let reads = ran.sent.len() as u64 - u64::from(calls);
    Took { calls: calls.into(), reads, dialling: last - first, whole: last_ending - first, refused, stale }
}

fn dialling(event: &Event) -> Option<(EntryId, DateTime<Utc>)> {
    if let Event::Dialling { entry, at, .. } = event { Some((*entry, *at)) } else { None }
}

fn ending(event: &Event) -> Option<(EntryId, DateTime<Utc>)> {
    if let Event::Ended { entry, at, .. } = event { Some((*entry, *at)) } else { None }
}

/// A list with the oldest conversation first, except that conversations that began within `inversions` seconds of one another
/// may be in any order.
fn oldest_first(inversions: i64) -> Settings {
    let list = ListHabits {
        order: ConversationOrder::OldestFirst,
        inversions: TimeDelta::seconds(inversions),
        ..ListHabits::default()
    };
    Settings { list, ..Settings::default() }
}

/// A simple client: reads each open conversation every 30 s, and places a call whenever no read is due.
fn simple_client(seed: u64) -> Took {
    let clock = Arc::new(ManualClock::at(start()));
    let mut budget = Quotas::new(clock.clone(), 60);
    let organisation = OrganisationId::new("bright-smile");
    let mut spend = |at: DateTime<Utc>| {
        clock.set(at);
        while let Err(ready) = budget.take(&organisation, clock.now()) {
            clock.set(ready);
        }
        budget.observe(&organisation, &RateHeaders::default(), clock.now());
        clock.now()
    };
    let (mut reads, mut placed, mut first, mut last) = (0, 0, start(), start());
    let mut open: BinaryHeap<Reverse<(DateTime<Utc>, DateTime<Utc>)>> = BinaryHeap::new();
    let mut stale = Vec::new();
    let mut now = start();
    while placed < CALLS || !open.is_empty() {
        let next_read = open.peek().map(|Reverse((due, _))| *due);
        if placed < CALLS && next_read.is_none_or(|due| due > now) {
            now = spend(now);
            first = if placed == 0 { now } else { first };
            last = now;
            let closed = now + TimeDelta::seconds(seconds(placed, seed).into()) + CLOSING;
            open.push(Reverse((now + EVERY, closed)));
            placed += 1;
            continue;
        }
        let Some(Reverse((due, closed))) = open.pop() else { break };
        now = spend(due.max(now));
        reads += 1;
        if closed <= now {
            stale.push((now - closed).as_seconds_f64());
        } else {
            open.push(Reverse((now + EVERY, closed)));
        }
    }
    stale.sort_by(f64::total_cmp);
    Took { calls: CALLS.into(), reads, dialling: last - first, whole: now - first, refused: 0, stale }
}

fn main() -> ExitCode {
    println!(
        "{:<34} {:>8} {:>7} {:>7} {:>9} {:>6} {:>9} {:>20}",
        "1,000 calls of 60-240 s",
        "req/call",
        "calls",
        "reads",
        "calls/h",
        "share",
        "minutes",
        "known after s 50/95/100 %"
    );
    println!("{:<34} {:>8.3} {:>7} {:>7} {:>9.0} {:>6.2}", "the limit", 1.0, CALLS, 0, AN_HOUR, 1.0);
    let mut met = true;
    for seed in 1..=5 {
        let took = callrounds_run(seed, CALLS, MANY_OPEN_CALLS, VendorSignals::Headers, Settings::default());
        took.print(&format!("callrounds, seed {seed}"), AN_HOUR);
        met &= took.requests_per_call() <= REQUESTS && took.calls_an_hour() >= SHARE * AN_HOUR;
    }
    let took = callrounds_run(1, CALLS, MANY_OPEN_CALLS, VendorSignals::HeadersAndWebhooks, Settings::default());
    took.print("callrounds with webhooks", AN_HOUR);
    met &= took.requests_per_call() <= REQUESTS && took.calls_an_hour() >= SHARE * AN_HOUR;
    for seconds in [0, 5, 60] {
        let took = callrounds_run(1, CALLS, MANY_OPEN_CALLS, VendorSignals::Headers, oldest_first(seconds));
        took.print(&format!("oldest first, within {seconds} s any"), AN_HOUR);
        met &= took.requests_per_call() <= REQUESTS_IN_ANY_ORDER;
    }
    simple_client(1).print("a GET for each, every 30 s", AN_HOUR);
    println!("where concurrent calls are the limit; the share is of ringing and talk alone:");
    for case in PLACES_CASES {
        let is_met = case.is_met();
        if !is_met {
            println!("{:<34} missed: at least {}", "", case.goal);
        }
        met &= is_met;
    }
    println!(
        "goals: at most {REQUESTS} requests per call ({REQUESTS_IN_ANY_ORDER} oldest first), at least {SHARE} of the limit in calls an hour"
    );
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
