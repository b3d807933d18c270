//! How far `check`'s forecast is from what a run of the same calls takes: minutes, requests, and calls that fit before the
//! window closes. The run is the engine's own, against the simulator's world, in one process and on virtual time.
//!
//! `cargo bench --bench forecast` prints a table, and fails if an error is above five per cent.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod neighbour;

use std::process::ExitCode;
use std::sync::Arc;

use callrounds::campaign::Campaign;
use callrounds::engine::Event;
use callrounds::entry::Draft;
use callrounds::plan::{Forecast, Lengths, Planner, turns};
use callrounds::simulator::Settings;
use chrono::{DateTime, TimeDelta, Utc};

use self::neighbour::{Telling, drafts, start};

/// The goal: an error of at most so much.
const GOAL: f64 = 0.05;

/// What a run took, or is foretold to take.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Effort {
    minutes: f64,
    requests: f64,
    fit: f64,
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
fn run(campaign: &Arc<Campaign>, drafts: Vec<Draft>, seed: u64) -> Effort {
    let ran = neighbour::run(campaign, drafts, Settings { seed, ..Settings::default() }, Telling::Headers);
    let mut told = Seen::default();
    for event in &ran.events {
        told.hear(event);
    }
    let minutes = told.busy.as_seconds_f64() / 60.0;
    Effort { minutes, requests: ran.asked.len() as f64, fit: f64::from(told.fit) }
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
            | Event::LineRefused { .. }
            | Event::OutageBegan { .. }
            | Event::OutageEnded { .. }
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
        let campaign = neighbour::campaign("10:00-12:00", open_calls);
        let foretold = forecast(&campaign, drafts(calls));
        for seed in 1..=3 {
            let seen = run(&campaign, drafts(calls), seed);
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
