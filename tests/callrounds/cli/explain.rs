//! `explain` shows for every patient, called or not, in every campaign: which rule decided, on what evidence, and when.

use serde_json::Value;

use crate::support::fixtures::{CONSENT, ONE_CALL_EACH, SIMULATOR};
use crate::support::harness::{Practice, recall};
use crate::support::vendor::MORNING;

fn campaign(name: &str, seed: u32) -> String {
    let campaign = recall(&format!(
        "max_reject_rate = 1\n[message]\ncontext = \"{{{{ first_name }}}} is due. {{{{ household_names }}}}\"\n\
         {CONSENT}{ONE_CALL_EACH}{SIMULATOR}start = \"{MORNING}\"\nseed = {seed}\nspeed = 600\n"
    ));
    campaign.replacen("recall", name, 1)
}

const LIST: &str = "patient_id,first_name,phone,guarantor,dob,status\n\
    501,Ana,773-555-0110,501,1980-01-01,\n502,Bo,773-555-0110,501,2015-01-01,\n\
    503,Li,212-555-0112,503,1980-01-01,\n504,Di,773-555-01,504,1980-01-01,\n505,Ed,773-555-0115,505,1980-01-01,inactive\n";

/// A practice after runs of two campaigns on the same list.
fn practice() -> Practice {
    let practice = Practice::with(&campaign("recall", 1), LIST);
    practice.write("campaigns/second.toml", &campaign("second", 2));
    assert_eq!(practice.run(&["run", "campaigns/recall.toml", "--quiet"]).code, 0);
    let later = ["run", "campaigns/second.toml", "--at", "2026-12-02T16:00:00Z", "--quiet"];
    assert_eq!(practice.run(&later).code, 0);
    practice
}

fn explain(practice: &Practice, patient: &str) -> String {
    let ended = practice.run(&["explain", patient]);
    assert_eq!(ended.code, 0, "{patient}: {ended:?}");
    ended.stdout
}

#[test]
fn everybody_is_explained_called_or_not_in_every_campaign() {
    let practice = practice();
    let cases: [(&str, &[&str]); 5] = [
        (
            "503",
            &[
                "recall: patient 503 (#",
                "second: patient 503 (#",
                "every rule allows the call; recorded, then sent",
                "in America/Chicago, open 09:30-17:00; ",
                "in America/New_York, open 09:00-20:00 (vendor-safe; by the area code)",
                "number: no call in 30 days; not on the suppression list",
                "number: called 0 × in 24 hours, ",
                "consent: on file for the whole list, the practice attests",
            ],
        ),
        ("502", &["patient 502 (#", "): covered by the call to another patient of the household"]),
        ("504", &["recall: rejected, not called: line 5 of the last list: phone: too short", "recall.rejects.csv"]),
        ("505", &["not to be called, no calls", "→ not to be called: no longer an active patient"]),
        ("+12125550112", &["recall: patient 503", "second: patient 503"]),
    ];
    for (patient, words) in cases {
        let text = explain(&practice, patient);
        for words in words {
            assert!(text.contains(words), "{patient}: {words}\n{text}");
        }
    }
    assert_eq!(practice.run(&["explain", "599"]).code, 2);
}

#[test]
fn the_same_as_json_has_the_evidence_of_each_decision() {
    let practice = practice();
    let ledger = ["--ledger", "campaigns/callrounds.db"];
    let suppressed =
        practice.run(&[&["suppress", "add", "212-555-0112", "--source", "by letter"], ledger.as_slice()].concat());
    assert_eq!(suppressed.code, 0);
    let ended = practice.run(&["explain", "503", "--json"]);
    let explained: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let timeline = &explained["stories"][0];
    assert_eq!(timeline["suppressions"][0]["source"], "by letter");
    let events = timeline["events"].as_array().expect("events");
    let claimed = events.iter().find(|event| event["kind"] == "claimed").expect("a claim");
    let evidence = &claimed["evidence"];
    assert_eq!(evidence["suppressed"], false);
    assert_eq!(evidence["consent"], "on_file");
    assert_eq!(evidence["known_by"], "area_code");
    let zones: Vec<_> = evidence["zones"]
        .as_array()
        .expect("zones")
        .iter()
        .map(|hours| hours["zone"].as_str().expect("a name"))
        .collect();
    assert_eq!(zones, ["America/Chicago", "America/New_York"]);
    let rejected: Value = serde_json::from_str(&practice.run(&["explain", "504", "--json"]).stdout).expect("JSON");
    assert_eq!(rejected["rejected"][0]["line"], "5");
}

#[test]
fn explain_says_why_a_run_ended_before_a_due_call() {
    let one = campaign("recall", 1).replace("[vendor]", "[safety]\nmax_calls = 1\n[vendor]");
    let practice = Practice::with(&one, LIST);
    practice.run(&["run", "campaigns/recall.toml", "--quiet"]);
    let why = "run 1 ended while it was due: as many calls were placed as max_calls allows (1)\n";
    let text = ["501", "503", "505"].map(|patient| explain(&practice, patient).contains(why));
    // One of the two callable patients was called; the third is not to be called.
    assert!(text[0] != text[1] && !text[2], "{text:?}");
    // Once all are settled, the line is gone.
    practice.write("campaigns/recall.toml", &campaign("recall", 1));
    assert_eq!(practice.run(&["run", "campaigns/recall.toml", "--quiet"]).code, 0);
    assert!(["501", "503", "505"].iter().all(|patient| !explain(&practice, patient).contains("while it was due")));
}
