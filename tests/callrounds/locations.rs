//! A group with many locations: each is called by its own line, on its own organisation's budget and credentials.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::practice::{Ended, Practice};
use crate::vendor::{MORNING, Vendor};

const CAMPAIGN: &str = r#"name = "recall"
purpose = "recall"
lines = "lines.toml"
[practice]
name = "Bright Smile Group"
timezone = "America/Chicago"
from_number = "+13125550140"
organisation = "bright-smile"
[list]
file = "recall.csv"
max_list_age = "3650d"
max_reject_rate = 0.5
[message]
context = "{{ first_name }} is due at {{ practice.name }}."
[calling]
consent = "on_file"
[redial]
max_attempts = 1
[safety]
settle = "120s"
[vendor]
kind = "simulator"
rehearsal = true
speed = 6000
"#;

/// Two locations on one organisation's budget, with a number each; and another organisation, where it is an hour later.
const LINES: &str = r#"[[line]]
location = "Downtown"
name = "Bright Smile Downtown"
from_number = "+13125550141"

[[line]]
location = "Lakeside"
from_number = "+13125550142"

[[line]]
location = "East"
name = "Bright Smile East"
timezone = "America/New_York"
from_number = "+12125550143"
organisation = "bright-smile-east"
"#;

const LIST: &str = "patient_id,first_name,phone,Office\n\
    1,Ana,773-555-0110,Downtown\n2,Bo,773-555-0111,downtown \n3,Cy,773-555-0112,Lakeside\n\
    4,Di,212-555-0113,East\n5,Ed,212-555-0114,EAST\n6,Flo,773-555-0116,Uptown\n7,Gil,773-555-0117,\n";

const RUN: [&str; 3] = ["run", "campaigns/recall.toml", "--json"];

fn practice() -> Practice {
    let practice = Practice::with(&format!("{CAMPAIGN}start = \"{MORNING}\"\n"), LIST);
    practice.write("campaigns/lines.toml", LINES);
    practice
}

/// Who was called by which number, by the logs of the organisations' simulators.
fn called_by(logs: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut called: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for call in logs.iter().flat_map(|log| log.lines()) {
        let call: Value = serde_json::from_str(call).expect("a call");
        let word = |name: &str| call[name].as_str().expect(name).to_owned();
        called.entry(word("fromNumber")).or_default().push(word("patientId"));
    }
    for patients in called.values_mut() {
        patients.sort_unstable();
    }
    called
}

fn each_by_its_line() -> BTreeMap<String, Vec<String>> {
    let line = |from: &str, patients: &[&str]| (from.to_owned(), patients.iter().map(ToString::to_string).collect());
    [line("+13125550141", &["1", "2"]), line("+13125550142", &["3"]), line("+12125550143", &["4", "5"])].into()
}

fn embedded(practice: &Practice) -> BTreeMap<String, Vec<String>> {
    let log = |organisation| practice.read(&format!("campaigns/callrounds.db.recall.{organisation}.simulator.jsonl"));
    called_by(&[log("BRIGHT_SMILE"), log("BRIGHT_SMILE_EAST")])
}

/// How many stand where at a location.
fn at(summary: &Value, location: &str, state: &str) -> u64 {
    summary["locations"][location][state].as_u64().unwrap_or(0)
}

