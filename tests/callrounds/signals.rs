//! Ctrl-C and SIGTERM: the first lets what is under way come to its end, the second does not wait.

use std::time::{Duration, Instant};

use crate::oracle;
use crate::practice::Practice;
use crate::vendor::{MORNING, Vendor};

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
    // What had been sent has been answered for: nothing is left unknown.
    let placed = oracle::embedded(&practice);
    oracle::the_ledger_agrees(&practice, &placed);

    let again = practice.run(&["resume", "--json", "--speed", "600"]);
    assert_eq!(again.code, 0, "{again:?}");
    let calls = oracle::embedded(&practice);
    assert!(calls.len() > placed.len());
    oracle::nobody_is_over_the_caps(&calls);
    oracle::the_ledger_agrees(&practice, &calls);
    oracle::the_report_agrees(&practice, &calls);
}

#[test]
fn the_second_signal_ends_the_run_at_once() {
    let practice = Practice::new();
    // Answers take three seconds: a drain would wait for them.
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
    let text =
        std::fs::read_to_string(crate::practice::repository().join("campaigns/demo-recall.toml")).expect("a file");
    let (head, _) = text.split_once("[vendor]").expect("its last table");
    format!("{head}[vendor]\nkind = \"annie\"\n")
}
