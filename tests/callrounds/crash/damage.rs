//! One flipped byte (`faults.md`, row 12): the ledger of a finished campaign is damaged at a random offset, and the campaign
//! is run again. The ledger is refused, or no call is made: any call would be a second one.
//!
//! `CALLROUNDS_FLIPS=1000 cargo test --test callrounds damage -- --nocapture` flips more bytes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::harness::Practice;
use crate::support::remote_run::{self, RUN};
use crate::support::seeded_rng::SeededRng;

const PATIENTS: usize = 12;

/// Flips of an ordinary test run.
const EVERY_RUN: u64 = 20;

#[test]
fn one_flipped_byte_is_noticed_or_calls_nobody() {
    let flips = std::env::var("CALLROUNDS_FLIPS").map_or(EVERY_RUN, |text| text.parse().expect("a number"));
    let practice = Practice::with(&remote_run::campaign("hold"), &remote_run::list(PATIENTS));
    let vendor = remote_run::vendor(&practice, 5, &[]);
    assert_eq!(practice.run_against(&vendor.base_url, &RUN).code, 0);
    let ledger = practice.path("campaigns/callrounds.db");
    let whole = fs::read(&ledger).expect("the ledger");
    let mut ends: BTreeMap<i32, u64> = BTreeMap::new();
    for seed in 0..flips {
        let mut rng = SeededRng::new(seed);
        let mut damaged = whole.clone();
        let offset = rng.below(damaged.len() as u64) as usize;
        damaged[offset] ^= 1 + rng.below(255) as u8;
        fs::write(&ledger, damaged).expect("damaged");
        let ended = practice.run_against(&vendor.base_url, &RUN);
        assert_eq!(vendor.calls().len(), PATIENTS, "seed {seed}, byte {offset}: somebody was called again: {ended:?}");
        assert!([0, 5, 7].contains(&ended.code), "seed {seed}, byte {offset}: {ended:?}");
        *ends.entry(ended.code).or_default() += 1;
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(practice.path(&format!("campaigns/callrounds.db{suffix}")));
        }
    }
    eprintln!(
        "{flips} flipped bytes, exit codes and how often: {ends:?}; nobody was called again (95 %: fewer than 3 in {flips} are)"
    );
}

#[test]
fn a_ledger_is_verified_whole_and_backed_up_to_a_new_file_that_is_the_owners_alone() {
    let practice = Practice::with(&remote_run::campaign("hold"), &remote_run::list(PATIENTS));
    let vendor = remote_run::vendor(&practice, 5, &[]);
    assert_eq!(practice.run_against(&vendor.base_url, &RUN).code, 0);
    assert_eq!(practice.run(&["ledger", "verify"]).code, 0);
    let backup = practice.path("kept.db");
    let kept = practice.run(&["ledger", "backup", "kept.db"]);
    assert_eq!(kept.code, 0, "{kept:?}");
    assert_eq!(fs::metadata(&backup).expect("a backup").permissions().mode() & 0o777, 0o600);
    let again = practice.run(&["ledger", "backup", "kept.db"]);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.stderr.contains("there is a file at kept.db already"), "{again:?}");

    let stdout_of = |arguments: &[&str]| practice.run(arguments).stdout;
    let (report, of_the_backup) = (["report", "--format", "csv"], ["report", "--format", "csv", "--ledger", "kept.db"]);
    assert_eq!(stdout_of(&report), stdout_of(&of_the_backup));
    assert!(stdout_of(&report).lines().count() > PATIENTS);

    // An index that differs from its table is noticed by no ordinary query.
    let ledger = practice.path("campaigns/callrounds.db");
    let mut damaged = fs::read(&ledger).expect("the ledger");
    let number = b"+17735550115";
    let offsets: Vec<_> = (0..damaged.len() - number.len()).filter(|at| damaged[*at..].starts_with(number)).collect();
    assert!(offsets.len() > 2, "{offsets:?}");
    damaged[offsets[0] + 11] ^= 1;
    fs::write(&ledger, damaged).expect("damaged");
    for command in [["ledger", "verify"].as_slice(), &["ledger", "backup", "another.db"], &RUN] {
        let ended = practice.run_against(&vendor.base_url, command);
        assert_eq!(ended.code, 7, "{command:?}: {ended:?}");
        assert!(ended.stderr.contains("the ledger is damaged"), "{command:?}: {ended:?}");
    }
    assert_eq!(vendor.calls().len(), PATIENTS, "nobody was called again");
    assert!(!practice.path("another.db").exists());
}
