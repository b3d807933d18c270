//! The guards of live calls: only a rehearsal loosens them, and a ledger never has both rehearsals and live calls.

use std::fs;

use callrounds::clock::{Clock, WallClock};

use crate::support::harness::{Practice, ProgramOutput, recall};
use crate::support::oracle;
use crate::support::vendor::{MORNING, Vendor};

const LIST: &str = "patient_id,first_name,phone\n1,Ana,773-555-0110\n2,Bo,773-555-0111\n3,Li,773-555-0112\n";
const RUN: [&str; 2] = ["run", "campaigns/recall.toml"];

/// A settle time under 120 s, which only rehearsals may have.
const SHORT: &str = "[safety]\nsettle = \"60s\"\n";

fn campaign(rest: &str) -> String {
    recall(&format!("[calling]\nconsent = \"on_file\"\n[redial]\nmax_attempts = 1\n{rest}"))
}

/// Replaces the practice's 555-01xx numbers by ones that a live campaign may have.
fn with_real_numbers(text: &str) -> String {
    text.replace("+13125550142", "+13125550242").replace("+13125550100", "+13125550200")
}

fn refused(ended: &ProgramOutput, code: i32, expected: &str) {
    assert_eq!(ended.code, code, "{ended:?}");
    assert!(ended.stderr.contains(expected), "{expected}: {}", ended.stderr);
    assert_eq!(ended.stdout, "", "{ended:?}");
}

/// Adds the arguments for a simulated day.
fn day<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["--at", MORNING, "--speed", "600", "--json"]].concat()
}

#[test]
fn a_local_address_alone_does_not_loosen_the_guards() {
    let practice = Practice::with(&campaign(""), LIST);
    let vendor = Vendor::start(&practice, "600", &[]);
    let run = |arguments: &[&str]| practice.run_against(&vendor.base_url, arguments);
    refused(&run(&day(&RUN)), 2, "555-01xx number");
    practice.write("campaigns/recall.toml", &with_real_numbers(&campaign("")));
    refused(&run(&day(&[&RUN[..], &["--yes"]].concat())), 2, "live calls are placed in real time");
    refused(&run(&RUN), 2, "standard input is not a terminal on which to confirm them: add --yes");
    practice.write("campaigns/recall.toml", &with_real_numbers(&campaign(SHORT)));
    refused(&run(&[&RUN[..], &["--yes"]].concat()), 2, "`settle` is under 120s");
    assert!(vendor.calls().is_empty());
    assert!(!practice.path("campaigns/callrounds.db").exists());

    practice.write("campaigns/recall.toml", &campaign(&format!("{SHORT}[vendor]\nrehearsal = true\n")));
    let ended = run(&day(&RUN));
    assert_eq!((ended.code, vendor.calls().len()), (0, 3), "{ended:?}");
}

#[test]
fn a_rehearsal_goes_to_no_other_machine() {
    let cases = [
        ("rehearsal = true", "https://annie.invalid/v1", "is not an address on this machine"),
        ("kind = \"simulator\"\nrehearsal = true", "https://annie.invalid/v1", "is not an address on this machine"),
        ("kind = \"simulator\"", "https://annie.invalid/v1", "is for the embedded simulator"),
        ("kind = \"simulator\"", "http://127.0.0.1:9/v1", "is for the embedded simulator"),
    ];
    for (vendor, address, expected) in cases {
        let practice = Practice::with(&campaign(&format!("[vendor]\n{vendor}\n")), LIST);
        for command in [&RUN[..], &["check", "campaigns/recall.toml"], &["run", "campaigns/recall.toml", "--yes"]] {
            refused(&practice.run_against(address, command), 2, expected);
        }
        assert!(!practice.path("campaigns/callrounds.db").exists());
    }
    let practice = Practice::with(&campaign("[vendor]\nrehearsal = true\n"), LIST);
    refused(&practice.run(&RUN), 2, "ANNIE_BASE_URL is not set");
    let elsewhere = practice.run_against("https://annie.invalid/v1", &[&RUN[..], &["--rehearse"]].concat());
    refused(&elsewhere, 2, "leave out --rehearse");
}

