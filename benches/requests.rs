//! What the request budget goes to: requests per finished call, and calls an hour, at 60 requests a minute, reads
//! included (promise P7). The run is the engine's own against the simulator's world, in one process and on virtual time;
//! beside it, a client that asks for each open conversation every 30 s, and the limit: no request but the calls.
//!
//! `cargo bench --bench requests` prints a table, and fails if a goal is missed.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod neighbour;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::process::ExitCode;
use std::sync::Arc;

use callrounds::annie::Meter;
use callrounds::annie::budget::Budget;
use callrounds::clock::{Clock, SetClock};
use callrounds::engine::Event;
use callrounds::ids::{EntryId, OrganisationId};
use callrounds::simulator::people::Scripted;
use callrounds::simulator::settings::{ListHabits, Order};
use callrounds::simulator::{Behaviour, People, Settings};
use chrono::{DateTime, TimeDelta, Utc};

use self::neighbour::{Telling, What, drafts, number, start};

const CALLS: u32 = 1_000;

/// The vendor's own: 60 requests a minute.
const AN_HOUR: f64 = 3_600.0;

/// So many lines are never short: at a call a second, those of four minutes and their closing need 260.
const LINES: u32 = 400;

/// Goals: requests per finished call at most, and the share of the budget's limit that becomes calls at least.
const REQUESTS: f64 = 1.05;
const SHARE: f64 = 0.95;

/// The goal where the vendor's list is in another order than newest first.
const REQUESTS_IN_ANY_ORDER: f64 = 1.1;

/// How often the client beside it asks for each open conversation.
const EVERY: TimeDelta = TimeDelta::seconds(30);

/// How long a conversation that is over is not yet closed, at the simulator.
const CLOSING: TimeDelta = TimeDelta::seconds(20);

/// What somebody's run of the calls took.
struct Took {
    calls: u64,
    reads: u64,
    /// From the first call to the last: while there were calls to place.
    dialling: TimeDelta,
    /// From the first call to the last ending.
    whole: TimeDelta,
    /// From each conversation's closing until it was known, in seconds, sorted.
    stale: Vec<f64>,
}

impl Took {
    fn requests_per_call(&self) -> f64 {
        (self.calls + self.reads) as f64 / f64::from(CALLS)
    }

    /// Calls placed an hour while there were calls to place. The ramp at the beginning costs no request and no call; the
    /// one at the end, when the last conversations are waited for, has no call that could be placed.
    fn calls_an_hour(&self) -> f64 {
        f64::from(CALLS - 1) * AN_HOUR / self.dialling.as_seconds_f64()
    }

    fn print(&self, who: &str) {
        let at = |share: f64| self.stale[((self.stale.len() - 1) as f64 * share) as usize];
        println!(
            "{who:<34} {:>8.3} {:>7} {:>7} {:>9.0} {:>6.2} {:>9.1} {:>8.0} / {:>3.0} / {:>3.0}",
            self.requests_per_call(),
            self.calls,
            self.reads,
            self.calls_an_hour(),
            self.calls_an_hour() / AN_HOUR,
            self.whole.as_seconds_f64() / 60.0,
            at(0.5),
            at(0.95),
            at(1.0),
        );
    }
}

/// Seconds that the `n`th call lasts, in the order of the list: 60 to 240, evenly, mixed.
fn seconds(n: u32, seed: u64) -> u32 {
    let spread = ((f64::from(n) + seed as f64 * 0.37) * 0.618_033_988_749_895).fract();
    60 + (spread * 181.0) as u32
}

