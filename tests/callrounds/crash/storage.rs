//! Storage failures (`faults.md`, row 7): a full disk, a read-only file or folder, a truncated ledger. Each ends with one
//! clear line and exit code 7; every sent call is recorded; and once the cause is removed, the campaign continues and nobody
//! is called twice.
//!
//! `CALLROUNDS_DISKS=64 cargo test --release --test callrounds on_a_disk -- --nocapture` tries more sizes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::harness::{Practice, ProgramOutput};
use crate::support::oracle::{self, everything_is_settled};
use crate::support::remote_run::{self, RUN};
use crate::support::vendor::Vendor;

const PATIENTS: usize = 30;

/// Sizes of the disk in KiB: from too small for an empty ledger to enough for the whole campaign.
const EVERY_RUN: [u32; 8] = [16, 160, 320, 400, 480, 560, 720, 4096];

/// Disks that fill up at a time.
const AT_ONCE: usize = 8;

fn sizes() -> Vec<u32> {
    let Ok(count) = std::env::var("CALLROUNDS_DISKS") else { return EVERY_RUN.into() };
    let count: u32 = count.parse().expect("a number");
    // Sizes at which the ledger fits and the campaign does not.
    (0..count).map(|at| 16 + at * 1_000 / count).collect()
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    let done = Command::new("mount").args(arguments).arg(at).output();
    done.is_ok_and(|done| done.status.success())
}

/// A mount, undone when it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// Mounts a disk; `None` where the test may not mount.
    fn disk(at: PathBuf, size: u32) -> Option<Self> {
        let options = format!("size={size}k,mode=700");
        mount(&["-t", "tmpfs", "-o", &options, "callrounds"], &at).then(|| Self(at))
    }

    /// Makes a file or folder read-only; `None` where the test may not mount.
    fn read_only(at: PathBuf) -> Option<Self> {
        let own = at.to_str().expect("a path").to_owned();
        let mounted = mount(&["--bind", &own], &at).then(|| Self(at))?;
        mount(&["-o", "remount,bind,ro"], &mounted.0).then_some(mounted)
    }

    fn enlarge(&self) {
        assert!(mount(&["-o", "remount,size=64m"], &self.0), "a larger disk");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily, because a process may still have a file open.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn print_skipped() {
    eprintln!("skipped: only root may mount a disk to fill");
}

fn practice() -> Practice {
    Practice::with(&remote_run::campaign("hold"), &remote_run::list(PATIENTS))
}

/// Checks for exit code 7 and one error line that contains one of `words`.
fn assert_one_clear_error(ended: &ProgramOutput, words: &[&str]) {
    assert_eq!(ended.code, 7, "{ended:?}");
    let errors: Vec<_> = ended.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{ended:?}");
    assert!(words.iter().any(|words| errors[0].contains(words)), "{words:?}: {}", errors[0]);
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
}

fn numbers(practice: &Practice) -> BTreeSet<String> {
    let ledger = practice.ledger();
    let mut query = ledger.prepare("SELECT to_number FROM attempt").expect("a query");
    query.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("numbers")
}

/// Checks that every call that the vendor placed has its attempt in the ledger.
fn check_sent_calls_are_recorded(practice: &Practice, vendor: &Vendor) {
    let called: BTreeSet<String> = oracle::by_number(&vendor.calls()).into_keys().collect();
    if !called.is_empty() {
        let recorded = numbers(practice);
        assert!(called.is_subset(&recorded), "{:?} are not recorded", called.difference(&recorded));
    }
}

/// Runs the campaign to its end: everybody is called once, or held because a request in flight was lost and not placed.
fn assert_run_completes(practice: &Practice, vendor: &Vendor) {
    let ended = practice.run_against(&vendor.base_url, &RUN);
    let calls = vendor.calls();
    everything_is_settled(practice, &calls, &ended);
    let held = practice.count("SELECT count(*) FROM entry WHERE state = 'held'") as usize;
    assert_eq!(calls.len() + held, PATIENTS, "{ended:?}");
    assert_eq!(oracle::by_number(&calls).values().max(), Some(&1), "somebody was called twice");
}

/// Runs the campaign on a disk of `size` KiB, and then on a larger one; returns whether the disk filled up, and the calls
/// placed by then. `None` where the test may not mount a disk.
fn run_on_disk_of(size: u32) -> Option<(bool, usize)> {
    let practice = practice();
    let files = ["recall.toml", "recall.csv"].map(|name| (name, practice.read(&format!("campaigns/{name}"))));
    let vendor = remote_run::vendor(&practice, 5, &[]);
    let disk = Mounted::disk(practice.path("campaigns"), size)?;
    for (name, text) in files {
        practice.write(&format!("campaigns/{name}"), &text);
    }
    let ended = practice.run_against(&vendor.base_url, &RUN);
    let calls = vendor.calls().len();
    let full = ended.code != 0;
    if full {
        assert_one_clear_error(&ended, &["the disk is full", "no storage space", "the disk failed"]);
    }
    disk.enlarge();
    check_sent_calls_are_recorded(&practice, &vendor);
    assert_run_completes(&practice, &vendor);
    Some((full, calls))
}

#[test]
fn on_a_disk_that_fills_up_nothing_is_sent_that_is_not_recorded() {
    let sizes = sizes();
    let mut found = Vec::new();
    for chunk in sizes.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let running: Vec<_> = chunk.iter().map(|&size| scope.spawn(move || run_on_disk_of(size))).collect();
            found.extend(running.into_iter().map(|one| one.join().expect("it held")));
        });
    }
    let Some(found): Option<Vec<_>> = found.into_iter().collect() else { return print_skipped() };
    let disks = sizes.len();
    eprintln!("KiB, full, calls by then: {:?}", sizes.iter().zip(&found).collect::<Vec<_>>());
    eprintln!("{disks} disks, nothing sent that is not recorded (95 %: fewer than 3 in {disks} go wrong)");
    assert!(found.iter().filter(|(full, _)| *full).count() >= 3, "hardly any disk filled up: {found:?}");
    assert!(found.iter().any(|(full, calls)| *full && *calls > 0), "no disk filled up between two calls: {found:?}");
}

