//! The deterministic simulation (`faults.md`, row 5): the engine, the ledger, the policy and the simulator's world in one
//! process on virtual time. A seed decides the campaign, the lists, the faults, the delays and the deaths; the oracle
//! holds what the vendor did against what was promised.
//!
//! * `cargo test` lives [`EVERY_RUN`] seeds.
//! * `CALLROUNDS_SEED=17 cargo test --test callrounds simulation` lives one, and tells what happens.
//! * `CALLROUNDS_SEEDS=0..100000 cargo test --test callrounds simulation -- --nocapture` lives a range.
//!
//! A seed means what the plan draws from it, so it means something else once the plan draws more: what a seed finds gets
//! a test of its own beside the code that was at fault.

mod clock;
mod clocks;
pub mod dice;
mod life;
mod machine;
mod mailbox;
mod odd;
mod oracle;
mod plan;
mod site;
mod trace;
mod vendor;

use std::io::Write;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use callrounds::entry::Standing;
use callrounds::ledger::Ledger;
use callrounds::simulator::settings::ListHabits;
use futures_util::FutureExt;

use self::life::{Met, Story};
use self::machine::Machine;
use self::plan::{Person, Plan, number};
use self::trace::Trace;
use crate::disk::{Disk, Mishap, Trouble};

/// Seeds of an ordinary test run.
const EVERY_RUN: Range<u64> = 0..1000;

/// Broken seeds after which nothing new is learnt.
const ENOUGH: usize = 5;

fn live(seed: u64, trace: Trace) -> Story {
    live_on(seed, Plan::drawn(seed), |disk| Machine::drawn(seed, disk), trace)
}

/// Lives a seed on a machine of its own.
fn live_on(seed: u64, plan: Plan, machine: impl FnOnce(Arc<Disk>) -> Machine, trace: Trace) -> Story {
    let folder = tempfile::Builder::new().prefix("callrounds-").tempdir_in(memory()).expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime for virtual time");
    let folder = folder.path().canonicalize().expect("a folder");
    let machine = machine(Disk::below(&folder));
    runtime.block_on(life::live(seed, plan, machine, &folder.join("ledger.db"), trace))
}

/// Nothing here depends on a disk, so none is waited for.
fn memory() -> PathBuf {
    let shared_memory = Path::new("/dev/shm");
    if shared_memory.is_dir() { shared_memory.to_path_buf() } else { std::env::temp_dir() }
}

/// What seeds came to.
#[derive(Default)]
struct Findings {
    lived: u64,
    met: Met,
    failures: Vec<(u64, Vec<String>)>,
}

impl Findings {
    fn add(&mut self, seed: u64, story: Story) {
        self.lived += 1;
        self.met.add(story.met);
        if !story.broken.is_empty() {
            self.failures.push((seed, story.broken));
        }
    }

    fn are_enough(&self) -> bool {
        self.failures.len() >= ENOUGH
    }
}

/// Lives a seed; a panic breaks a promise too.
fn story(seed: u64, trace: Trace) -> Story {
    let lived = std::panic::catch_unwind(AssertUnwindSafe(|| live(seed, trace)));
    lived.unwrap_or_else(|_| Story { broken: vec!["the program panicked".into()], ..Story::default() })
}

fn check(seeds: Range<u64>) {
    let enough_to_meet_everything = seeds.end.saturating_sub(seeds.start) >= 100;
    let queue = Mutex::new(seeds);
    let findings = Mutex::new(Findings::default());
    let began = Instant::now();
    let next = || queue.lock().ok()?.next();
    let add = |seed, story| {
        let mut findings = findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.add(seed, story);
        findings.are_enough()
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    if add(seed, story(seed, Trace::Silent)) {
                        return;
                    }
                }
            });
        }
    });
    let findings = findings.into_inner().unwrap_or_else(PoisonError::into_inner);
    tell(&findings, began.elapsed());
    assert!(findings.failures.is_empty(), "{}", report(&findings.failures));
    let missing = findings.met.missing();
    assert!(!enough_to_meet_everything || missing.is_empty(), "no seed met any {}", missing.join(", "));
}

/// Told for people: that nobody reads it is no fault.
fn tell(findings: &Findings, took: Duration) {
    let Findings { lived, met, failures } = findings;
    let rate = *lived as f64 / took.as_secs_f64();
    let bound = if failures.is_empty() { format!(" (95 %: fewer than 3 in {lived})") } else { String::new() };
    let seconds = took.as_secs_f64();
    let broken = failures.len();
    let _ = writeln!(
        std::io::stderr(),
        "{lived} seeds in {seconds:.1} s, {rate:.0} a second; {broken} broken{bound}\n{met:?}"
    );
}

fn report(failures: &[(u64, Vec<String>)]) -> String {
    let tell = |(seed, broken): &(u64, Vec<String>)| {
        format!(
            "seed {seed}:\n  {}\n  replay: CALLROUNDS_SEED={seed} cargo test --test callrounds simulation -- --nocapture",
            broken.join("\n  ")
        )
    };
    format!("\n{}", failures.iter().map(tell).collect::<Vec<_>>().join("\n"))
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
        let broken = story(seed, Trace::Told).broken;
        assert!(broken.is_empty(), "{}", report(&[(seed, broken)]));
        return;
    }
    let seeds =
        std::env::var("CALLROUNDS_SEEDS").map_or(EVERY_RUN, |text| range(&text).expect("a range such as 0..1000"));
    check(seeds);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 0..20 {
        assert_eq!(live(seed, Trace::Silent), live(seed, Trace::Silent), "seed {seed}");
    }
}

