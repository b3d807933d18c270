//! Ctrl-C and SIGTERM: the first signal drains the run, the second ends it at once.

use std::time::{Duration, Instant};

use crate::support::harness::{Practice, ProgramOutput};
use crate::support::oracle::{self, everything_is_settled};
use crate::support::remote_run::{campaign, list};
use crate::support::seeded_rng::SeededRng;
use crate::support::vendor::{MORNING, Vendor};

const RUN: [&str; 5] = ["run", "campaigns/demo-recall.toml", "--json", "--speed", "600"];

#[test]
fn a_signal_drains_the_run_and_the_next_one_goes_on_exactly() {
    std::thread::scope(|scope| {
        for (signal, events) in [("-INT", 5), ("-TERM", 60), ("-INT", 150)] {
            scope.spawn(move || drain(signal, events));
        }
    });
}

fn drain(signal: &str, events: usize) {
    let practice = Practice::new();
    let run = practice.start_until(events, &RUN, None);
    run.signal(signal);
    let ended = run.wait();
    assert_eq!(ended.code, 4, "{signal} after {events} events: {ended:?}");
    let summary = ended.summary();
    assert_eq!(summary["ending"], "interrupted");
    assert_eq!(summary["exit_code"], 4);
    oracle::the_numbers_add_up(&summary);
    // Every sent request has been answered: no attempt is in an unknown state.
    let placed = oracle::embedded_calls(&practice);
    oracle::the_ledger_agrees(&practice, &placed);

    let again = practice.run(&["resume", "--json", "--speed", "600"]);
    assert_eq!(again.code, 0, "{again:?}");
    let calls = oracle::embedded_calls(&practice);
    assert!(calls.len() > placed.len());
    oracle::nobody_is_over_the_caps(&calls);
    oracle::the_ledger_agrees(&practice, &calls);
    oracle::the_report_agrees(&practice, &calls);
}

#[test]
fn the_second_signal_ends_the_run_at_once() {
    let practice = Practice::new();
    // Answers take three seconds, for which a drain would wait.
    let vendor = Vendor::start(&practice, "1", &["--latency", "3000"]);
    practice.write("campaigns/recall.toml", &annie());
    let run = ["run", "campaigns/recall.toml", "--json", "--at", MORNING, "--speed", "1"];
    let run = practice.start_until(2, &run, Some(&vendor.base_url));
    run.signal("-INT");
    std::thread::sleep(Duration::from_millis(300));
    let since = Instant::now();
    run.signal("-INT");
    let ended = run.wait();
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(!ended.stdout.contains("summary"), "it waited for the drain");
    // Nothing is lost: the call without an answer is in the ledger, for the next run to settle.
    assert_eq!(practice.count("SELECT count(*) FROM attempt WHERE state = 'submitting'"), 1);
}

/// The demonstration, for a vendor in another process.
fn annie() -> String {
    let text = std::fs::read_to_string(crate::support::harness::repository().join("campaigns/demo-recall.toml"))
        .expect("a file");
    let (head, _) = text.split_once("[vendor]").expect("its last table");
    format!("{head}[vendor]\nkind = \"annie\"\nrehearsal = true\n")
}

/// Signals of an ordinary test run (`faults.md`, row 11).
/// `CALLROUNDS_SIGNALS=1000 cargo test --release --test callrounds signals_at -- --nocapture` sends more.
const EVERY_RUN: u64 = 20;

/// Campaigns at a time.
const AT_ONCE: u64 = 20;

const PATIENTS: usize = 20;

/// How soon a second signal must end the program.
const SECOND_SIGNAL_LIMIT: Duration = Duration::from_millis(1500);

/// The longest drain: the client's request timeout and 5 s.
const LONGEST_DRAIN: Duration = Duration::from_secs(30 + 5);

#[test]
fn signals_at_any_instant_leave_a_ledger_that_resumes_exactly() {
    let signals = std::env::var("CALLROUNDS_SIGNALS").map_or(EVERY_RUN, |text| text.parse().expect("a number"));
    for first in (0..signals).step_by(AT_ONCE as usize) {
        std::thread::scope(|scope| {
            let all: Vec<_> = (first..signals.min(first + AT_ONCE))
                .map(|seed| scope.spawn(move || signal_and_resume(seed)))
                .collect();
            let count = all.len();
            let interrupted_runs = all
                .into_iter()
                .map(|one| one.join().expect("it holds"))
                .filter(|was_interrupted| *was_interrupted)
                .count();
            assert!(
                2 * interrupted_runs > count,
                "only {interrupted_runs} of {count} runs were interrupted by their signal"
            );
        });
    }
    eprintln!("{signals} signals, each resumed to the end (95 %: fewer than 3 in {signals} go wrong)");
}