#[test]
fn every_location_is_called_by_its_own_line_and_named_in_status_and_report() {
    let practice = practice();
    let told = practice.run(&["check", "campaigns/recall.toml"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.stdout.contains("Ana is due at Bright Smile Downtown."), "{}", told.stdout);
    assert!(told.stdout.contains("Cy is due at Bright Smile Group."), "{}", told.stdout);
    let ended = practice.run(&RUN);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(embedded(&practice), each_by_its_line());
    let rejects = practice.read("campaigns/recall.rejects.csv");
    assert!(rejects.contains("6,Flo,773-555-0116,Uptown"), "{rejects}");
    assert!(rejects.contains("location: the campaign has no line of it"), "{rejects}");
    assert!(rejects.contains("location: missing"), "{rejects}");

    let summary = ended.summary();
    assert_eq!([at(&summary, "Downtown", "finished"), at(&summary, "East", "finished")], [2, 2], "{summary}");
    let status = practice.run(&["status", "--ledger", "campaigns/callrounds.db"]);
    assert!(status.stdout.contains("locations     Downtown: 2 finished\n"), "{}", status.stdout);
    let places = |patient: &Value| patient["location"].as_str().map(str::to_owned);
    let places: Vec<_> = practice.report()["patients"].as_array().expect("patients").iter().map(places).collect();
    let expected = ["Downtown", "Downtown", "Lakeside", "East", "East"].map(|place| Some(place.to_owned()));
    assert_eq!(places, expected);

    let told = practice.run(&["explain", "4", "--ledger", "campaigns/callrounds.db"]);
    assert!(told.stdout.contains("1 call, at East\n"), "{}", told.stdout);
    // Half past nine in Chicago is half past ten where the patient is called from.
    assert!(told.stdout.contains("10:30"), "{}", told.stdout);

    let again = practice.run(&RUN);
    assert_eq!((again.code, embedded(&practice)), (0, each_by_its_line()), "{again:?}");
}

/// A vendor with two organisations, and what opens which.
fn vendor(practice: &Practice) -> Vendor {
    let own = ["--api-key", "of-the-group", "--from-number", "+13125550141", "--from-number", "+13125550142"];
    Vendor::start(practice, "600", &[&own[..], &["--organisation", "of-the-east=+12125550143"]].concat())
}

fn run_with_keys(practice: &Practice, vendor: &Vendor, keys: &[(&str, &str)]) -> Ended {
    let clock = ["--at", MORNING, "--speed", "600", "--until-done"];
    let mut command = practice.command(&[&RUN[..], &clock].concat());
    command.env("ANNIE_BASE_URL", &vendor.base_url).envs(keys.iter().copied());
    Ended::of(&command.output().expect("the program"))
}

fn logged(practice: &Practice) -> BTreeMap<String, Vec<String>> {
    called_by(&[practice.read("vendor.jsonl"), practice.read("vendor.2.jsonl")])
}

#[test]
fn an_organisation_that_the_vendor_turns_away_keeps_nobody_else_from_being_called() {
    let practice = practice();
    let vendor = vendor(&practice);
    let keys = [("ANNIE_API_KEY", "of-the-group"), ("ANNIE_API_KEY_BRIGHT_SMILE_EAST", "out-of-date")];
    let ended = run_with_keys(&practice, &vendor, &keys);
    assert_eq!(ended.code, 6, "{ended:?}");
    assert!(ended.stderr.contains("bright-smile-east: the vendor does not accept our credentials"), "{ended:?}");
    let mut others = each_by_its_line();
    others.remove("+12125550143");
    assert_eq!(logged(&practice), others);
    assert_eq!(at(&ended.summary(), "East", "ready"), 2, "{ended:?}");

    let mended = [("ANNIE_API_KEY", "of-the-group"), ("ANNIE_API_KEY_BRIGHT_SMILE_EAST", "of-the-east")];
    let ended = run_with_keys(&practice, &vendor, &mended);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(logged(&practice), each_by_its_line());
}

/// The other organisation's calls are placed on its own account, and nobody else's.
#[test]
fn each_organisation_fetches_tokens_of_its_own() {
    let practice = practice();
    let vendor = vendor(&practice);
    let client = ["ANNIE_CLIENT_ID_BRIGHT_SMILE_EAST", "ANNIE_CLIENT_SECRET_BRIGHT_SMILE_EAST"];
    let credentials = |secret| [("ANNIE_API_KEY", "of-the-group"), (client[0], "of-the-east"), (client[1], secret)];
    let ended = run_with_keys(&practice, &vendor, &credentials("a-guess"));
    assert_eq!(ended.code, 6, "{ended:?}");
    let ended = run_with_keys(&practice, &vendor, &credentials("of-the-east"));
    assert_eq!((ended.code, logged(&practice)), (0, each_by_its_line()), "{ended:?}");
}

/// Lakeside's number is another than the vendor knows; Downtown is of the same organisation.
#[test]
fn a_number_that_may_not_call_keeps_no_other_location_from_being_called() {
    let practice = practice();
    practice.write("campaigns/lines.toml", &LINES.replace("+13125550142", "+13125550149"));
    let vendor = vendor(&practice);
    let keys = [("ANNIE_API_KEY", "of-the-group"), ("ANNIE_API_KEY_BRIGHT_SMILE_EAST", "of-the-east")];
    let ended = run_with_keys(&practice, &vendor, &keys);
    assert_eq!(ended.code, 6, "{ended:?}");
    let why = "bright-smile: the vendor does not let the from_number of Lakeside call; their patients were not called: attach";
    assert!(ended.stderr.contains(why), "{ended:?}");
    let mut others = each_by_its_line();
    others.remove("+13125550142");
    assert_eq!((logged(&practice), at(&ended.summary(), "Lakeside", "ready")), (others, 1));
    let told = practice.run(&["explain", "3", "--ledger", "campaigns/callrounds.db"]).stdout;
    assert!(told.contains("run 1 ended while it was due: bright-smile: the vendor does not let"), "{told}");
    let told = practice.run(&["status", "--ledger", "campaigns/callrounds.db"]).stdout;
    assert!(told.contains("why           bright-smile: the vendor does not let the"), "{told}");

    practice.write("campaigns/lines.toml", LINES);
    let ended = run_with_keys(&practice, &vendor, &keys);
    assert_eq!((ended.code, logged(&practice)), (0, each_by_its_line()), "{ended:?}");
}

#[test]
fn whoever_is_of_a_location_that_has_lost_its_line_is_held_and_called_once_it_has_one_again() {
    let practice = practice();
    let keeping = CAMPAIGN.replace("[list]\n", "[list]\non_absent = \"keep\"\n") + &format!("start = \"{MORNING}\"\n");
    practice.write("campaigns/recall.toml", &keeping.replace("[safety]\n", "[safety]\nmax_calls = 1\n"));
    assert_eq!(practice.run(&RUN).code, 4);
    let without_east = LINES.split("[[line]]\nlocation = \"East\"").next().expect("the other lines");
    practice.write("campaigns/recall.toml", &keeping);
    practice.write("campaigns/lines.toml", without_east);
    practice.write("campaigns/others.csv", "patient_id,first_name,phone,Office\n3,Cy,773-555-0112,Lakeside\n");
    let ended = practice.run(&["run", "campaigns/recall.toml", "--list", "campaigns/others.csv", "--json"]);
    let summary = ended.summary();
    let [held, called] = ["held", "finished"].map(|state| at(&summary, "East", state));
    assert_eq!((ended.code, held + called), (5, 2), "{ended:?}");
    assert!(held > 0, "the one call before was at most one of theirs: {ended:?}");
    practice.write("campaigns/lines.toml", LINES);
    let ended = practice.run(&RUN);
    assert_eq!((ended.code, at(&ended.summary(), "East", "finished")), (0, 2), "{ended:?}");
    assert_eq!(embedded(&practice), each_by_its_line());
}

#[test]
fn what_is_wrong_with_lines_is_said_in_one_line_before_anything_is_sent() {
    let practice = practice();
    for (lines, says) in [
        ("", "`line` is missing"),
        ("[[line]]\nlocation = \"East\"\n[[line]]\nlocation = \"east \"\n", "there is another line of `east`"),
        ("[[line]]\nlocation = \"East\"\ntimezone = \"Mars\"\n", "`timezone` wants an IANA time zone"),
        (
            "[[line]]\nlocation = \"A\"\nopen_calls = 3\n[[line]]\nlocation = \"B\"\nopen_calls = 4\n",
            "`open_calls` is another one than at an earlier line of the same organisation",
        ),
        (
            "[[line]]\nlocation = \"A\"\norganisation = \"a b\"\n[[line]]\nlocation = \"B\"\norganisation = \"A-B\"\n",
            "`a b` and `A-B` would have one variable for their credentials",
        ),
    ] {
        practice.write("campaigns/lines.toml", lines);
        let ended = practice.run(&["check", "campaigns/recall.toml"]);
        assert_eq!(ended.code, 2, "{lines}: {ended:?}");
        assert!(ended.stderr.contains(says) && ended.stderr.contains("lines.toml"), "{lines}: {}", ended.stderr);
    }
    practice.write("campaigns/lines.toml", LINES);
    practice.write("campaigns/recall.csv", "patient_id,first_name,phone\n1,Ana,773-555-0110\n");
    let ended = practice.run(&RUN);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("no column of the list is known to be the location"), "{}", ended.stderr);
}
