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

mod dice;
mod life;
mod oracle;
mod plan;
mod trace;
mod vendor;

use std::io::Write;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use self::life::Story;
use self::trace::Trace;

/// Seeds of an ordinary test run.
const EVERY_RUN: Range<u64> = 0..500;

/// Broken seeds after which nothing new is learnt.
const ENOUGH: usize = 5;

fn live(seed: u64, trace: Trace) -> Story {
    let folder = tempfile::Builder::new().prefix("callrounds-").tempdir_in(memory()).expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime for virtual time");
    runtime.block_on(life::live(seed, &folder.path().join("ledger.db"), trace))
}

/// Nothing here depends on a disk, so none is waited for.
fn memory() -> PathBuf {
    let shared_memory = Path::new("/dev/shm");
    if shared_memory.is_dir() { shared_memory.to_path_buf() } else { std::env::temp_dir() }
}

/// What is broken in a seed; a panic is broken too.
fn broken(seed: u64, trace: Trace) -> Vec<String> {
    match std::panic::catch_unwind(AssertUnwindSafe(|| live(seed, trace))) {
        Ok(story) => story.broken,
        Err(_) => vec!["the program panicked".into()],
    }
}

fn check(seeds: impl Iterator<Item = u64> + Send) {
    let queue = Mutex::new(seeds);
    let (lived, failures) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let began = Instant::now();
    let next = || queue.lock().ok()?.next();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    let broken = broken(seed, Trace::Silent);
                    lived.fetch_add(1, Ordering::Relaxed);
                    let Ok(mut failures) = failures.lock() else { return };
                    if !broken.is_empty() {
                        failures.push((seed, broken));
                    }
                    if failures.len() >= ENOUGH {
                        return;
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_default();
    tell(lived.into_inner(), began.elapsed(), &failures);
    assert!(failures.is_empty(), "{}", report(&failures));
}

fn tell(lived: u64, took: Duration, failures: &[(u64, Vec<String>)]) {
    let rate = lived as f64 / took.as_secs_f64();
    let bound = if failures.is_empty() { format!(" (95 %: fewer than 3 in {lived})") } else { String::new() };
    let line =
        format!("{lived} seeds in {:.1} s, {rate:.0} a second; {} broken{bound}", took.as_secs_f64(), failures.len());
    // Told for people; nobody's ears are needed.
    let _ = writeln!(std::io::stderr(), "{line}");
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
        let failures = vec![(seed, broken(seed, Trace::Told))];
        assert!(failures[0].1.is_empty(), "{}", report(&failures));
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
