//! A group with several locations: each calls from its own caller id, on its organisation's budget and credentials.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::fixtures::REQUIRED;
use crate::support::harness::{Practice, ProgramOutput};
use crate::support::vendor::{MORNING, Vendor};

/// What its campaign adds below the practice.
const CAMPAIGN_REST: &str = r#"organisation = "bright-smile"
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

fn campaign() -> String {
    let group = REQUIRED.replace("Dental", "Group").replace("+13125550142", "+13125550140");
    format!("lines = \"lines.toml\"\n{group}{CAMPAIGN_REST}")
}

/// Two locations of one organisation, each with its caller id; and one of another organisation, an hour ahead.
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
    let practice = Practice::with(&format!("{}start = \"{MORNING}\"\n", campaign()), LIST);
    practice.write("campaigns/lines.toml", LINES);
    practice
}

/// The patients called from each caller id, by the logs of the organisations' simulators.
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

fn expected_calls() -> BTreeMap<String, Vec<String>> {
    let calls = |from: &str, patients: &[&str]| (from.to_owned(), patients.iter().map(ToString::to_string).collect());
    [calls("+13125550141", &["1", "2"]), calls("+13125550142", &["3"]), calls("+12125550143", &["4", "5"])].into()
}

fn embedded_calls(practice: &Practice) -> BTreeMap<String, Vec<String>> {
    let log = |organisation| practice.read(&format!("campaigns/callrounds.db.recall.{organisation}.simulator.jsonl"));
    called_by(&[log("BRIGHT_SMILE"), log("BRIGHT_SMILE_EAST")])
}

/// How many entries of a location are in a state.
fn count_at(summary: &Value, location: &str, state: &str) -> u64 {
    summary["locations"][location][state].as_u64().unwrap_or(0)
}

