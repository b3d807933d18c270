//! Forty nights of a practice, with lists that change as in life, on one ledger and on virtual time: what was called, what
//! was not, and what each morning shows, against an oracle that was written from the specification's sentences by somebody
//! who had not read the code (`oracle.rs`).
//!
//! The operators act between the nights: they suppress numbers and lift that, pause, resume, cancel and take it back, settle
//! lost answers and refusals, and read what was said in doubt (`operator.rs`). Lists shrink, are cut short and come back.
//!
//! * `cargo test` runs the seeds of [`EVERY_RUN`].
//! * `CALLROUNDS_NIGHTS=17..18 cargo test --test callrounds forty_nights -- --nocapture` runs a range.
//! * `CALLROUNDS_KEEP=1` keeps each seed's ledger and lists, and says where.
//! * Optimised, 300 seeds take a few minutes, and 20,000 a night. Build once, then run any range:
//!   `cargo test --config profile.dev.opt-level=2 --config profile.dev.debug=0 --target-dir /tmp/nights --test callrounds
//!   --no-run`, and `CALLROUNDS_NIGHTS=0..300 BINARY forty_nights --nocapture` with the binary that it names.

#[allow(warnings, clippy::all, clippy::pedantic, clippy::restriction, reason = "kept as its author wrote it")]
mod calendar;
mod operator;
#[allow(warnings, clippy::all, clippy::pedantic, clippy::restriction, reason = "kept as its author wrote it")]
mod oracle;
mod practice;
#[allow(warnings, clippy::all, clippy::pedantic, clippy::restriction, reason = "kept as its author wrote it")]
mod story;
mod vendor;

use std::io::Write;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use self::practice::{Lived, Practice};
use self::story::Story;

/// Seeds of an ordinary test run: as many as take about a minute.
const EVERY_RUN: Range<u64> = 0..25;

/// Failed seeds after which a range is stopped.
const ENOUGH: usize = 5;

#[derive(Default)]
struct Findings {
    seeds: u64,
    lived: Lived,
    failures: Vec<(u64, Vec<String>)>,
}

/// Lives one seed's nights. A panic counts as a failure.
fn live(seed: u64) -> (Lived, Vec<String>) {
    let lived = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime for virtual time");
        runtime.block_on(async { Practice::open(Story::generate(seed)).live().await })
    }));
    lived.unwrap_or_else(|_| (Lived::default(), vec!["the program panicked".into()]))
}

fn check(seeds: Range<u64>) {
    let queue = Mutex::new(seeds);
    let findings = Mutex::new(Findings::default());
    let began = Instant::now();
    let next = || queue.lock().ok()?.next();
    let add = |seed, (lived, wrong): (Lived, Vec<String>)| {
        let mut findings = findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.seeds += 1;
        findings.lived.add(lived);
        if !wrong.is_empty() {
            findings.failures.push((seed, wrong));
        }
        findings.failures.len() >= ENOUGH
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    if add(seed, live(seed)) {
                        return;
                    }
                }
            });
        }
    });
    let Findings { seeds, lived, failures } = findings.into_inner().unwrap_or_else(PoisonError::into_inner);
    let seconds = began.elapsed().as_secs_f64();
    let _ = writeln!(std::io::stderr(), "{seeds} times forty nights in {seconds:.1} s: {lived:?}");
    let line = |(seed, wrong): &(u64, Vec<String>)| {
        format!("seed {seed}:\n  {}\n  replay: CALLROUNDS_NIGHTS={seed}..{}", wrong.join("\n  "), seed + 1)
    };
    assert!(failures.is_empty(), "\n{}", failures.iter().map(line).collect::<Vec<_>>().join("\n"));
}

/// `17..40`.
fn range(text: &str) -> Option<Range<u64>> {
    let (from, to) = text.split_once("..")?;
    Some(from.trim().parse().ok()?..to.trim().parse().ok()?)
}

#[test]
fn forty_nights_call_who_should_be_called_and_nobody_else() {
    let seeds = std::env::var("CALLROUNDS_NIGHTS");
    check(seeds.map_or(EVERY_RUN, |text| range(&text).expect("a range such as 0..300")));
}
