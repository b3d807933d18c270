//! One flipped byte (`faults.md`, row 12): the ledger of a campaign that called everybody is damaged at a drawn place,
//! and the campaign is run again. It is refused, or nobody is called: any call now would be a second one.
//!
//! `CALLROUNDS_FLIPS=1000 cargo test --test callrounds damage -- --nocapture` flips more of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::kill::{self, Dice, RUN};
use crate::practice::Practice;

const PATIENTS: usize = 12;

/// Flips of an ordinary test run.
const EVERY_RUN: u64 = 20;

#[test]
fn one_flipped_byte_is_noticed_or_calls_nobody() {
    let flips = std::env::var("CALLROUNDS_FLIPS").map_or(EVERY_RUN, |text| text.parse().expect("a number"));
    let practice = Practice::with(&kill::campaign("hold"), &kill::list(PATIENTS));
    let vendor = kill::vendor(&practice, 5, &[]);
    assert_eq!(practice.run_against(&vendor.base_url, &RUN).code, 0);
    let ledger = practice.path("campaigns/callrounds.db");
    let whole = fs::read(&ledger).expect("the ledger");
    let mut ends: BTreeMap<i32, u64> = BTreeMap::new();
    for seed in 0..flips {
        let mut dice = Dice(seed);
        let mut damaged = whole.clone();
        let place = dice.below(damaged.len() as u64) as usize;
        damaged[place] ^= 1 + dice.below(255) as u8;
        fs::write(&ledger, damaged).expect("damaged");
        let ended = practice.run_against(&vendor.base_url, &RUN);
        assert_eq!(vendor.calls().len(), PATIENTS, "seed {seed}, byte {place}: somebody was called again: {ended:?}");
        assert!([0, 5, 7].contains(&ended.code), "seed {seed}, byte {place}: {ended:?}");
        *ends.entry(ended.code).or_default() += 1;
        for beside in ["-wal", "-shm"] {
            let _ = fs::remove_file(practice.path(&format!("campaigns/callrounds.db{beside}")));
        }
    }
    eprintln!(
        "{flips} flipped bytes, exit codes and how often: {ends:?}; nobody was called again (95 %: fewer than 3 in {flips} are)"
    );
}

#[test]
fn a_ledger_is_verified_whole_and_backed_up_to_a_new_file_that_is_the_owners_alone() {
    let practice = Practice::with(&kill::campaign("hold"), &kill::list(PATIENTS));
    let vendor = kill::vendor(&practice, 5, &[]);
    assert_eq!(practice.run_against(&vendor.base_url, &RUN).code, 0);
    assert_eq!(practice.run(&["ledger", "verify"]).code, 0);
    let backup = practice.path("kept.db");
    let kept = practice.run(&["ledger", "backup", "kept.db"]);
    assert_eq!(kept.code, 0, "{kept:?}");
    assert_eq!(fs::metadata(&backup).expect("a backup").permissions().mode() & 0o777, 0o600);
    let again = practice.run(&["ledger", "backup", "kept.db"]);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.stderr.contains("there is a file at kept.db already"), "{again:?}");

    let told = |arguments: &[&str]| practice.run(arguments).stdout;
    let (report, of_the_backup) = (["report", "--format", "csv"], ["report", "--format", "csv", "--ledger", "kept.db"]);
    assert_eq!(told(&report), told(&of_the_backup));
    assert!(told(&report).lines().count() > PATIENTS);

    // What an index says otherwise than its table, no query would notice.
    let ledger = practice.path("campaigns/callrounds.db");
    let mut damaged = fs::read(&ledger).expect("the ledger");
    let number = b"+17735550115";
    let places: Vec<_> = (0..damaged.len() - number.len()).filter(|at| damaged[*at..].starts_with(number)).collect();
    assert!(places.len() > 2, "{places:?}");
    damaged[places[0] + 11] ^= 1;
    fs::write(&ledger, damaged).expect("damaged");
    for command in [["ledger", "verify"].as_slice(), &["ledger", "backup", "another.db"], &RUN] {
        let ended = practice.run_against(&vendor.base_url, command);
        assert_eq!(ended.code, 7, "{command:?}: {ended:?}");
        assert!(ended.stderr.contains("the ledger is damaged"), "{command:?}: {ended:?}");
    }
    assert_eq!(vendor.calls().len(), PATIENTS, "nobody was called again");
    assert!(!practice.path("another.db").exists());
}