#[test]
fn every_location_calls_from_its_own_number_and_is_named_in_status_and_report() {
    let practice = practice();
    let ended = practice.run(&["check", "campaigns/recall.toml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("Ana is due at Bright Smile Downtown."), "{}", ended.stdout);
    assert!(ended.stdout.contains("Cy is due at Bright Smile Group."), "{}", ended.stdout);
    let ended = practice.run(&RUN);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(embedded_calls(&practice), expected_calls());
    let rejects = practice.read("campaigns/recall.rejects.csv");
    assert!(rejects.contains("6,Flo,773-555-0116,Uptown"), "{rejects}");
    assert!(rejects.contains("location: the campaign has no line of it"), "{rejects}");
    assert!(rejects.contains("location: missing"), "{rejects}");

    let summary = ended.summary();
    assert_eq!(
        [count_at(&summary, "Downtown", "finished"), count_at(&summary, "East", "finished")],
        [2, 2],
        "{summary}"
    );
    let status = practice.run(&["status", "--ledger", "campaigns/callrounds.db"]);
    assert!(status.stdout.contains("locations     Downtown: 2 finished\n"), "{}", status.stdout);
    let locations = |patient: &Value| patient["location"].as_str().map(str::to_owned);
    let locations: Vec<_> = practice.report()["patients"].as_array().expect("patients").iter().map(locations).collect();
    let expected = ["Downtown", "Downtown", "Lakeside", "East", "East"].map(|location| Some(location.to_owned()));
    assert_eq!(locations, expected);

    let ended = practice.run(&["explain", "4", "--ledger", "campaigns/callrounds.db"]);
    assert!(ended.stdout.contains("1 call, at East\n"), "{}", ended.stdout);
    // 09:30 in Chicago is 10:30 at the location that calls; on a busy machine the simulated time is a few minutes later.
    assert!(ended.stdout.contains("  Tue 2026-11-24 10:3"), "{}", ended.stdout);

    let again = practice.run(&RUN);
    assert_eq!((again.code, embedded_calls(&practice)), (0, expected_calls()), "{again:?}");
}

/// A vendor with two organisations, each with its API key.
fn vendor(practice: &Practice) -> Vendor {
    let own = ["--api-key", "of-the-group", "--from-number", "+13125550141", "--from-number", "+13125550142"];
    Vendor::start(practice, "600", &[&own[..], &["--organisation", "of-the-east=+12125550143"]].concat())
}

fn run_with_keys(practice: &Practice, vendor: &Vendor, keys: &[(&str, &str)]) -> ProgramOutput {
    let clock = ["--at", MORNING, "--speed", "600", "--until-done"];
    let mut command = practice.command(&[&RUN[..], &clock].concat());
    command.env("ANNIE_BASE_URL", &vendor.base_url).envs(keys.iter().copied());
    ProgramOutput::new(&command.output().expect("the program"))
}

fn logged(practice: &Practice) -> BTreeMap<String, Vec<String>> {
    called_by(&[practice.read("vendor.jsonl"), practice.read("vendor.2.jsonl")])
}

#[test]
fn rejected_credentials_of_one_organisation_stop_no_other() {
    let practice = practice();
    let vendor = vendor(&practice);
    let keys = [("ANNIE_API_KEY", "of-the-group"), ("ANNIE_API_KEY_BRIGHT_SMILE_EAST", "out-of-date")];
    let ended = run_with_keys(&practice, &vendor, &keys);
    assert_eq!(ended.code, 6, "{ended:?}");
    assert!(ended.stderr.contains("bright-smile-east: the vendor does not accept our credentials"), "{ended:?}");
    let mut others = expected_calls();
    others.remove("+12125550143");
    assert_eq!(logged(&practice), others);
    assert_eq!(count_at(&ended.summary(), "East", "ready"), 2, "{ended:?}");

    let corrected = [("ANNIE_API_KEY", "of-the-group"), ("ANNIE_API_KEY_BRIGHT_SMILE_EAST", "of-the-east")];
    let ended = run_with_keys(&practice, &vendor, &corrected);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(logged(&practice), expected_calls());
}

#[test]
fn each_organisation_fetches_tokens_of_its_own() {
    let practice = practice();
    let vendor = vendor(&practice);
    let client = ["ANNIE_CLIENT_ID_BRIGHT_SMILE_EAST", "ANNIE_CLIENT_SECRET_BRIGHT_SMILE_EAST"];
    let credentials = |secret| [("ANNIE_API_KEY", "of-the-group"), (client[0], "of-the-east"), (client[1], secret)];
    let ended = run_with_keys(&practice, &vendor, &credentials("a-guess"));
    assert_eq!(ended.code, 6, "{ended:?}");
    let ended = run_with_keys(&practice, &vendor, &credentials("of-the-east"));
    assert_eq!((ended.code, logged(&practice)), (0, expected_calls()), "{ended:?}");
}

/// The vendor does not know Lakeside's caller id; Downtown belongs to the same organisation.
#[test]
fn a_blocked_caller_id_stops_no_other_location() {
    let practice = practice();
    practice.write("campaigns/lines.toml", &LINES.replace("+13125550142", "+13125550149"));
    let vendor = vendor(&practice);
    let keys = [("ANNIE_API_KEY", "of-the-group"), ("ANNIE_API_KEY_BRIGHT_SMILE_EAST", "of-the-east")];
    let ended = run_with_keys(&practice, &vendor, &keys);
    assert_eq!(ended.code, 6, "{ended:?}");
    let why = "bright-smile: the vendor does not let the from_number of Lakeside call; their patients were not called: attach";
    assert!(ended.stderr.contains(why), "{ended:?}");
    let mut others = expected_calls();
    others.remove("+13125550142");
    assert_eq!((logged(&practice), count_at(&ended.summary(), "Lakeside", "ready")), (others, 1));
    let text = practice.run(&["explain", "3", "--ledger", "campaigns/callrounds.db"]).stdout;
    assert!(text.contains("run 1 ended while it was due: bright-smile: the vendor does not let"), "{text}");
    let text = practice.run(&["status", "--ledger", "campaigns/callrounds.db"]).stdout;
    assert!(text.contains("why           bright-smile: the vendor does not let the"), "{text}");

    practice.write("campaigns/lines.toml", LINES);
    let ended = run_with_keys(&practice, &vendor, &keys);
    assert_eq!((ended.code, logged(&practice)), (0, expected_calls()), "{ended:?}");
}

#[test]
fn patients_of_a_location_removed_from_the_campaign_are_held_and_called_once_it_is_back() {
    let practice = practice();
    let keeping =
        campaign().replace("[list]\n", "[list]\non_absent = \"keep\"\n") + &format!("start = \"{MORNING}\"\n");
    practice.write("campaigns/recall.toml", &keeping.replace("[safety]\n", "[safety]\nmax_calls = 1\n"));
    assert_eq!(practice.run(&RUN).code, 4);
    let without_east = LINES.split("[[line]]\nlocation = \"East\"").next().expect("the other locations");
    practice.write("campaigns/recall.toml", &keeping);
    practice.write("campaigns/lines.toml", without_east);
    practice.write("campaigns/others.csv", "patient_id,first_name,phone,Office\n3,Cy,773-555-0112,Lakeside\n");
    let ended = practice.run(&["run", "campaigns/recall.toml", "--list", "campaigns/others.csv", "--json"]);
    let summary = ended.summary();
    let [held, called] = ["held", "finished"].map(|state| count_at(&summary, "East", state));
    assert_eq!((ended.code, held + called), (5, 2), "{ended:?}");
    assert!(held > 0, "the one earlier call was at most one of theirs: {ended:?}");
    practice.write("campaigns/lines.toml", LINES);
    let ended = practice.run(&RUN);
    assert_eq!((ended.code, count_at(&ended.summary(), "East", "finished")), (0, 2), "{ended:?}");
    assert_eq!(embedded_calls(&practice), expected_calls());
}

#[test]
fn a_problem_in_the_locations_file_is_reported_before_anything_is_sent() {
    let practice = practice();
    for (lines, expected) in [
        ("", "`line` is missing"),
        (
            "[[line]]\nlocation = \"East\"\n[[line]]\nlocation = \"east \"\n",
            "there is another [[line]] for the location `east`",
        ),
        ("[[line]]\nlocation = \"East\"\ntimezone = \"Mars\"\n", "`timezone` must be an IANA time zone"),
        (
            "[[line]]\nlocation = \"A\"\nopen_calls = 3\n[[line]]\nlocation = \"B\"\nopen_calls = 4\n",
            "`open_calls` differs from an earlier [[line]] of the same organisation",
        ),
        (
            "[[line]]\nlocation = \"A\"\norganisation = \"a b\"\n[[line]]\nlocation = \"B\"\norganisation = \"A-B\"\n",
            "the organisations `a b` and `A-B` would read the same environment variables",
        ),
    ] {
        practice.write("campaigns/lines.toml", lines);
        let ended = practice.run(&["check", "campaigns/recall.toml"]);
        assert_eq!(ended.code, 2, "{lines}: {ended:?}");
        assert!(ended.stderr.contains(expected) && ended.stderr.contains("lines.toml"), "{lines}: {}", ended.stderr);
    }
    practice.write("campaigns/lines.toml", LINES);
    practice.write("campaigns/recall.csv", "patient_id,first_name,phone\n1,Ana,773-555-0110\n");
    let ended = practice.run(&RUN);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("no column of the list is known to be the location"), "{}", ended.stderr);
}