/// Signals one run and resumes it; returns whether the signal arrived before the run was over.
fn signal_and_resume(seed: u64) -> bool {
    let mut rng = SeededRng::new(seed);
    let practice = Practice::in_memory(&campaign("hold"), &list(PATIENTS));
    // A second signal must find requests that the drain waits for.
    let latency = if sends_two_signals(seed) { "2000" } else { "100" };
    // Some answers never arrive: the drain waits for them until their timeout.
    let fault =
        ["reset-after=0.2", "500-before=0.2", "truncated=0.1", "429=0.2", "timeout-after=0.1"][seed as usize % 5];
    let vendor =
        Vendor::start(&practice, "60", &["--requests-per-minute", "600", "--latency", latency, "--fault", fault]);
    let ended = run_with_signals(&practice, &vendor, seed, &mut rng);
    // Before anything is recorded, a signal ends the program by its default action.
    let has_begun = ended.code == 4 && !ended.stdout.is_empty();
    let command = if has_begun { ["resume"].as_slice() } else { &["run", "campaigns/recall.toml"] };
    let time = vendor.time();
    let again = [command, &["--json", "--at", &time, "--speed", "60"]].concat();
    let again = practice.run_against(&vendor.base_url, &again);
    let calls = vendor.calls();
    everything_is_settled(&practice, &calls, &again);
    let held = practice.count("SELECT count(*) FROM entry WHERE state = 'held'") as usize;
    assert_eq!(calls.len() + held, PATIENTS, "seed {seed}: everybody was called, or is held");
    assert!(oracle::by_number(&calls).values().all(|count| *count == 1), "seed {seed}: one call each");
    !is_over(&ended)
}

/// Whether the run ended by itself: everybody called, or some held because their answers were lost.
fn is_over(ended: &ProgramOutput) -> bool {
    [0, 5].contains(&ended.code) && ended.summary()["ending"] == "done"
}

fn sends_two_signals(seed: u64) -> bool {
    seed % 3 == 2
}

/// Runs the campaign and sends it a signal or two.
fn run_with_signals(practice: &Practice, vendor: &Vendor, seed: u64, rng: &mut SeededRng) -> ProgramOutput {
    let time = vendor.time();
    let run = ["run", "campaigns/recall.toml", "--json", "--at", &time, "--speed", "60"];
    // Two signals in five are sent before the first event.
    let run = practice.start_until(rng.below(50).saturating_sub(20) as usize, &run, Some(&vendor.base_url));
    std::thread::sleep(Duration::from_micros(rng.below(100_000)));
    let (signal, twice) = (["-TERM", "-INT", "-INT"][seed as usize % 3], sends_two_signals(seed));
    let mut since = Instant::now();
    run.signal(signal);
    if twice {
        std::thread::sleep(Duration::from_micros(5000 + rng.below(200_000)));
        since = Instant::now();
        run.signal(signal);
    }
    let ended = run.wait();
    let took = since.elapsed();
    assert!(took < LONGEST_DRAIN, "seed {seed}: {signal} (twice: {twice}) took {took:?}");
    // On a busy machine a run may be over before the signal arrives, or may end late: a run that did not drain prints no
    // summary.
    if is_over(&ended) {
        return ended;
    }
    let waited = ended.stdout.contains("\"type\":\"summary\"");
    assert!(!twice || !waited || took < SECOND_SIGNAL_LIMIT, "seed {seed}: it waited for {took:?}");
    assert!([-1, 4].contains(&ended.code), "seed {seed}: {ended:?}");
    // A run that is interrupted before the vendor has answered has not begun.
    if ended.code == 4 && !twice && !ended.stderr.contains("nothing was enrolled") {
        assert_eq!(ended.summary()["ending"], "interrupted", "seed {seed}");
    }
    ended
}
