//! `--exclude`: patients whom a second list takes off, before the run and while it is under way.

use std::fs;

use crate::oracle;
use crate::practice::{Ended, Practice, Started, recall};
use crate::vendor::MORNING;

/// Its campaign: most tests', and this.
const REST: &str = r#"[message]
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
    let practice = Practice::with(&format!("{}start = \"{MORNING}\"\nspeed = {speed}\n", recall(REST)), LIST);
    practice.write("booked.csv", booked);
    practice
}

fn called(practice: &Practice) -> Vec<String> {
    let mut called: Vec<String> = oracle::embedded(practice).into_iter().filter_map(|call| call.patient_id).collect();
    called.sort_unstable();
    called
}

/// The run, once its first call is being placed and while nobody else may be called yet.
fn at_its_first_call(practice: &Practice) -> Started {
    practice.start_until(3, &RUN, None)
}

fn reasons(ended: &Ended) -> u64 {
    ended.summary()["reasons"]["excluded"].as_u64().unwrap_or(0)
}

#[test]
fn who_is_on_the_exclude_list_is_not_called_and_a_household_is_called_without_them() {
    // Ana has booked: her son is still due, and the call is about him alone.
    let practice = practice(600, "PatNum\n1\n3\n77\n");
    let told = practice.run(&["check", "campaigns/recall.toml", "--exclude", "booked.csv"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.stdout.contains("not called: 2 × on the list of patients to be left out"), "{}", told.stdout);
    assert!(told.stdout.contains("Bo is due.\n") && !told.stdout.contains("Also due"), "{}", told.stdout);
    let ended = practice.run(&RUN);
    assert_eq!((ended.code, reasons(&ended)), (0, 2), "{ended:?}");
    assert_eq!(called(&practice), ["2", "4"]);
    // The next night's file no longer has them.
    practice.write("booked.csv", "PatNum\n77\n");
    assert_eq!(practice.run(&RUN).code, 0);
    assert_eq!(called(&practice).len(), 4);
}

#[test]
fn who_books_while_the_run_is_under_way_is_not_called_any_more() {
    let practice = practice(60, "patient_id\n77\n");
    let running = at_its_first_call(&practice);
    practice.write("booked.new", "patient_id,booked on\n77,\n4,2026-11-24\n");
    fs::rename(practice.path("booked.new"), practice.path("booked.csv")).expect("renamed");
    let ended = running.wait();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(called(&practice), ["1", "3"]);
    assert_eq!(reasons(&ended), 1);
    let barred = ended.events().into_iter().find(|event| event["type"] == "set_aside").expect("an event");
    assert_eq!((&barred["state"], &barred["reason"]), (&"suppressed".into(), &"excluded".into()));
}

#[test]
fn an_exclude_list_that_is_gone_or_bad_stops_the_calls_with_a_clear_line() {
    for (what, said) in [("gone", "cannot be read"), ("bad", "line 3: it does not say whom it means")] {
        let practice = practice(60, "patient_id\n77\n");
        let running = at_its_first_call(&practice);
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
        assert!(why.contains("booked.csv") && why.contains(said) && !why.contains("Zyxwv"), "{what}: {why}");
        assert_eq!(ended.summary()["ending"], "exclusions");
    }
}

#[test]
fn a_bad_exclude_list_stops_the_command_before_anything_is_sent() {
    for (text, said) in [
        ("name\nAna\n", "no column of the list is known to be patient_id"),
        ("patient_id,name\n1,Ana\n,Bo\n", "line 3: it does not say whom it means"),
        ("patient_id,name\n1,Ana,3\n", "line 2: not as many cells as columns"),
        ("", "the list is empty"),
    ] {
        let practice = practice(600, text);
        for command in ["run", "check"] {
            let ended = practice.run(&[command, "campaigns/recall.toml", "--exclude", "booked.csv"]);
            assert_eq!(ended.code, 3, "{text}: {ended:?}");
            assert!(ended.stderr.contains("the exclude file booked.csv: "), "{text}: {}", ended.stderr);
            assert!(ended.stderr.contains(said), "{text}: {}", ended.stderr);
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
