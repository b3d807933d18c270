//! The deterministic simulation (`faults.md`, row 5): the engine, the ledger, the policy and the simulator's world in one
//! process on virtual time. A seed decides the campaign, the lists, the faults, the delays and the kills; the oracle
//! compares what the vendor did with the promises.
//!
//! * `cargo test` runs the seeds of [`EVERY_RUN`].
//! * `CALLROUNDS_SEED=17 cargo test --test callrounds simulation` runs one, and logs what happens.
//! * `CALLROUNDS_SEEDS=0..100000 cargo test --test callrounds simulation -- --nocapture` runs a range.
//!
//! A seed means what the plan draws from it, so its meaning changes once the plan draws more. A fault that a seed finds
//! therefore gets its own test beside the code at fault.

mod clock;
mod clocks;
mod machine;
mod mailbox;
mod odd_responses;
mod oracle;
mod plan;
mod run_lifecycle;
mod trace;
mod vendor;
mod vendor_model;

use std::io::Write;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use callrounds::entry::ListEligibility;
use callrounds::ledger::Ledger;
use callrounds::simulator::settings::ListHabits;
use futures_util::FutureExt;

use self::machine::Machine;
use self::plan::{Person, Plan, number};
use self::run_lifecycle::{Coverage, SeedResult};
use self::trace::Trace;
use crate::support::disk::{Disk, DiskFault, FaultKind};

/// Seeds of an ordinary test run.
const EVERY_RUN: Range<u64> = 0..1000;

/// Failed seeds after which a range is stopped.
const ENOUGH: usize = 5;

fn run_seed(seed: u64, trace: Trace) -> SeedResult {
    run_seed_on(seed, Plan::drawn(seed), |disk| Machine::random(seed, disk), trace)
}

/// Runs a seed on a machine and in a folder of its own.
fn run_seed_on(seed: u64, plan: Plan, machine: impl FnOnce(Arc<Disk>) -> Machine, trace: Trace) -> SeedResult {
    let folder = tempfile::Builder::new().prefix("callrounds-").tempdir_in(memory()).expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime for virtual time");
    let folder = folder.path().canonicalize().expect("a folder");
    let machine = machine(Disk::below(&folder));
    runtime.block_on(run_lifecycle::run_seed(seed, plan, machine, &folder.join("ledger.db"), trace))
}

/// A folder in memory, where there is one: nothing here depends on the real disk.
fn memory() -> PathBuf {
    let shared_memory = Path::new("/dev/shm");
    if shared_memory.is_dir() { shared_memory.to_path_buf() } else { std::env::temp_dir() }
}

/// The results of a range of seeds.
#[derive(Default)]
struct Findings {
    seeds: u64,
    coverage: Coverage,
    failures: Vec<(u64, Vec<String>)>,
}

impl Findings {
    fn add(&mut self, seed: u64, result: SeedResult) {
        self.seeds += 1;
        self.coverage.add(result.coverage);
        if !result.broken.is_empty() {
            self.failures.push((seed, result.broken));
        }
    }

    fn are_enough(&self) -> bool {
        self.failures.len() >= ENOUGH
    }
}

/// Runs a seed; a panic counts as a broken promise.
fn run_seed_catching(seed: u64, trace: Trace) -> SeedResult {
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| run_seed(seed, trace)));
    result.unwrap_or_else(|_| SeedResult { broken: vec!["the program panicked".into()], ..SeedResult::default() })
}

fn check(seeds: Range<u64>) {
    let must_cover_everything = seeds.end.saturating_sub(seeds.start) >= 100;
    let queue = Mutex::new(seeds);
    let findings = Mutex::new(Findings::default());
    let began = Instant::now();
    let next = || queue.lock().ok()?.next();
    let add = |seed, result| {
        let mut findings = findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.add(seed, result);
        findings.are_enough()
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    if add(seed, run_seed_catching(seed, Trace::Off)) {
                        return;
                    }
                }
            });
        }
    });
    let findings = findings.into_inner().unwrap_or_else(PoisonError::into_inner);
    print_counts(&findings, began.elapsed());
    assert!(findings.failures.is_empty(), "{}", report(&findings.failures));
    let missing = findings.coverage.missing();
    assert!(!must_cover_everything || missing.is_empty(), "no seed had any {}", missing.join(", "));
}