/// How long ago a conversation of the seed's closed when the run heard of it.
fn ours(seed: u64, lines: u32, telling: Telling, habits: ListHabits) -> Took {
    let mut people = People::default();
    for n in 0..CALLS {
        people.script(number(n), vec![Scripted { behaviour: Behaviour::Books, seconds: Some(seconds(n, seed)) }]);
    }
    let settings = Settings { seed, people, closing: CLOSING, list: habits, ..Settings::default() };
    let ran = neighbour::run(&neighbour::campaign("10:00-18:00", lines), drafts(CALLS), settings, telling);
    let dialled: Vec<_> = ran.asked.iter().filter(|asked| asked.what == What::Call).map(|asked| asked.at).collect();
    let ended: Vec<_> = ran.events.iter().filter_map(ending).collect();
    assert_eq!((dialled.len(), ended.len()), (CALLS as usize, CALLS as usize), "each is called once, and ends");
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
    let (first, last) = (dialled[0], dialled[dialled.len() - 1]);
    let over = ended.iter().map(|(_, at)| *at).max().expect("an ending");
    let reads = ran.asked.len() as u64 - u64::from(CALLS);
    Took { calls: CALLS.into(), reads, dialling: last - first, whole: over - first, stale }
}

fn dialling(event: &Event) -> Option<(EntryId, DateTime<Utc>)> {
    if let Event::Dialling { entry, at, .. } = event { Some((*entry, *at)) } else { None }
}

fn ending(event: &Event) -> Option<(EntryId, DateTime<Utc>)> {
    if let Event::Ended { entry, at, .. } = event { Some((*entry, *at)) } else { None }
}

/// A list that shows the oldest conversation first, but for those that began within so many seconds of one another.
fn oldest_first(inversions: i64) -> ListHabits {
    ListHabits { order: Order::OldestFirst, inversions: TimeDelta::seconds(inversions), ..ListHabits::default() }
}

/// A client that places a call whenever no look at an open conversation is due, and looks at each every 30 s.
fn one_by_one(seed: u64) -> Took {
    let clock = Arc::new(SetClock::at(start()));
    let mut budget = Budget::new(clock.clone(), 60);
    let organisation = OrganisationId::new("bright-smile");
    let mut spend = |at: DateTime<Utc>| {
        clock.set(at);
        while let Err(ready) = budget.take(&organisation, clock.now()) {
            clock.set(ready);
        }
        budget.observe(&organisation, &Meter::default(), clock.now());
        clock.now()
    };
    let (mut reads, mut placed, mut first, mut last) = (0, 0, start(), start());
    let mut open: BinaryHeap<Reverse<(DateTime<Utc>, DateTime<Utc>)>> = BinaryHeap::new();
    let mut stale = Vec::new();
    let mut now = start();
    while placed < CALLS || !open.is_empty() {
        let look = open.peek().map(|Reverse((due, _))| *due);
        if placed < CALLS && look.is_none_or(|due| due > now) {
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
    Took { calls: CALLS.into(), reads, dialling: last - first, whole: now - first, stale }
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
        let took = ours(seed, LINES, Telling::Headers, ListHabits::default());
        took.print(&format!("callrounds, seed {seed}"));
        met &= took.requests_per_call() <= REQUESTS && took.calls_an_hour() >= SHARE * AN_HOUR;
    }
    let took = ours(1, LINES, Telling::HeadersAndWebhooks, ListHabits::default());
    took.print("callrounds with webhooks");
    met &= took.requests_per_call() <= REQUESTS && took.calls_an_hour() >= SHARE * AN_HOUR;
    for seconds in [0, 5, 60] {
        let took = ours(1, LINES, Telling::Headers, oldest_first(seconds));
        took.print(&format!("oldest first, within {seconds} s any"));
        met &= took.requests_per_call() <= REQUESTS_IN_ANY_ORDER;
    }
    one_by_one(1).print("a GET for each, every 30 s");
    println!("where lines, not requests, are short:");
    ours(1, 60, Telling::Headers, ListHabits::default()).print("callrounds, 60 lines");
    ours(1, 60, Telling::HeadersAndWebhooks, ListHabits::default()).print("callrounds with webhooks, 60 lines");
    ours(1, 10, Telling::Headers, ListHabits::default()).print("callrounds, 10 lines");
    ours(1, 10, Telling::HeadersAndWebhooks, ListHabits::default()).print("callrounds with webhooks, 10 lines");
    println!(
        "goals: at most {REQUESTS} requests per call ({REQUESTS_IN_ANY_ORDER} oldest first), at least {SHARE} of the limit in calls an hour"
    );
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
