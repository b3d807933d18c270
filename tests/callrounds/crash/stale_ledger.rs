//! An older copy of the ledger, restored in place of the newest (`faults.md`, row 12): the vendor's list shows calls that it
//! lacks, and none of them is made again.

use std::fs;

use crate::support::harness::{Practice, ProgramOutput};
use crate::support::oracle;
use crate::support::remote_run;
use crate::support::vendor::Vendor;

const PATIENTS: usize = 12;

fn campaign(max_calls: usize) -> String {
    remote_run::campaign("hold").replace("[safety]", &format!("[safety]\nmax_calls = {max_calls}"))
}

/// A Tuesday in the far future: an operator's decision, which has the wall clock's date, must not be later.
const MORNING: &str = "2036-11-25T15:30:00Z";

const RUN: [&str; 7] = ["run", "campaigns/recall.toml", "--json", "--at", MORNING, "--speed", "60"];

/// The ledger's high-water mark.
const MARK: &str = "campaigns/callrounds.db.high-water";

/// Makes `keep` calls, copies the ledger, makes the remaining calls, and restores the copy. The high-water mark is still the
/// newest.
fn practice_with_restored_ledger(keep: usize) -> (Practice, Vendor) {
    let practice = Practice::with(&campaign(keep), &remote_run::list(PATIENTS));
    let vendor = Vendor::start_at(MORNING, &practice, "60", &["--requests-per-minute", "600"]);
    let ledger = practice.path("campaigns/callrounds.db");
    assert_eq!(practice.run_against(&vendor.base_url, &RUN).code, 4);
    let kept = fs::read(&ledger).expect("the ledger");
    practice.write("campaigns/recall.toml", &campaign(100));
    assert_eq!(practice.run_against(&vendor.base_url, &RUN).code, 0);
    assert_eq!(vendor.calls().len(), PATIENTS);
    // Written into the same file, as a restore does: the same ledger, but older.
    fs::write(&ledger, kept).expect("restored");
    (practice, vendor)
}

fn assert_is_behind(ended: &ProgramOutput) {
    assert_eq!(ended.code, 7, "{ended:?}");
    for words in ["ledger", "is behind", "callrounds ledger adopt"] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
}

#[test]
fn an_older_copy_put_back_calls_nobody_and_once_adopted_takes_the_calls_over() {
    let (practice, vendor) = practice_with_restored_ledger(3);
    for command in [RUN.as_slice(), &["resume", "--json", "--at", MORNING, "--speed", "60"]] {
        // The mark shows it even if the vendor cannot be reached.
        assert_is_behind(&practice.run_against(&vendor.base_url, command));
        assert_is_behind(&practice.run_against("http://127.0.0.1:9", command));
    }
    // If the mark is restored with the folder, only the vendor's list shows it.
    fs::remove_file(practice.path(MARK)).expect("a mark");
    for command in [RUN.as_slice(), &["resume", "--json", "--at", MORNING, "--speed", "60"]] {
        let ended = practice.run_against(&vendor.base_url, command);
        assert_is_behind(&ended);
        assert!(ended.stderr.contains("9 calls of ours"), "{}", ended.stderr);
        assert_eq!(vendor.calls().len(), PATIENTS, "nobody was called");
    }
    let status = practice.run(&["status", "--ledger", "campaigns/callrounds.db"]).stdout;
    assert!(status.contains("the vendor's list shows 9 calls of ours"), "{status}");
    assert_eq!(practice.run(&["ledger", "adopt", "--ledger", "campaigns/callrounds.db"]).code, 0);

    let ended = practice.run_against(&vendor.base_url, &RUN);
    assert_eq!(ended.code, 0, "{ended:?}");
    let calls = vendor.calls();
    assert_eq!(calls.len(), PATIENTS, "each was called once, before");
    oracle::the_numbers_add_up(&ended.summary());
    oracle::the_ledger_agrees(&practice, &calls);
    oracle::the_report_agrees(&practice, &calls);
    let taken_over = ended.events().iter().filter(|event| event["type"] == "taken_over").count();
    assert_eq!(taken_over, PATIENTS - 3);
}

#[test]
fn a_ledger_that_lost_its_wal_is_not_taken_for_a_new_one() {
    let practice = Practice::with(&campaign(100), &remote_run::list(PATIENTS));
    let vendor = Vendor::start_at(MORNING, &practice, "60", &["--requests-per-minute", "600"]);
    practice.start_until(9, &RUN, Some(&vendor.base_url)).kill();
    let before = vendor.calls().len();
    assert!(before > 0);
    fs::remove_file(practice.path("campaigns/callrounds.db-wal")).expect("a -wal");
    let _ = fs::remove_file(practice.path("campaigns/callrounds.db-shm"));

    let ended = practice.run_against(&vendor.base_url, &RUN);
    assert_is_behind(&ended);
    // The vendor may still have acted on a request in flight at the kill; no new request was made.
    assert_eq!(oracle::by_number(&vendor.calls()).values().max(), Some(&1));
    assert_eq!(practice.run(&["ledger", "adopt", "--ledger", "campaigns/callrounds.db"]).code, 0);
    let ended = practice.run_against(&vendor.base_url, &RUN);
    assert_eq!(ended.code, 0, "{ended:?}");
    let calls = oracle::by_number(&vendor.calls());
    assert_eq!((calls.len(), calls.values().max()), (PATIENTS, Some(&1)), "everybody once");
}

#[test]
fn a_ledger_that_was_written_while_a_clock_was_ahead_calls_nobody_and_says_so() {
    let practice = Practice::with(&campaign(100), &remote_run::list(2));
    let ahead = Vendor::start_at(MORNING, &practice, "60", &["--requests-per-minute", "600"]);
    assert_eq!(practice.run_against(&ahead.base_url, &RUN).code, 0);
    drop(ahead);
    fs::remove_file(practice.path("vendor.jsonl")).expect("its log");
    // The clock is correct again, and agrees with the vendor's.
    practice.write("now", "");
    let now = fs::metadata(practice.path("now")).and_then(|about| about.modified()).expect("a time");
    let now = chrono::DateTime::<chrono::Utc>::from(now).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let vendor = Vendor::start_at(&now, &practice, "1", &[]);
    for command in [&["run", "campaigns/recall.toml", "--json"][..], &["resume", "--json"]] {
        let ended = practice.run_against(&vendor.base_url, command);
        assert_eq!(ended.code, 7, "{ended:?}");
        for words in ["future", "2036-11-25", "callrounds ledger adopt"] {
            assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
        }
    }
    assert!(vendor.calls().is_empty());
}