/// A campaign after its first five calls.
fn practice_with_five_calls() -> (Practice, Vendor) {
    let practice = practice();
    let vendor = remote_run::vendor(&practice, 5, &[]);
    let few = remote_run::campaign("hold").replace("[safety]", "[safety]\nmax_calls = 5");
    practice.write("campaigns/recall.toml", &few);
    assert_eq!(practice.run_against(&vendor.base_url, &RUN).code, 4);
    assert_eq!(vendor.calls().len(), 5);
    practice.write("campaigns/recall.toml", &remote_run::campaign("hold"));
    (practice, vendor)
}

#[test]
fn a_ledger_or_a_folder_that_is_read_only_sends_nothing() {
    std::thread::scope(|scope| {
        for what in ["campaigns/callrounds.db", "campaigns"] {
            scope.spawn(move || {
                let (practice, vendor) = practice_with_five_calls();
                let Some(mounted) = Mounted::read_only(practice.path(what)) else { return print_skipped() };
                let ended = practice.run_against(&vendor.base_url, &RUN);
                assert_one_clear_error(&ended, &["read-only"]);
                assert_eq!(vendor.calls().len(), 5, "{what}: nobody was called");
                drop(mounted);
                assert_run_completes(&practice, &vendor);
            });
        }
    });
}

#[test]
fn a_ledger_that_was_cut_off_calls_nobody_again() {
    let (practice, vendor) = practice_with_five_calls();
    let ledger = practice.path("campaigns/callrounds.db");
    let whole = fs::read(&ledger).expect("the ledger");
    let length = whole.len() as u64;
    for left in [0, 1, 99, 512, 4_096, length / 2, length - 4_096, length - 2_000] {
        File::options().write(true).open(&ledger).and_then(|file| file.set_len(left)).expect("cut off");
        let ended = practice.run_against(&vendor.base_url, &RUN);
        assert_one_clear_error(&ended, &["is damaged", "is not a ledger", "was emptied"]);
        assert_eq!(vendor.calls().len(), 5, "{left} bytes left: nobody was called");
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(practice.path(&format!("campaigns/callrounds.db{suffix}")));
        }
        fs::write(&ledger, &whole).expect("restored");
    }
    assert_run_completes(&practice, &vendor);
}