/// Prints the counts; a closed standard error is no failure.
fn print_counts(findings: &Findings, took: Duration) {
    let Findings { seeds, coverage, failures } = findings;
    let rate = *seeds as f64 / took.as_secs_f64();
    let bound = if failures.is_empty() { format!(" (95 %: fewer than 3 in {seeds})") } else { String::new() };
    let seconds = took.as_secs_f64();
    let broken = failures.len();
    let _ = writeln!(
        std::io::stderr(),
        "{seeds} seeds in {seconds:.1} s, {rate:.0} a second; {broken} broken{bound}\n{coverage:?}"
    );
}

fn report(failures: &[(u64, Vec<String>)]) -> String {
    let line = |(seed, broken): &(u64, Vec<String>)| {
        format!(
            "seed {seed}:\n  {}\n  replay: CALLROUNDS_SEED={seed} cargo test --test callrounds simulation -- --nocapture",
            broken.join("\n  ")
        )
    };
    format!("\n{}", failures.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// `17..40` or `17`.
fn range(text: &str) -> Option<Range<u64>> {
    let (from, to) = text.split_once("..")?;
    Some(from.trim().parse().ok()?..to.trim().parse().ok()?)
}

#[test]
fn every_promise_holds_in_every_seed() {
    if let Ok(seed) = std::env::var("CALLROUNDS_SEED") {
        let seed = seed.parse().expect("CALLROUNDS_SEED is a number");
        let broken = run_seed_catching(seed, Trace::On).broken;
        assert!(broken.is_empty(), "{}", report(&[(seed, broken)]));
        return;
    }
    let seeds =
        std::env::var("CALLROUNDS_SEEDS").map_or(EVERY_RUN, |text| range(&text).expect("a range such as 0..1000"));
    check(seeds);
}

#[test]
fn the_same_seed_gives_the_same_result() {
    for seed in 0..20 {
        assert_eq!(run_seed(seed, Trace::Off), run_seed(seed, Trace::Off), "seed {seed}");
    }
}

/// One list of four people, called in one start if nothing goes wrong.
fn small_plan() -> Plan {
    let mut plan = Plan::with_locations(2, false);
    (plan.crashes, plan.stops, plan.until_done) = (0, 0, true);
    plan.start = "2026-11-24T19:30:00Z".parse().expect("an instant inside every campaign's calling window");
    plan.lists = vec![(0..4).map(callable_person).collect()];
    plan.opt_outs.clear();
    (plan.restores, plan.suspended, plan.clock) = (0, None, clock::Habit::default());
    plan.vendor.settings.list = ListHabits { lag: plan.vendor.settings.list.lag, ..ListHabits::default() };
    plan
}

fn callable_person(at: u32) -> Person {
    Person {
        key: format!("P-{at}"),
        phone: number(&format!("+1312555011{at}")),
        zone: "America/Chicago",
        standing: ListEligibility::Ready,
        not_after: None,
        members: 0,
        location: None,
    }
}

/// Operations at which the small campaign is stopped in an ordinary run; `CALLROUNDS_POINTS=all` stops it at every one.
const POINTS: u64 = 60;

#[test]
fn a_campaign_stopped_during_any_write_goes_on_exactly() {
    let whole = run_seed_on(2, small_plan(), |disk| Machine::with_fault(None, false, 2, disk), Trace::Off);
    assert_eq!(whole.broken, Vec::<String>::new());
    assert!(whole.operations > POINTS && whole.coverage.calls > 0, "{whole:?}");
    let step = if std::env::var("CALLROUNDS_POINTS").is_ok() { 1 } else { whole.operations.div_ceil(POINTS) };
    let mut stopped = 0;
    for at in (0..whole.operations).step_by(step as usize) {
        for kind in [FaultKind::Kill, FaultKind::Full, FaultKind::ErrorOnce, FaultKind::ErrorForGood] {
            for power_fails in [false, true] {
                let fault = Some(DiskFault { at, kind });
                let result =
                    run_seed_on(2, small_plan(), |disk| Machine::with_fault(fault, power_fails, at, disk), Trace::Off);
                assert_eq!(result.broken, Vec::<String>::new(), "{fault:?}, the power fails: {power_fails}");
                stopped += result.coverage.disk_errors;
            }
        }
    }
    let _ = writeln!(std::io::stderr(), "{stopped} stops at operations of {}, none broken", whole.operations);
    assert!(stopped > POINTS * 4, "{stopped} stops");
}

/// A commit whose sync failed is still visible from memory to the next process that opens the ledger, and may never reach
/// the disk. Later commits must survive a power failure all the same, and so must the ledger itself if the power fails while
/// the log is repaired (seed 170595: the ledger had pages of a commit that the log had lost, and was damaged).
#[test]
fn commits_after_a_failed_sync_survive_a_power_failure() {
    let whole = run_seed_on(2, small_plan(), |disk| Machine::with_fault(None, false, 2, disk), Trace::Off);
    let step =
        if std::env::var("CALLROUNDS_POINTS").is_ok() { 1 } else { whole.syncs.len().div_ceil(POINTS as usize / 2) };
    let mut failed = 0;
    for &at in whole.syncs.iter().step_by(step) {
        for later in [3, 5, 7, 9, 60] {
            let first = (Some(DiskFault { at, kind: FaultKind::ErrorForGood }), false);
            let second = (Some(DiskFault { at: later, kind: FaultKind::Kill }), true);
            let result =
                run_seed_on(2, small_plan(), |disk| Machine::with_faults([first, second], at, disk), Trace::Off);
            assert_eq!(result.broken, Vec::<String>::new(), "the disk fails from {at} on, and the power at {later}");
            failed += result.coverage.power_failures;
        }
    }
    assert!(failed > 50, "the power failed {failed} times");
}

/// A failed write or sync is reported to the caller, and nothing is written afterwards, although the disk would accept it:
/// a later sync does not write what a failed one has dropped.
#[test]
fn a_failed_write_is_reported_and_nothing_is_written_after_it() {
    let folder = tempfile::Builder::new().prefix("callrounds-").tempdir_in(memory()).expect("a folder");
    let folder = folder.path().canonicalize().expect("a folder");
    let disk = Disk::below(&folder);
    let (campaign, start) = (small_plan().campaign, small_plan().start);
    let mut failed = 0;
    for at in 0.. {
        let ledger = Ledger::open_inline_on(&*disk, &folder.join("ledger.db"), start).expect("a ledger");
        disk.begin_process(Some(DiskFault { at, kind: FaultKind::ErrorOnce }));
        let begin = || ledger.begin_run(Arc::clone(&campaign), true, start).now_or_never().expect("at once");
        let first = begin();
        if !disk.fault_occurred() {
            first.expect("begun");
            break;
        }
        let reported = first.expect_err("an operation failed").to_string();
        let before = disk.operations();
        assert_eq!(begin().expect_err("nothing is written any more").to_string(), reported, "operation {at}");
        assert_eq!(disk.operations(), before, "operation {at}");
        failed += 1;
    }
    assert!(failed > 4, "{failed} operations failed");
}

/// The control: a disk that syncs as with `synchronous=NORMAL` loses acknowledged commits, and a seed shows it.
#[test]
fn a_log_that_is_not_synced_with_every_commit_breaks_a_promise() {
    let lazy = |seed| {
        let machine = |disk: Arc<Disk>| {
            disk.sync_lazily();
            Machine::random(seed, disk)
        };
        let result = std::panic::catch_unwind(|| run_seed_on(seed, Plan::drawn(seed), machine, Trace::Off));
        result.map_or(true, |result| !result.broken.is_empty())
    };
    let broken = (0..200).find(|seed| lazy(*seed));
    let _ = writeln!(std::io::stderr(), "synced lazily, seed {broken:?} is the first to break a promise");
    assert!(broken.is_some(), "no seed of 200 noticed it");
}
