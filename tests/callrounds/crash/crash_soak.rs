//! `kill -9` at random instants, repeatedly, while a fifth of all requests fails (`faults.md`, row 1). A seed decides what
//! the vendor does and when the program is killed; what the program is doing at that instant is not reproducible.
//!
//! * `CALLROUNDS_KILLS=10000 cargo test --release --test callrounds crash_soak -- --nocapture` kills that often.
//! * `CALLROUNDS_KILL_SEED=17 cargo test --test callrounds crash_soak` runs one campaign again.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::harness::{Practice, ProgramOutput};
use crate::support::oracle::{self, everything_is_settled};
use crate::support::remote_run::{campaign, list, vendor};
use crate::support::seeded_rng::SeededRng;
use crate::support::vendor::Vendor;

/// Kills in an ordinary run.
const EVERY_RUN: u64 = 100;

/// Campaigns after which a long run prints its progress.
const PROGRESS_EVERY: u64 = 50;

/// Failures after which no other campaign is started.
const ENOUGH: usize = 5;

/// Campaigns at once: they spend most of their time waiting.
const AT_ONCE: usize = 6;

/// Kills of one campaign, at most: it may end earlier.
const KILLS_PER_CAMPAIGN: u64 = 12;

const PATIENTS: usize = 40;

/// A fifth of the call requests, and a fifth of the reads.
const FAULTS: [&str; 12] = [
    "reset-before=0.03",
    "reset-after=0.06",
    "500-before=0.02",
    "500-after=0.03",
    "truncated=0.02",
    "bad-json=0.01",
    "502=0.02",
    "429=0.01",
    "reset-after@reads=0.08",
    "500-before@reads=0.04",
    "503@reads=0.04",
    "truncated@reads=0.04",
];

/// Runs the campaign at the vendor's time.
fn arguments(time: &str) -> [&str; 7] {
    ["run", "campaigns/recall.toml", "--json", "--at", time, "--speed", "60"]
}

/// Starts the program and kills it at a random instant; returns whether it was still running.
fn kill_once(practice: &Practice, vendor: &Vendor, rng: &mut SeededRng) -> bool {
    let mut command = practice.command(&arguments(&vendor.time()));
    command.env("ANNIE_BASE_URL", &vendor.base_url).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program");
    // Most risks are near the start: the ledger is opened, lost calls are searched for, calls are placed.
    let within = [50, 150, 600][rng.below(3) as usize] * 1000;
    std::thread::sleep(Duration::from_micros(rng.below(within)));
    child.kill().expect("killed");
    child.wait().expect("gone").code().is_none()
}

/// Kills one campaign repeatedly, then runs it to its end; returns how often it was killed.
fn run_campaign(seed: u64) -> u64 {
    let mut rng = SeededRng::new(seed);
    let retries = rng.below(2) == 0;
    let practice = Practice::in_memory(&campaign(if retries { "retry" } else { "hold" }), &list(PATIENTS));
    let vendor = vendor(&practice, seed, &FAULTS);
    let kills = (0..KILLS_PER_CAMPAIGN).take_while(|_| kill_once(&practice, &vendor, &mut rng)).count();
    let ended = practice.run_against(&vendor.base_url, &arguments(&vendor.time()));
    check_one_call_each(&practice, &vendor, &ended, retries);
    kills as u64
}

fn check_one_call_each(practice: &Practice, vendor: &Vendor, ended: &ProgramOutput, retries: bool) {
    let calls = vendor.calls();
    everything_is_settled(practice, &calls, ended);
    assert!(oracle::by_number(&calls).values().all(|count| *count == 1), "one call each: {calls:?}");
    let held = practice.count("SELECT count(*) FROM entry WHERE state = 'held'");
    assert_eq!(calls.len() + held as usize, PATIENTS, "everybody was called, or is held");
    assert!(!retries || held == 0, "{held} held, although absent calls are made again");
}

/// Progress and failures of the whole test.
struct Progress {
    since: Instant,
    kills: AtomicU64,
    started: AtomicU64,
    ended: AtomicU64,
    failures: Mutex<Vec<String>>,
}

impl Progress {
    fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self { since: Instant::now(), kills: zero(), started: zero(), ended: zero(), failures: Mutex::default() }
    }

    /// Runs one campaign after another until the program was killed `wanted` times, or too many campaigns have failed.
    fn run_until(&self, wanted: u64) {
        while self.kills.load(Ordering::Relaxed) < wanted && self.failed() < ENOUGH {
            self.run_campaign(self.started.fetch_add(1, Ordering::Relaxed));
            let ended = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
            if ended.is_multiple_of(PROGRESS_EVERY) {
                self.print();
            }
        }
    }

    fn run_campaign(&self, seed: u64) {
        match catch_unwind(AssertUnwindSafe(|| run_campaign(seed))) {
            Ok(kills) => {
                self.kills.fetch_add(kills, Ordering::Relaxed);
            }
            Err(panic) => {
                let why = panic.downcast_ref::<String>().map_or("see above", String::as_str);
                let replay = format!("CALLROUNDS_KILL_SEED={seed} cargo test --test callrounds crash_soak");
                self.failures.lock().expect("a list").push(format!("seed {seed}: {why}\n  again: {replay}"));
            }
        }
    }

    fn failed(&self) -> usize {
        self.failures.lock().expect("a list").len()
    }

    fn print(&self) {
        let (kills, campaigns) = (self.kills.load(Ordering::Relaxed), self.ended.load(Ordering::Relaxed));
        let failures = self.failed();
        let bound = if failures == 0 { format!(" (95 %: fewer than 3 in {kills})") } else { String::new() };
        let seconds = self.since.elapsed().as_secs();
        let line = format!("{kills} kills in {campaigns} campaigns, {failures} failures{bound}, {seconds} s");
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn killed_at_any_instant_while_a_fifth_of_all_requests_goes_wrong_nobody_is_called_twice_or_forgotten() {
    if let Some(seed) = number("CALLROUNDS_KILL_SEED") {
        run_campaign(seed);
        return;
    }
    let (wanted, progress) = (number("CALLROUNDS_KILLS").unwrap_or(EVERY_RUN), Progress::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| progress.run_until(wanted));
        }
    });
    progress.print();
    let failures = progress.failures.into_inner().expect("a list");
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(progress.kills.into_inner() >= wanted);
}
