//! One ledger, one writer (`faults.md`, row 9): of eight programs started at once one runs, and the others name its process
//! and send nothing. Each has its own vendor, whose log shows what it sent.
//!
//! `CALLROUNDS_ROUNDS=1000 cargo test --release --test callrounds of_eight -- --nocapture` runs more rounds.

use std::io::Read as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::harness::Practice;
use crate::support::oracle;
use crate::support::remote_run::{campaign, list};
use crate::support::vendor::Vendor;

/// Rounds of an ordinary test run.
const EVERY_RUN: usize = 20;

const AT_ONCE: usize = 8;

const PATIENTS: usize = 5;

/// Slow enough that the run is not over before every program has tried the lock.
const SPEED: &str = "5";

/// How soon a program that does not get the lock must end.
const SOON: Duration = Duration::from_secs(2);

/// A vendor with its own folder, for one program only.
struct DedicatedVendor {
    vendor: Vendor,
    _folder: Practice,
}

impl DedicatedVendor {
    fn open() -> Self {
        let folder = Practice::in_memory("", "");
        let vendor = Vendor::start(&folder, SPEED, &["--requests-per-minute", "600"]);
        Self { vendor, _folder: folder }
    }

    fn sent(&self) -> usize {
        self.vendor.calls().len()
    }
}

/// A program that tries to open the ledger.
struct Contender<'a> {
    child: Child,
    vendor: &'a DedicatedVendor,
    since: Instant,
    gone_after: Option<Duration>,
}

impl<'a> Contender<'a> {
    fn start(practice: &Practice, vendor: &'a DedicatedVendor) -> Self {
        let time = vendor.vendor.time();
        let mut command =
            practice.command(&["run", "campaigns/recall.toml", "--json", "--at", &time, "--speed", SPEED]);
        command.env("ANNIE_BASE_URL", &vendor.vendor.base_url).stdout(Stdio::null());
        let since = Instant::now();
        Self { child: command.spawn().expect("the program"), vendor, since, gone_after: None }
    }

    fn is_gone(&mut self) -> bool {
        if self.gone_after.is_none() && self.child.try_wait().expect("its state").is_some() {
            self.gone_after = Some(self.since.elapsed());
        }
        self.gone_after.is_some()
    }

    /// Checks that it failed with exit code 7, named the lock's holder, and sent nothing.
    fn assert_lost_to(mut self, holder: u32) {
        let code = self.child.wait().expect("gone").code();
        let mut stderr = String::new();
        self.child.stderr.take().expect("its errors").read_to_string(&mut stderr).expect("text");
        assert_eq!(code, Some(7), "{stderr}");
        assert!(stderr.contains(&format!("in use by process {holder};")), "process {holder} holds it: {stderr}");
        assert_eq!(self.vendor.sent(), 0, "calls of a program that must not place any");
        assert!(self.gone_after.is_some_and(|after| after < SOON), "gone after {:?}", self.gone_after);
    }
}

fn still_running(contenders: &mut [Contender]) -> usize {
    contenders.iter_mut().map(|one| usize::from(!one.is_gone())).sum()
}

/// Waits until only one is running, at most twice [`SOON`]; returns that one, and the others.
fn race(mut contenders: Vec<Contender>) -> (Contender, Vec<Contender>) {
    let since = Instant::now();
    while since.elapsed() < 2 * SOON && still_running(&mut contenders) > 1 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (gone, mut running): (Vec<_>, Vec<_>) = contenders.into_iter().partition(|one| one.gone_after.is_some());
    let sent: Vec<_> = running.iter().map(|one| one.vendor.sent()).collect();
    for one in running.iter_mut().skip(1) {
        one.child.kill().expect("killed");
    }
    assert_eq!(running.len(), 1, "programs that run on one ledger, which sent {sent:?}");
    (running.remove(0), gone)
}

fn wait_for_a_call(runner: &Contender) {
    let since = Instant::now();
    while runner.vendor.sent() == 0 {
        assert!(since.elapsed() < Duration::from_secs(20), "the one that holds the ledger calls nobody");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn check_readers_work(practice: &Practice, patient: &str) {
    for reader in [["status", "--json"].as_slice(), &["report", "--format", "json"], &["explain", patient]] {
        let ended = practice.run(reader);
        assert_eq!(ended.code, 0, "{reader:?} beside a run: {ended:?}");
        assert!(!ended.stdout.is_empty(), "{reader:?}");
    }
}

/// One round; returns the index of the vendor that has calls now.
fn round(number: usize, sites: &[DedicatedVendor], late: &DedicatedVendor) -> usize {
    let practice = Practice::in_memory(&campaign("hold"), &list(PATIENTS));
    if number % 2 == 1 {
        // The lock file of a killed program. No process has this number.
        practice.write("campaigns/callrounds.db.lock", "999999999");
    }
    let (mut runner, others) = race(sites.iter().map(|vendor| Contender::start(&practice, vendor)).collect());
    let holder = runner.child.id();
    for one in others {
        one.assert_lost_to(holder);
    }
    wait_for_a_call(&runner);
    check_readers_work(&practice, "5000");

    let mut late = Contender::start(&practice, late);
    while !late.is_gone() {
        std::thread::sleep(Duration::from_millis(5));
    }
    late.assert_lost_to(holder);
    assert!(!runner.is_gone(), "the run was over before the late program started");
    runner.child.kill().expect("killed");
    runner.child.wait().expect("gone");
    let calls: Vec<_> = sites.iter().flat_map(|vendor| vendor.vendor.calls()).collect();
    assert!(
        oracle::by_number(&calls).values().all(|count| *count == 1),
        "no patient is called by two programs: {calls:?}"
    );
    sites.iter().position(|vendor| vendor.sent() > 0).expect("the runner's")
}

#[test]
fn of_eight_programs_started_at_once_one_runs_and_the_others_say_which_and_send_nothing() {
    let mut sites: Vec<_> = (0..AT_ONCE).map(|_| DedicatedVendor::open()).collect();
    let late = DedicatedVendor::open();
    let rounds = std::env::var("CALLROUNDS_ROUNDS").map_or(EVERY_RUN, |text| text.parse().expect("a number"));
    for number in 0..rounds {
        let used = round(number, &sites, &late);
        // The next round's ledger would lack its calls, and be behind.
        sites[used] = DedicatedVendor::open();
    }
    eprintln!("{rounds} rounds, one runner each (95 %: fewer than 3 in {rounds} go wrong)");
}
