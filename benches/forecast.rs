//! The error of `check`'s forecast, compared with a run of the same calls: minutes, requests, and calls placed before the
//! window closes. The engine runs against the simulator's world, in one process and on virtual time.
//!
//! `cargo bench --bench forecast` prints a table, and fails if an error is above five per cent.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "../tests/fixtures/mod.rs"]
mod fixtures;
mod in_process_vendor;

use std::process::ExitCode;
use std::sync::Arc;

use callrounds::campaign::Campaign;
use callrounds::engine::Event;
use callrounds::entry::NewEntry;
use callrounds::plan::{CallDurations, Forecast, Planner, schedule_simulation};
use callrounds::simulator::Settings;
use chrono::{DateTime, TimeDelta, Utc};

use self::in_process_vendor::{VendorSignals, new_entries, start};

/// The largest error that is accepted, as a fraction.
const GOAL: f64 = 0.05;

/// What a run takes, by the forecast or in fact.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Effort {
    /// Minutes with at least one conversation open.
    minutes: f64,
    requests: f64,
    /// Calls placed in the first two hours.
    fit: f64,
}

fn forecast(campaign: &Campaign, new_entries: Vec<NewEntry>) -> Effort {
    let mut planner = Planner::new(campaign, None, start(), false);
    for entry in new_entries {
        planner.take(entry).expect("no ledger is asked");
    }
    let mut plan = planner.finish(true).expect("no ledger is asked");
    let Forecast { requests, minutes, fit, .. } =
        schedule_simulation::play(&mut plan.calls, campaign, &CallDurations::default(), start());
    Effort { minutes: minutes as f64, requests: requests as f64, fit: fit as f64 }
}

/// Runs the campaign until it is done, over as many days as it takes.
fn run(campaign: &Arc<Campaign>, new_entries: Vec<NewEntry>, seed: u64) -> Effort {
    let ran =
        in_process_vendor::run(campaign, new_entries, Settings { seed, ..Settings::default() }, VendorSignals::Headers);
    let mut progress = Progress::default();
    for event in &ran.events {
        progress.on_event(event);
    }
    let minutes = progress.busy.as_seconds_f64() / 60.0;
    Effort { minutes, requests: ran.sent.len() as f64, fit: f64::from(progress.fit) }
}

/// What a run's events show.
#[derive(Default)]
struct Progress {
    open: u32,
    last: Option<DateTime<Utc>>,
    busy: TimeDelta,
    fit: u32,
}

impl Progress {
    fn on_event(&mut self, event: &Event) {
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

fn error(expected: f64, seen: f64) -> f64 {
    if seen == 0.0 { expected.abs() } else { (expected - seen) / seen }
}

fn main() -> ExitCode {
    println!("calls  open_calls  seed   minutes forecast/actual  requests forecast/actual fit forecast/actual");
    let mut worst: f64 = 0.0;
    for (calls, open_calls) in [(100, 10), (1_000, 5), (1_000, 10), (1_000, 20), (1_000, 60), (1_000, 200)] {
        let campaign = in_process_vendor::campaign("10:00-12:00", open_calls);
        let expected = forecast(&campaign, new_entries(calls));
        for seed in 1..=3 {
            let seen = run(&campaign, new_entries(calls), seed);
            let pairs =
                [(expected.minutes, seen.minutes), (expected.requests, seen.requests), (expected.fit, seen.fit)];
            let cells = pairs.map(|(expected, seen)| {
                format!("{expected:>6.0} / {seen:>6.0} {:>+5.1} %", 100.0 * error(expected, seen))
            });
            println!("{calls:>5}  {open_calls:>10}  {seed:>4}   {}", cells.join("   "));
            if calls >= 1_000 {
                worst = pairs.into_iter().map(|(expected, seen)| error(expected, seen).abs()).fold(worst, f64::max);
            }
        }
    }
    println!("worst error at 1,000 calls: {:.1} %; goal: {:.0} %", 100.0 * worst, 100.0 * GOAL);
    if worst <= GOAL { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
