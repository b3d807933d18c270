//! `--exclude`: a second list removes patients, before the run and during it.

use std::fs;

use crate::support::harness::{Practice, ProgramOutput, RunningProgram, recall};
use crate::support::oracle;
use crate::support::vendor::MORNING;

/// What its campaign adds to [`recall`].
const CAMPAIGN_REST: &str = r#"[message]
context = "{{ first_name }} is due.{% if household_names %} Also due: {{ household_names }}.{% endif %}"
[calling]
consent = "on_file"
[redial]
max_attempts = 1
[rate]
open_calls = 1
[vendor]
kind = "simulator"
"#;

const LIST: &str = "patient_id,first_name,phone,guarantor,dob\n\
    1,Ana,773-555-0110,1,1980-01-01\n2,Bo,773-555-0110,1,2015-01-01\n\
    3,Li,773-555-0112,3,1980-01-01\n4,Di,773-555-0113,4,1980-01-01\n";

const RUN: [&str; 5] = ["run", "campaigns/recall.toml", "--exclude", "booked.csv", "--json"];

fn practice(speed: u32, booked: &str) -> Practice {
    let practice = Practice::with(&format!("{}start = \"{MORNING}\"\nspeed = {speed}\n", recall(CAMPAIGN_REST)), LIST);
    practice.write("booked.csv", booked);
    practice
}

fn called(practice: &Practice) -> Vec<String> {
    let mut called: Vec<String> =
        oracle::embedded_calls(practice).into_iter().filter_map(|call| call.patient_id).collect();
    called.sort_unstable();
    called
}

/// Starts the run and waits for its first call; no other call may be placed before it ends.
fn start_until_first_call(practice: &Practice) -> RunningProgram {
    practice.start_until(3, &RUN, None)
}

fn excluded_count(ended: &ProgramOutput) -> u64 {
    ended.summary()["reasons"]["excluded"].as_u64().unwrap_or(0)
}

#[test]
fn patients_on_the_exclude_list_are_not_called_and_a_household_is_called_without_them() {
    // Ana has booked; her son is still due, so the call is about him only.
    let practice = practice(600, "PatNum\n1\n3\n77\n");
    let checked = practice.run(&["check", "campaigns/recall.toml", "--exclude", "booked.csv"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.stdout.contains("not called: 2 × on the exclude list"), "{}", checked.stdout);
    assert!(checked.stdout.contains("Bo is due.\n") && !checked.stdout.contains("Also due"), "{}", checked.stdout);
    let ended = practice.run(&RUN);
    assert_eq!((ended.code, excluded_count(&ended)), (0, 2), "{ended:?}");
    assert_eq!(called(&practice), ["2", "4"]);
    // The next night's file no longer has them.
    practice.write("booked.csv", "PatNum\n77\n");
    assert_eq!(practice.run(&RUN).code, 0);
    assert_eq!(called(&practice).len(), 4);
}

#[test]
fn patients_who_book_during_the_run_are_not_called_any_more() {
    let practice = practice(60, "patient_id\n77\n");
    let running = start_until_first_call(&practice);
    practice.write("booked.new", "patient_id,booked on\n77,\n4,2026-11-24\n");
    fs::rename(practice.path("booked.new"), practice.path("booked.csv")).expect("renamed");
    let ended = running.wait();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(called(&practice), ["1", "3"]);
    assert_eq!(excluded_count(&ended), 1);
    let set_aside = ended.events().into_iter().find(|event| event["type"] == "set_aside").expect("an event");
    assert_eq!((&set_aside["state"], &set_aside["reason"]), (&"suppressed".into(), &"excluded".into()));
}

#[test]
fn an_exclude_list_that_is_gone_or_bad_stops_the_calls_with_a_clear_line() {
    for (what, expected) in [("gone", "cannot be read"), ("bad", "line 3: the key is empty")] {
        let practice = practice(60, "patient_id\n77\n");
        let running = start_until_first_call(&practice);
        if what == "gone" {
            fs::remove_file(practice.path("booked.csv")).expect("removed");
        } else {
            practice.write("booked.csv", "patient_id,name\n4,\n,Zyxwv\n");
        }
        let ended = running.wait();
        assert_eq!(ended.code, 4, "{what}: {ended:?}");
        assert_eq!(called(&practice), ["1"], "{what}");
        let stopping = ended.events().into_iter().find(|event| event["type"] == "stopping").expect("an event");
        let why = stopping["why"].as_str().expect("a reason");
        assert!(why.contains("booked.csv") && why.contains(expected) && !why.contains("Zyxwv"), "{what}: {why}");
        assert_eq!(ended.summary()["ending"], "exclusions");
    }
}

#[test]
fn a_bad_exclude_list_stops_the_command_before_anything_is_sent() {
    for (text, expected) in [
        ("name\nAna\n", "no column of the list is known to be patient_id"),
        ("patient_id,name\n1,Ana\n,Bo\n", "line 3: the key is empty"),
        ("patient_id,name\n1,Ana,3\n", "line 2: not as many cells as columns"),
        ("", "the list is empty"),
    ] {
        let practice = practice(600, text);
        for command in ["run", "check"] {
            let ended = practice.run(&[command, "campaigns/recall.toml", "--exclude", "booked.csv"]);
            assert_eq!(ended.code, 3, "{text}: {ended:?}");
            assert!(ended.stderr.contains("the exclude file booked.csv: "), "{text}: {}", ended.stderr);
            assert!(ended.stderr.contains(expected), "{text}: {}", ended.stderr);
        }
        assert_eq!(called(&practice).len(), 0);
    }
    let missing = practice(600, "").run(&["run", "campaigns/recall.toml", "--exclude", "nobody.csv"]);
    assert_eq!(missing.code, 3, "{missing:?}");
    assert!(missing.stderr.contains("the exclude file nobody.csv cannot be read"), "{}", missing.stderr);
}

#[test]
fn an_approved_plan_is_dialled_without_those_who_booked_since() {
    let practice = practice(600, "patient_id\n77\n");
    let planned = practice.run(&["check", "campaigns/recall.toml", "--plan", "plan.json"]);
    assert_eq!(planned.code, 0, "{planned:?}");
    practice.write("booked.csv", "patient_id\n3\n");
    let ended = practice.run(&[RUN.as_slice(), &["--plan", "plan.json"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(called(&practice), ["1", "4"]);
}
