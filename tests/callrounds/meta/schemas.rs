//! The schemas under `schemas/` are what `callrounds schema` prints, and real output is valid by them.
//!
//! `UPDATE_SCHEMAS=1 cargo test --test callrounds schemas` rewrites the files.

use std::fs;

use jsonschema::Validator;
use serde_json::Value;

use crate::support::harness::{Practice, program, repository};

const NAMES: [&str; 6] = ["campaign", "list-row", "report", "events", "plan", "worklist"];

fn printed(name: &str) -> String {
    let output = program().args(["schema", name]).output().expect("the program");
    assert!(output.status.success(), "{name}");
    String::from_utf8(output.stdout).expect("text")
}

fn validator(name: &str) -> Validator {
    let schema: Value = serde_json::from_str(&printed(name)).expect("JSON");
    jsonschema::validator_for(&schema).unwrap_or_else(|problem| panic!("{name}: {problem}"))
}

#[test]
fn the_files_are_what_the_program_prints() {
    let folder = repository().join("schemas");
    for name in NAMES {
        let file = folder.join(format!("{name}.schema.json"));
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            fs::create_dir_all(&folder).expect("a directory");
            fs::write(&file, printed(name)).expect("written");
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            kept,
            printed(name),
            "schemas/{name}.schema.json is out of date: UPDATE_SCHEMAS=1 cargo test schemas"
        );
    }
    let files = fs::read_dir(&folder).expect("schemas/").count();
    assert_eq!(files, NAMES.len(), "schemas/ has a file of no known name");
}

#[test]
fn what_a_run_writes_obeys_the_schemas() {
    let practice = Practice::new();
    let ended = practice.run(&["run", "campaigns/demo-recall.toml", "--json", "--speed", "600"]);
    let events = validator("events");
    for line in ended.events() {
        assert!(
            events.is_valid(&line),
            "{line}: {:?}",
            events.validate(&line).err().map(|problem| problem.to_string())
        );
    }
    let report = validator("report");
    let document = practice.report();
    assert!(report.is_valid(&document), "{:?}", report.validate(&document).err().map(|problem| problem.to_string()));

    let worklist = validator("worklist");
    let listed = practice.run(&["worklist", "--all", "--json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    assert!(worklist.is_valid(&listed), "{:?}", worklist.validate(&listed).err().map(|problem| problem.to_string()));

    let planned = Practice::new();
    assert_eq!(planned.run(&["check", "campaigns/demo-recall.toml", "--plan", "plan.json"]).code, 0);
    let document = serde_json::from_str(&planned.read("plan.json")).expect("JSON");
    let plan = validator("plan");
    assert!(plan.is_valid(&document), "{:?}", plan.validate(&document).err().map(|problem| problem.to_string()));

    // The schemas reject wrong documents.
    for wrong in [r#"{"type":"accepted","at":"2026-11-24T15:00:00Z","entry":"one"}"#, r#"{"type":"nothing"}"#] {
        let wrong = serde_json::from_str(wrong).expect("JSON");
        assert!(!events.is_valid(&wrong) && !report.is_valid(&wrong) && !plan.is_valid(&wrong), "{wrong}");
    }
}

#[test]
fn the_example_campaigns_and_rows_obey_the_schemas() {
    let campaign = validator("campaign");
    for file in
        fs::read_dir(repository().join("campaigns")).expect("campaigns/").map(|file| file.expect("a file").path())
    {
        if file.extension().is_some_and(|kind| kind == "toml") {
            let text = fs::read_to_string(&file).expect("text");
            let value: Value = toml::from_str(&text).expect("TOML");
            let problem = campaign.validate(&value).err().map(|problem| problem.to_string());
            assert_eq!(problem, None, "{}", file.display());
        }
    }
    assert!(!campaign.is_valid(&serde_json::json!({ "name": "recall", "purpos": "recall" })));

    let row = validator("list-row");
    let list = fs::read_to_string(repository().join("campaigns/lists/demo-reminder.json")).expect("a list");
    let list: Value = serde_json::from_str(&list).expect("JSON");
    for patient in list["appointments"].as_array().expect("rows") {
        let problem = row.validate(patient).err().map(|problem| problem.to_string());
        assert_eq!(problem, None, "{patient}");
    }
}