#[test]
fn a_ledger_keeps_rehearsals_or_live_calls_and_never_both() {
    // Every row of the list is rejected outside a rehearsal, and the campaign allows that.
    let live = with_real_numbers(&campaign("")).replace("[calling]", "max_reject_rate = 1.0\n[calling]");
    let practice = Practice::with(&campaign("[vendor]\nkind = \"simulator\"\n"), LIST);
    assert_eq!(practice.run(&RUN).code, 0);
    let before = fs::read(practice.path("campaigns/callrounds.db")).expect("a ledger");

    practice.write("campaigns/recall.toml", &live);
    // No server is at this address: an attempt to connect would change the exit code.
    let closed_port = "http://127.0.0.1:9/v1";
    let expected = "was made in a rehearsal, so the patients in it were not really called";
    let run_live = |base_url: &str| {
        let mut command = practice.command(&[&RUN[..], &["--yes"]].concat());
        command.env("ANNIE_BASE_URL", base_url).env("ANNIE_API_KEY", "annie-sk-v1-of-nobody");
        ProgramOutput::new(&command.output().expect("the program"))
    };
    refused(&run_live(closed_port), 7, expected);
    refused(&practice.run_against(closed_port, &["check", "campaigns/recall.toml"]), 7, expected);
    assert_eq!(fs::read(practice.path("campaigns/callrounds.db")).expect("a ledger"), before, "it was written to");

    for file in ["callrounds.db", "callrounds.db.lock"] {
        fs::remove_file(practice.path("campaigns").join(file)).expect("removed");
    }
    let vendor = Vendor::start_at(&WallClock.now().to_rfc3339(), &practice, "1", &[]);
    let ended = run_live(&vendor.base_url);
    assert_eq!(ended.code, 0, "{ended:?}");
    practice.write("campaigns/recall.toml", &campaign("[vendor]\nkind = \"simulator\"\n"));
    let expected = "has live calls, and a patient who is rehearsed in it would count as called";
    refused(&practice.run(&RUN), 7, expected);
    let rehearsed = practice.run(&[&RUN[..], &["--rehearse", "--ledger", "campaigns/callrounds.db"]].concat());
    assert_eq!(rehearsed.code, 7, "{rehearsed:?}");
    assert!(rehearsed.stderr.contains(expected), "{rehearsed:?}");
}

#[test]
fn a_campaign_is_rehearsed_as_it_is_beside_its_live_ledger() {
    let live = with_real_numbers(&campaign(""));
    let practice = Practice::with(&live, &format!("{LIST}4,Eva,773-555-0113\n5,Cy,773\n"));
    practice.write("campaigns/callrounds.db", "the live ledger");
    practice.write("campaigns/recall.rejects.csv", "the live run's");
    let ended = practice.run(&day(&[&RUN[..], &["--rehearse"]].concat()));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.summary()["entries"]["finished"], 4, "{ended:?}");
    assert!(ended.stderr.contains("a rehearsal: nobody is called; its ledger is "), "{}", ended.stderr);
    assert_eq!(practice.read("campaigns/callrounds.db"), "the live ledger");
    assert_eq!(practice.read("campaigns/recall.rejects.csv"), "the live run's");
    assert!(practice.read("campaigns/recall.rehearsal.rejects.csv").contains("5,Cy,773"));
    assert_eq!(practice.read("campaigns/recall.toml"), live);

    // A run that began as a rehearsal resumes as one, although its campaign is for live calls.
    let stopped = live.replace("[redial]", "[safety]\nmax_calls = 1\nsettle = \"60s\"\n[redial]");
    let practice = Practice::with(&stopped, LIST);
    let started = practice.run(&day(&[&RUN[..], &["--rehearse"]].concat()));
    assert_eq!(started.code, 4, "{started:?}");
    let ledger = ["--ledger", "campaigns/callrounds.rehearsal.db"];
    let resumed = practice.run(&day(&[&["resume"][..], &ledger].concat()));
    assert_eq!((resumed.code, &resumed.summary()["entries"]["finished"]), (4, &1.into()), "{resumed:?}");
    assert_eq!(practice.run(&[&["status"][..], &ledger].concat()).code, 0);
}

#[test]
fn a_rehearsal_uses_the_simulator_on_this_machine_if_one_is_named() {
    let practice = Practice::with(&campaign(SHORT), LIST);
    let vendor = Vendor::start(&practice, "600", &[]);
    let ended = practice.run_against(&vendor.base_url, &day(&[&RUN[..], &["--rehearse"]].concat()));
    assert_eq!((ended.code, vendor.calls().len()), (0, 3), "{ended:?}");
    assert!(oracle::embedded_calls(&practice).is_empty());
}
