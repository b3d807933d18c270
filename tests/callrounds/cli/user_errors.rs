//! Users' mistakes: a file in the wrong place, two names for one ledger, an output that cannot be written.

use std::os::unix::fs::symlink;
use std::process::Stdio;

use crate::support::harness::{Practice, recall};
use crate::support::oracle;
use crate::support::vendor::MORNING;

const LIST: &str = "patient_id,first_name,phone\n1001,Ana,773-555-0110\n1002,Ben,773-555-0111\n";

fn practice() -> Practice {
    let rest = format!(
        "[calling]\nconsent = \"on_file\"\n[redial]\nmax_attempts = 1\n[rate]\nopen_calls = 1\n[vendor]\nkind = \"simulator\"\n\
         start = \"{MORNING}\"\nspeed = 60\n"
    );
    Practice::with(&recall(&rest), LIST)
}

const RUN: [&str; 4] = ["run", "campaigns/recall.toml", "--speed", "600"];

#[test]
fn a_list_in_the_place_of_a_campaign_is_not_shown() {
    let practice = practice();
    let ended = practice.run(&["run", "campaigns/recall.csv", "--list", "campaigns/recall.toml"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("campaigns/recall.csv is not a campaign file"), "{ended:?}");
    assert!(!ended.stderr.contains("Ana") && !ended.stderr.contains("555"), "{ended:?}");
}

#[test]
fn a_link_to_a_ledger_in_use_is_the_same_ledger() {
    let practice = practice();
    let running = practice.start_until(3, &["run", "campaigns/recall.toml", "--json"], None);
    symlink(practice.path("campaigns/callrounds.db"), practice.path("link.db")).expect("a link");
    let second = practice.run(&["run", "campaigns/recall.toml", "--ledger", "link.db"]);
    assert_eq!(second.code, 7, "{second:?}");
    assert!(second.stderr.contains("the ledger is in use by process"), "{second:?}");
    assert_eq!(running.wait().code, 0);
    assert_eq!(oracle::embedded_calls(&practice).len(), 2);
}

#[test]
fn a_report_never_takes_the_place_of_the_ledger_or_of_a_folder() {
    let practice = practice();
    assert_eq!(practice.run(&RUN).code, 0);
    for (path, what) in [("campaigns/callrounds.db", "is a database"), ("campaigns", "is not a regular file")] {
        let ended = practice.run(&["report", "--format", "csv", "--out", path]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains(what) && ended.stderr.contains("it was not changed"), "{ended:?}");
    }
    assert_eq!(practice.run(&["ledger", "verify"]).code, 0);
    for _ in 0..2 {
        assert_eq!(practice.run(&["report", "--format", "csv", "--out", "result.csv"]).code, 0, "every night's");
    }
}

#[test]
fn an_opt_out_before_the_first_run_is_in_the_ledger_that_the_run_reads() {
    let practice = practice();
    assert_eq!(practice.run(&["suppress", "list"]).code, 2, "there is none to be read yet");
    let added = practice.run(&["suppress", "add", "773-555-0110 / 773-555-0119"]);
    assert!(added.stderr.contains("2 numbers are on the suppression list of campaigns/callrounds.db"), "{added:?}");
    assert_eq!(practice.run(&RUN).code, 0);
    assert_eq!(oracle::embedded_calls(&practice).len(), 1);

    std::fs::copy(practice.path("campaigns/callrounds.db"), practice.path("callrounds.db")).expect("copied");
    let ambiguous = practice.run(&["status"]);
    assert_eq!(ambiguous.code, 2, "{ambiguous:?}");
    assert!(
        ambiguous.stderr.contains("there are two ledgers, callrounds.db and campaigns/callrounds.db"),
        "{ambiguous:?}"
    );
}

#[test]
fn every_number_of_an_imported_list_is_suppressed() {
    let practice = practice();
    practice.write(
        "dnc.csv",
        "name,Mobile,Home phone\nAna,773-555-0110,773-555-0111\nCy,773-555-0113 / 773-555-0114,\nDi,,\n",
    );
    let ended = practice.run(&["suppress", "import", "dnc.csv"]);
    assert!(ended.stderr.contains("4 numbers are on the suppression list of"), "{ended:?}");
    assert!(ended.stderr.contains("no phone number on line 4"), "{ended:?}");
    practice.write("one.csv", "773-555-0115\n");
    let ended = practice.run(&["suppress", "import", "one.csv", "--scope", "follow_up"]);
    assert!(ended.stderr.starts_with("1 number is on the suppression list of"), "{ended:?}");
    let list = practice.run(&["suppress", "list"]).stdout;
    assert!(list.contains("+17735550115  follow-up  since "), "{list}");
    let wrong = practice.run(&["suppress", "add", "abc"]);
    assert_eq!((wrong.code, wrong.stderr.as_str()), (2, "error: the number: missing; give it as +13125550142\n"));
    let missing = practice.run(&["suppress", "import", "nope.csv"]);
    assert_eq!((missing.code, missing.stderr.as_str()), (2, "error: there is no file at nope.csv\n"));
}

#[test]
fn a_run_whose_output_cannot_be_written_still_places_its_calls() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let practice = practice();
    let full = || Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk"));
    let status = practice.command(&RUN).stderr(full()).status().expect("the program");
    assert_eq!(status.code(), Some(0));
    assert_eq!(oracle::embedded_calls(&practice).len(), 2);
    let status = practice.command(&["report", "99"]).stderr(full()).status().expect("the program");
    assert_eq!(status.code(), Some(2), "not the exit code of a panic");
}

#[test]
fn what_was_typed_wrong_is_refused() {
    let practice = practice();
    assert_eq!(practice.run(&["cancel", "9"]).code, 2, "there is no ledger");
    assert_eq!(practice.run(&RUN).code, 0);
    let none = practice.run(&["cancel", "9"]);
    assert_eq!(none.code, 2, "{none:?}");
    assert!(none.stderr.contains("the ledger has no run 9; `callrounds status` shows the newest"), "{none:?}");
    assert_eq!(practice.run(&["explain", ""]).code, 2);
    for number in ["+17735550110", "(773) 555-0110", "7735550110"] {
        assert!(practice.run(&["explain", number]).stdout.contains("patient 1001"), "{number}");
    }
    let endless = practice.run(&["run", "campaigns/recall.toml", "--speed", "1e300"]);
    assert_eq!(endless.code, 2, "{endless:?}");
    let back = practice.run(&[&RUN[..], &["--at", "2026-11-24T15:00:00Z"]].concat());
    assert!(
        back.stderr.contains("the ledger has events later than 2026-11-24T15:00:00Z, so the clock starts"),
        "{back:?}"
    );
}
