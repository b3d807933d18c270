//! A run that only waits for a later hour gives the ledger back: another campaign's run goes meanwhile, and the caps
//! hold over both.

use std::time::{Duration, Instant};

use crate::support::harness::Practice;
use crate::support::oracle;
use crate::support::remote_run;
use crate::support::vendor::Vendor;

/// A Tuesday in the far future: what `ledger purge` records has the wall clock's date, and must not be later.
const MORNING: &str = "2036-11-25T15:30:00Z";

const SPEED: &str = "120";

/// A campaign on the practice's ledger that calls from `from` on.
fn campaign(name: &str, from: &str) -> String {
    remote_run::campaign("hold")
        .replace("name = \"recall\"", &format!("name = \"{name}\""))
        .replace("[calling]\n", &format!("[calling]\nwindow = \"{from}-17:00\"\n"))
}

/// The list of the patients with these last digits of their numbers.
fn list(lasts: &[u32]) -> String {
    let rows = lasts.iter().map(|last| format!("{last},Ana,+1773555{last:04}\n"));
    format!("patient_id,first_name,phone\n{}", rows.collect::<String>())
}

/// A practice whose recall begins at half past ten, and whose other campaign begins at half past nine; both have the
/// patient 112.
fn practice() -> Practice {
    let practice = Practice::with(&campaign("recall", "10:30"), &list(&[110, 111, 112]));
    practice.write("campaigns/other.toml", &campaign("other", "09:30"));
    practice.write("campaigns/other.csv", &list(&[112, 113]));
    practice
}

fn run_other(
    practice: &Practice,
    vendor: &Vendor,
    speed: &str,
    more: &[&str],
) -> crate::support::harness::ProgramOutput {
    let time = vendor.time();
    let arguments = ["run", "campaigns/other.toml", "--list", "campaigns/other.csv", "--at", &time, "--speed", speed];
    practice.run_against(&vendor.base_url, &[&arguments, more].concat())
}

/// Waits until no run has the ledger's lock.
fn wait_until_free(practice: &Practice) {
    let since = Instant::now();
    while practice.run(&["ledger", "purge", "--older-than", "90d"]).code != 0 {
        assert!(since.elapsed() < Duration::from_mins(2), "the ledger is not given back");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn while_a_run_only_waits_another_one_uses_the_ledger_and_the_caps_hold_over_both() {
    let practice = practice();
    let vendor = Vendor::start_at(MORNING, &practice, SPEED, &["--requests-per-minute", "600"]);
    let recall = ["run", "campaigns/recall.toml", "--json", "--until-done", "--at", MORNING, "--speed", SPEED];
    // It has started, and rests until half past ten.
    let resting = practice.start_until(2, &recall, Some(&vendor.base_url));
    wait_until_free(&practice);
    let other = run_other(&practice, &vendor, SPEED, &[]);
    assert_eq!(other.code, 0, "{other:?}");
    assert_eq!(vendor.calls().len(), 2, "the other campaign's patients");

    let since = Instant::now();
    while practice.count("SELECT count(*) FROM attempt WHERE state = 'ended'") < 4 {
        assert!(since.elapsed() < Duration::from_mins(2), "the first run does not go on");
        std::thread::sleep(Duration::from_millis(200));
    }
    // It rests again: patient 112 was called today by the other campaign.
    wait_until_free(&practice);
    resting.signal("-TERM");
    let ended = resting.wait();
    // Nothing is due today: patient 112 waits for tomorrow by a rule.
    assert_eq!((ended.code, &ended.summary()["ending"]), (0, &"interrupted".into()), "{ended:?}");
    assert!(ended.stderr.contains("until then other runs may use the ledger"), "{ended:?}");
    let calls = vendor.calls();
    assert!(calls.len() == 4 && oracle::by_number(&calls).values().all(|count| *count == 1), "{calls:?}");
    oracle::the_ledger_agrees(&practice, &calls);
}

#[test]
fn a_run_that_was_superseded_while_it_rested_leaves_the_rest_to_the_later_one() {
    let practice = practice();
    let vendor = Vendor::start_at(MORNING, &practice, SPEED, &["--requests-per-minute", "600"]);
    let recall = ["run", "campaigns/recall.toml", "--json", "--until-done", "--at", MORNING, "--speed", SPEED];
    let resting = practice.start_until(2, &recall, Some(&vendor.base_url));
    wait_until_free(&practice);
    let time = vendor.time();
    let later = ["run", "campaigns/recall.toml", "--json", "--at", &time, "--speed", SPEED];
    let later = practice.run_against(&vendor.base_url, &later);
    let ended = resting.wait();
    assert_eq!(ended.summary()["ending"], "superseded", "{ended:?}");
    // The later run ended before half past ten, so all three are left to the next one.
    assert_eq!((ended.code, later.code), (4, 4), "{ended:?}, {later:?}");
    assert_eq!(vendor.calls().len(), 0, "{ended:?}, {later:?}");
    assert_eq!(practice.count("SELECT count(*) FROM attempt"), 0);
}

#[test]
fn a_run_that_may_wait_goes_once_the_ledger_is_free() {
    let (practice, slow) = (practice(), "20");
    let vendor = Vendor::start_at("2036-11-25T16:35:00Z", &practice, slow, &["--requests-per-minute", "600"]);
    let time = vendor.time();
    let recall = ["run", "campaigns/recall.toml", "--json", "--at", &time, "--speed", slow];
    let running = practice.start_until(2, &recall, Some(&vendor.base_url));
    let refused = run_other(&practice, &vendor, slow, &[]);
    assert_eq!(refused.code, 7, "{refused:?}");
    let waited = run_other(&practice, &vendor, slow, &["--wait"]);
    assert!(waited.stderr.contains("the ledger is in use by process "), "{waited:?}");
    assert!(waited.stderr.contains("; waiting until it is free"), "{waited:?}");
    assert_eq!(running.wait().code, 0);
    assert_eq!(waited.code, 0, "{waited:?}");
    assert_eq!(vendor.calls().len(), 4, "patient 112 was called by the first run");
}