/// One list of a few people, in one start if nothing goes wrong.
fn small() -> Plan {
    let mut plan = Plan::with_lines(2, false);
    (plan.crashes, plan.stops, plan.until_done) = (0, 0, true);
    plan.start = "2026-11-24T19:30:00Z".parse().expect("an instant at which every campaign of ours calls");
    plan.lists = vec![(0..4).map(callable).collect()];
    plan.opt_outs.clear();
    (plan.restores, plan.suspended, plan.clock) = (0, None, clock::Habit::default());
    plan.vendor.settings.list = ListHabits { lag: plan.vendor.settings.list.lag, ..ListHabits::default() };
    plan
}

fn callable(at: u32) -> Person {
    Person {
        key: format!("P-{at}"),
        phone: number(&format!("+1312555011{at}")),
        zone: "America/Chicago",
        standing: Standing::Ready,
        not_after: None,
        members: 0,
        location: None,
    }
}

/// Operations at which the small campaign is stopped in an ordinary run; `CALLROUNDS_POINTS=all` stops it at every one.
const POINTS: u64 = 60;

#[test]
fn a_campaign_stopped_in_the_midst_of_any_write_goes_on_exactly() {
    let whole = live_on(2, small(), |disk| Machine::told(None, false, 2, disk), Trace::Silent);
    assert_eq!(whole.broken, Vec::<String>::new());
    assert!(whole.operations > POINTS && whole.met.calls > 0, "{whole:?}");
    let step = if std::env::var("CALLROUNDS_POINTS").is_ok() { 1 } else { whole.operations.div_ceil(POINTS) };
    let mut stopped = 0;
    for at in (0..whole.operations).step_by(step as usize) {
        for what in [Trouble::Death, Trouble::Full, Trouble::Error, Trouble::Broken] {
            for power_fails in [false, true] {
                let mishap = Some(Mishap { at, what });
                let story = live_on(2, small(), |disk| Machine::told(mishap, power_fails, at, disk), Trace::Silent);
                assert_eq!(story.broken, Vec::<String>::new(), "{mishap:?}, the power fails: {power_fails}");
                stopped += story.met.disk_errors;
            }
        }
    }
    let _ = writeln!(std::io::stderr(), "{stopped} stops at operations of {}, none broken", whole.operations);
    assert!(stopped > POINTS * 4, "{stopped} stops");
}

/// A commit whose sync failed is shown from memory by whoever opens the ledger next, and may never reach the disk: what is
/// committed behind it must outlive the power all the same, and so must the ledger itself if the power fails while the log
/// is put in order (seed 170595: pages of a commit that was lost were in a ledger that was damaged then).
#[test]
fn what_is_committed_after_a_sync_has_failed_outlives_the_power() {
    let whole = live_on(2, small(), |disk| Machine::told(None, false, 2, disk), Trace::Silent);
    let step =
        if std::env::var("CALLROUNDS_POINTS").is_ok() { 1 } else { whole.syncs.len().div_ceil(POINTS as usize / 2) };
    let mut failed = 0;
    for &at in whole.syncs.iter().step_by(step) {
        for later in [3, 5, 7, 9, 60] {
            let first = (Some(Mishap { at, what: Trouble::Broken }), false);
            let second = (Some(Mishap { at: later, what: Trouble::Death }), true);
            let story = live_on(2, small(), |disk| Machine::in_lives([first, second], at, disk), Trace::Silent);
            assert_eq!(story.broken, Vec::<String>::new(), "the disk fails from {at} on, and the power at {later}");
            failed += story.met.power_failures;
        }
    }
    assert!(failed > 50, "the power failed {failed} times");
}

/// A write that fails, or a sync, is told to whoever asked for it, and nothing is written after it, although the disk would
/// take it: what a failed sync has dropped, the next one does not bring back.
#[test]
fn a_write_that_failed_is_told_and_nothing_is_written_after_it() {
    let folder = tempfile::Builder::new().prefix("callrounds-").tempdir_in(memory()).expect("a folder");
    let folder = folder.path().canonicalize().expect("a folder");
    let disk = Disk::below(&folder);
    let (campaign, start) = (small().campaign, small().start);
    let mut failed = 0;
    for at in 0.. {
        let ledger = Ledger::open_inline_on(&*disk, &folder.join("ledger.db"), start).expect("a ledger");
        disk.begin_life(Some(Mishap { at, what: Trouble::Error }));
        let begin = || ledger.begin_run(Arc::clone(&campaign), true, start).now_or_never().expect("at once");
        let first = begin();
        if !disk.has_struck() {
            first.expect("begun");
            break;
        }
        let told = first.expect_err("an operation failed").to_string();
        let before = disk.operations();
        assert_eq!(begin().expect_err("nothing is written any more").to_string(), told, "operation {at}");
        assert_eq!(disk.operations(), before, "operation {at}");
        failed += 1;
    }
    assert!(failed > 4, "{failed} operations failed");
}

/// The control: a disk that is synced as `synchronous=NORMAL` would loses what was acknowledged, and is found out.
#[test]
fn a_log_that_is_not_synced_with_every_commit_breaks_a_promise() {
    let lazy = |seed| {
        let machine = |disk: Arc<Disk>| {
            disk.sync_lazily();
            Machine::drawn(seed, disk)
        };
        let lived = std::panic::catch_unwind(|| live_on(seed, Plan::drawn(seed), machine, Trace::Silent));
        lived.map_or(true, |story| !story.broken.is_empty())
    };
    let broken = (0..200).find(|seed| lazy(*seed));
    let _ = writeln!(std::io::stderr(), "synced lazily, seed {broken:?} is the first to break a promise");
    assert!(broken.is_some(), "200 seeds, and nobody noticed");
}
