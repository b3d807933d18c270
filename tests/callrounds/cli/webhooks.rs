//! Webhooks, end to end: the real binary and a vendor in another process whose deliveries are repeated, late, early, in every
//! format or missing. Whatever it delivers, the calls and their outcomes are the same.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::Value;

use crate::support::harness::{Practice, ProgramOutput, RunningProgram};
use crate::support::oracle::{self, everything_is_settled};
use crate::support::remote_run::{RUN, campaign, list};
use crate::support::vendor::Vendor;

const TOKEN: &str = "s3cret-of-the-webhook";

const PATIENTS: usize = 60;

/// A local address with a free port, below those that the system gives to connections: another test's connection would take
/// one of them before the program listens. No two tests of a run get the same.
fn free_address() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 1_000) as u16 * 10;
    let address = || (Ipv4Addr::LOCALHOST, first + NEXT.fetch_add(1, Ordering::Relaxed));
    let listener = std::iter::repeat_with(address).take(1_000).find_map(|address| TcpListener::bind(address).ok());
    listener.expect("a free port").local_addr().expect("its address").to_string()
}

/// A campaign with one call for each patient, and a vendor with a fixed seed.
struct Scenario {
    practice: Practice,
    vendor: Vendor,
    address: String,
}

fn scenario(options: &[&str]) -> Scenario {
    let practice = Practice::with(&campaign("hold"), &list(PATIENTS));
    let address = free_address();
    let url = format!("http://{address}/annie");
    let fixed = ["--requests-per-minute", "600", "--seed", "7", "--webhook", &url];
    let vendor = Vendor::start_with(&[("ANNIE_WEBHOOK_TOKEN", TOKEN)], &practice, "60", &[&fixed, options].concat());
    Scenario { practice, vendor, address }
}

impl Scenario {
    fn run(&self, listens: bool, token: Option<&str>) -> ProgramOutput {
        let mut arguments = RUN.to_vec();
        if listens {
            arguments.extend(["--listen", &self.address]);
        }
        let mut command = self.practice.command(&arguments);
        command.env("ANNIE_BASE_URL", &self.vendor.base_url).envs(token.map(|token| ("ANNIE_WEBHOOK_TOKEN", token)));
        ProgramOutput::new(&command.output().expect("the program"))
    }

    /// Checks that everybody is called once; returns the outcome of each patient, and the reads by conversation id.
    fn assert_all_called_once(&self, ended: &ProgramOutput) -> (BTreeMap<String, Value>, u64) {
        let calls = self.vendor.calls();
        everything_is_settled(&self.practice, &calls, ended);
        assert_eq!((ended.code, calls.len()), (0, PATIENTS), "{}", ended.stderr);
        assert!(oracle::by_number(&calls).values().all(|count| *count == 1), "one call each");
        let report = self.practice.report();
        let patients = report["patients"].as_array().expect("patients");
        let outcome = |patient: &Value| (patient["patient_id"].to_string(), patient["outcome"].clone());
        (patients.iter().map(outcome).collect(), reads_by_id(ended))
    }
}

/// The number of reads of single conversations.
fn reads_by_id(ended: &ProgramOutput) -> u64 {
    ended.summary()["requests"]["conversations"].as_u64().expect("a count")
}

#[test]
fn deliveries_of_every_kind_change_no_outcome_and_call_nobody_twice() {
    let silent = scenario(&[]);
    let (outcomes, asked) = silent.assert_all_called_once(&silent.run(false, None));
    assert_eq!((outcomes.len(), asked), (PATIENTS, 0));
    std::thread::scope(|scope| {
        for (options, token, expects_reads) in [
            (&[][..], TOKEN, Some(true)),
            (&["--fault", "reset-after=0.1", "--fault", "500-before@reads=0.1"], TOKEN, Some(true)),
            (&[], "not-the-vendors", Some(false)),
            // The list is read so often that the first deliveries may tell nothing new.
            (&["--webhook-stop-after", "40"], TOKEN, None),
            // Conversations that a delayed list does not show are read by their id anyway.
            (&["--list-lag", "40"], TOKEN, None),
        ] {
            let outcomes = &outcomes;
            scope.spawn(move || {
                let scenario = scenario(options);
                let (outcomes_seen, asked) = scenario.assert_all_called_once(&scenario.run(true, Some(token)));
                assert_eq!(outcomes_seen, *outcomes, "{options:?}");
                let as_expected = expects_reads.is_none_or(|expected| (asked > 0) == expected);
                assert!(as_expected, "{options:?}: {asked} asked for by their id");
            });
        }
    });
}

#[test]
fn a_run_that_cannot_take_webhooks_is_refused_before_anything_is_sent() {
    let scenario = scenario(&[]);
    let _taken = TcpListener::bind(&scenario.address).expect("the address");
    for (token, words) in [
        (None, "--listen without ANNIE_WEBHOOK_TOKEN: set it"),
        (Some(" "), "--listen without ANNIE_WEBHOOK_TOKEN: set it"),
        (Some("two words"), "ANNIE_WEBHOOK_TOKEN: it holds a space"),
        (Some(TOKEN), "name an address of this machine and a free port"),
    ] {
        let ended = scenario.run(true, token);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
        assert!(!ended.stderr.contains("two words") && !ended.stderr.contains(TOKEN), "{}", ended.stderr);
    }
    assert_eq!(scenario.vendor.calls().len(), 0);
    assert!(!scenario.practice.path("campaigns/callrounds.db").exists(), "nothing was recorded either");
    let ended = scenario.practice.run(&["run", "campaigns/recall.toml", "--listen", "4020"]);
    assert!(ended.code == 2 && ended.stderr.contains("such as 127.0.0.1:4020"), "{ended:?}");
}

/// Starts a demonstration that takes webhooks on `address`, and waits for its first event.
fn demonstration(practice: &Practice, address: &str) -> RunningProgram {
    let arguments = ["run", "campaigns/demo-recall.toml", "--json", "--speed", "60", "--listen", address];
    RunningProgram::start_until(1, practice.command(&arguments).env("ANNIE_WEBHOOK_TOKEN", TOKEN))
}

#[test]
fn deliveries_are_taken_as_long_as_the_run_lasts() {
    let (practice, address) = (Practice::new(), free_address());
    let run = demonstration(&practice, &address);
    // Open connections do not delay the end of the run.
    let silent: Vec<_> = (0..50).map(|_| TcpStream::connect(&address).expect("the listener is open")).collect();
    run.signal("-TERM");
    let ended = run.wait();
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.stderr.contains(&format!("receiving webhooks on http://{address}/\n")), "{}", ended.stderr);
    drop(silent);
    assert!(TcpStream::connect(&address).is_err(), "the listener is closed");
}

#[test]
fn an_address_that_others_can_reach_is_warned_of() {
    let (practice, address) = (Practice::new(), free_address().replace("127.0.0.1", "0.0.0.0"));
    let run = demonstration(&practice, &address);
    run.signal("-TERM");
    let ended = run.wait();
    assert!(ended.stderr.contains("without TLS, so put a proxy with TLS in front of"), "{}", ended.stderr);
}
