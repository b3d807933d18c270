//! Plan, approve, dial: `check --plan` writes the calls to a file, and `run --plan` places exactly those or none.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::harness::{Practice, ProgramOutput, recall};
use crate::support::oracle;
use crate::support::vendor::MORNING;

/// What its campaign adds to [`recall`].
const CAMPAIGN_REST: &str = r#"[message]
context = "{{ first_name }} is due. Said “{{ notes | default('nothing') }}”."
[calling]
consent = "on_file"
[vendor]
kind = "simulator"
"#;

const LIST: &str = "patient_id,first_name,phone,notes,status\n\
    1,Ana,773-555-0110,naïve  spaces ,\n2,Bo,773-555-0111,,\n3,Li,773-555-0112,tab\there,\n4,Di,773-555-0113,,inactive\n";

fn practice() -> Practice {
    let vendor = format!("start = \"{MORNING}\"\nspeed = 600\n");
    Practice::with(&(recall(CAMPAIGN_REST) + &vendor), LIST)
}

fn plan(practice: &Practice) -> Value {
    let ended = practice.run(&["check", "campaigns/recall.toml", "--plan", "plan.json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&practice.read("plan.json")).expect("JSON")
}

fn dial(practice: &Practice) -> ProgramOutput {
    practice.run(&["run", "campaigns/recall.toml", "--plan", "plan.json", "--json"])
}

/// The patient ids of the placed calls, in order.
fn dialled(practice: &Practice) -> Vec<String> {
    oracle::embedded_calls(practice).into_iter().filter_map(|call| call.patient_id).collect()
}

#[test]
fn a_plan_says_who_would_be_called_with_which_words_and_why_the_others_would_not() {
    let practice = practice();
    let plan = plan(&practice);
    let mode = practice.path("plan.json").metadata().expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let calls = plan["calls"].as_array().expect("calls");
    let keys: Vec<_> = calls.iter().map(|call| call["key"][0].as_str().expect("a key")).collect();
    assert_eq!(keys, ["1", "2", "3"]);
    assert_eq!(calls[0]["phone"], "+17735550110");
    assert_eq!(calls[0]["content"]["context"], "Ana is due. Said “naïve spaces”.");
    assert_eq!(plan["left_out"][0]["key"][0], "4");
    assert_eq!(plan["left_out"][0]["reason"], "inactive");
    assert!(!practice.path("campaigns/callrounds.db").exists(), "a plan makes no ledger");
}

#[test]
fn what_is_dialled_is_the_plan_byte_for_byte_and_once() {
    let practice = practice();
    let plan = plan(&practice);
    assert_eq!(dial(&practice).code, 0);
    let first: Vec<_> = dialled(&practice);
    assert_eq!(first.len(), 3, "each once: a redial is not in the plan");
    let ledger = practice.ledger();
    let dialled_content = "SELECT content FROM entry JOIN attempt ON attempt.entry_id = entry.id \
                           WHERE attempt.state = 'ended' AND entry.phone = to_number ORDER BY entry.id";
    let mut sent = ledger.prepare(dialled_content).expect("a query");
    let sent: Vec<String> = sent.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("text")).collect();
    for (call, sent) in plan["calls"].as_array().expect("calls").iter().zip(&sent) {
        assert_eq!(call["content"], serde_json::from_str::<Value>(sent).expect("JSON"));
    }
    // The same plan again: everything in it has been done.
    assert_eq!(dial(&practice).code, 0);
    assert_eq!(dialled(&practice), first);
    assert_eq!(practice.count("SELECT count(*) FROM run"), 1, "the plan's run was resumed");
}

#[test]
fn nothing_is_dialled_if_anything_has_changed_since_the_plan_and_the_change_is_named() {
    type Change = fn(&Practice);
    let cases: [(&str, i32, &str, Change); 7] = [
        ("a row more", 3, "list      1 patient not in the plan: line 6", |practice| {
            practice.write("campaigns/recall.csv", &(LIST.to_owned() + "5,Ed,773-555-0114,,\n"));
        }),
        ("a row less", 3, "list      1 patient not on the list any more: line 3", |practice| {
            practice.write("campaigns/recall.csv", &LIST.replace("2,Bo,773-555-0111,,\n", ""));
        }),
        ("another number", 3, "list      1 patient with another number: line 3", |practice| {
            practice.write("campaigns/recall.csv", &LIST.replace("0111", "0119"));
        }),
        ("another word", 3, "list      1 patient with other texts or data: line 2", |practice| {
            practice.write("campaigns/recall.csv", &LIST.replace("naïve", "naive"));
        }),
        ("a setting", 2, "campaign  calling.window, list.file", |practice| {
            let other = practice
                .read("campaigns/recall.toml")
                .replace("[calling]\n", "[calling]\nwindow = \"10:00-16:00\"\n")
                .replace("\"recall.csv\"", "\"./recall.csv\"");
            practice.write("campaigns/recall.toml", &other);
        }),
        ("a suppression", 2, "ledger    1 patient not to be called any more: line 3", |practice| {
            let ended = practice.run(&["suppress", "add", "773-555-0111", "--ledger", "campaigns/callrounds.db"]);
            assert_eq!(ended.code, 0);
        }),
        ("a call of another campaign", 2, "ledger    1 patient called in the meantime: line 2", |practice| {
            let other = practice.read("campaigns/recall.toml").replace("name = \"recall\"", "name = \"other\"");
            practice.write("campaigns/other.toml", &other);
            practice.write("other.csv", "patient_id,first_name,phone\n91,Ana,773-555-0110\n");
            let ended = practice.run(&["run", "campaigns/other.toml", "--list", "other.csv", "--quiet"]);
            assert_eq!(ended.code, 0, "{ended:?}");
        }),
    ];
    for (what, code, expected, change) in cases {
        let practice = practice();
        plan(&practice);
        change(&practice);
        let before = dialled(&practice).len();
        let ended = dial(&practice);
        assert_eq!(ended.code, code, "{what}: {ended:?}");
        assert!(ended.stderr.contains(expected), "{what}: {}", ended.stderr);
        assert!(!ended.stderr.contains("Bo") && !ended.stderr.contains("555"), "{what}: {}", ended.stderr);
        assert_eq!(dialled(&practice).len(), before, "{what}");
        assert_eq!(practice.count("SELECT count(*) FROM run WHERE plan IS NOT NULL"), 0, "{what}");
    }
}

#[test]
fn a_list_in_another_order_has_not_moved() {
    let practice = practice();
    plan(&practice);
    let mut rows: Vec<&str> = LIST.lines().collect();
    rows[1..].reverse();
    practice.write("campaigns/recall.csv", &(rows.join("\n") + "\n"));
    assert_eq!(dial(&practice).code, 0);
    assert_eq!(dialled(&practice).len(), 3);
}

#[test]
fn a_stopped_plan_is_resumed() {
    let slow = recall(CAMPAIGN_REST) + &format!("start = \"{MORNING}\"\nspeed = 60\n[rate]\nopen_calls = 1\n");
    let practice = Practice::with(&slow, LIST);
    plan(&practice);
    let running = practice.start_until(4, &["run", "campaigns/recall.toml", "--plan", "plan.json", "--json"], None);
    running.kill();
    let before = dialled(&practice).len();
    assert!(before < 3, "{before} calls: it was killed too late to show anything");
    let ended = practice.run(&["run", "campaigns/recall.toml", "--plan", "plan.json", "--json", "--speed", "600"]);
    // The request in flight at the kill may not have become a call: then its entry is held.
    let held = practice.count("SELECT count(*) FROM entry WHERE state = 'held'") as usize;
    assert_eq!((ended.code, dialled(&practice).len()), (if held == 0 { 0 } else { 5 }, 3 - held), "{ended:?}");
    assert!(held <= 1, "{ended:?}");
    assert_eq!(practice.count("SELECT count(*) FROM run"), 1);
}

#[test]
fn what_is_no_plan_is_refused_without_repeating_it() {
    let practice = practice();
    let text = plan(&practice).to_string();
    for (what, wrong, expected) in [
        ("cut off", text[..text.len() / 2].to_owned(), "line 1, column"),
        ("another version", text.replace("\"version\":1", "\"version\":2"), "its format is version 2"),
        ("something else", "{\"format\":\"Zyxwv\"}".to_owned(), "line 1, column"),
        ("a number that is none", text.replace("+17735550110", "+1773"), "is out of date"),
    ] {
        practice.write("plan.json", &wrong);
        let ended = dial(&practice);
        assert!(matches!(ended.code, 2 | 3), "{what}: {ended:?}");
        assert!(ended.stderr.contains(expected), "{what}: {}", ended.stderr);
        assert!(!ended.stderr.contains("Zyxwv") && !ended.stderr.contains("1773"), "{what}: {}", ended.stderr);
    }
    let missing = practice.run(&["run", "campaigns/recall.toml", "--plan", "nowhere.json"]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("cannot read the plan nowhere.json"), "{}", missing.stderr);
    assert_eq!(dialled(&practice).len(), 0);
}
