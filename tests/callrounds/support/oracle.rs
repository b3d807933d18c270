//! The oracle: the simulator's call log, and checks of what must hold for it whatever happened.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::harness::{Practice, ProgramOutput};

/// A placed call.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    pub at: DateTime<Utc>,
    pub conversation_id: String,
    pub to_number: String,
    pub patient_id: Option<String>,
    pub appointment_id: Option<String>,
    /// The fault of the answer, if it had one.
    pub answered: Option<String>,
}

/// The calls in a log; empty if there is no log.
pub fn calls(log: &Path) -> Vec<Call> {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a placed call")).collect()
}

/// The logs of the embedded simulator, one for each campaign, joined; empty if there is none.
pub fn embedded_log(practice: &Practice) -> String {
    let files = fs::read_dir(practice.path("campaigns")).expect("a folder");
    let mut logs: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    logs.retain(|path| path.to_string_lossy().ends_with(".simulator.jsonl"));
    logs.sort();
    logs.iter().map(|path| fs::read_to_string(path).expect("a log")).collect()
}

/// The calls that the embedded simulator placed.
pub fn embedded_calls(practice: &Practice) -> Vec<Call> {
    embedded_log(practice).lines().map(|line| serde_json::from_str(line).expect("a placed call")).collect()
}

/// The number of calls to each number.
pub fn by_number(calls: &[Call]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for call in calls {
        *counts.entry(call.to_number.clone()).or_default() += 1;
    }
    counts
}

/// Checks the vendor's caps (`annie-api.md`, POST /calls), counted from the log alone.
pub fn nobody_is_over_the_caps(calls: &[Call]) {
    let mut times: HashMap<&str, Vec<DateTime<Utc>>> = HashMap::new();
    for call in calls {
        times.entry(&call.to_number).or_default().push(call.at);
    }
    for (number, times) in times {
        for &at in &times {
            let within =
                |days| times.iter().filter(|other| (at - TimeDelta::days(days) < **other) && **other <= at).count();
            for (days, most) in [(1, 1), (7, 3), (30, 6)] {
                assert!(within(days) <= most, "{number}: {} calls within {days} days to {at}", within(days));
            }
        }
    }
}

/// Checks that the ledger and the log have the same calls for every number, and the same conversations.
pub fn the_ledger_agrees(practice: &Practice, calls: &[Call]) {
    assert_eq!(practice.ledger().query_row("PRAGMA integrity_check", [], |row| row.get(0)), Ok("ok".to_owned()));
    assert_eq!(practice.count("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_eq!(practice.count("SELECT count(*) FROM attempt WHERE state IN ('submitting', 'unknown')"), 0);

    let ledger = practice.ledger();
    let mut query = ledger.prepare("SELECT conversation FROM attempt WHERE conversation IS NOT NULL").expect("a query");
    let known: BTreeSet<String> =
        query.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("conversations");
    let placed: BTreeSet<String> = calls.iter().map(|call| call.conversation_id.clone()).collect();
    assert_eq!(placed.len(), calls.len(), "a conversation is in the log twice");
    assert_eq!(known, placed, "the ledger's conversations and the simulator's");

    let mut query = ledger.prepare("SELECT to_number, count(*) FROM attempt WHERE state NOT IN ('not_placed', 'refused', 'absent') GROUP BY to_number").expect("a query");
    let attempted: BTreeMap<String, u64> = query
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))
        .expect("rows")
        .collect::<Result<_, _>>()
        .expect("counts");
    assert_eq!(attempted, by_number(calls), "attempts in the ledger and calls in the log, by number");
}

/// Checks that the report counts the log's calls for each patient (not those covered by a household's call), apart from
/// attempts that rule R proved absent.
pub fn the_report_agrees(practice: &Practice, calls: &[Call]) {
    let report = practice.report();
    let mut reported: BTreeMap<(String, Option<String>), u64> = BTreeMap::new();
    for patient in report["patients"].as_array().expect("patients") {
        let absent = format!("SELECT count(*) FROM attempt WHERE state = 'absent' AND entry_id = {}", patient["entry"]);
        let count = patient["calls"].as_u64().expect("a count") - practice.count(&absent).unsigned_abs();
        let covered = patient["covered_by_household"].as_bool().expect("a flag");
        if count > 0 && !covered {
            let number = patient["phone"].as_str().expect("a number").to_owned();
            *reported.entry((number, patient["patient_id"].as_str().map(ToOwned::to_owned))).or_default() += count;
        }
    }
    let mut placed: BTreeMap<(String, Option<String>), u64> = BTreeMap::new();
    for call in calls {
        *placed.entry((call.to_number.clone(), call.patient_id.clone())).or_default() += 1;
    }
    assert_eq!(reported, placed, "calls in the report and in the log, by number and patient");
}

/// Checks what must hold at the end of every run. Held entries are those whose call was searched for and not found.
pub fn everything_is_settled(practice: &Practice, calls: &[Call], ended: &ProgramOutput) {
    assert!([0, 5].contains(&ended.code), "{ended:?}");
    the_numbers_add_up(&ended.summary());
    nobody_is_over_the_caps(calls);
    the_ledger_agrees(practice, calls);
    the_report_agrees(practice, calls);
    let held = practice.count("SELECT count(*) FROM entry WHERE state = 'held'");
    assert_eq!(ended.code == 5, held > 0, "{held} held: {ended:?}");
    let unplaced = "SELECT count(*) FROM entry WHERE state = 'held' AND reason = 'answer_lost'
        AND (SELECT state FROM attempt WHERE entry_id = entry.id ORDER BY id DESC LIMIT 1) = 'absent'";
    assert_eq!(practice.count(unplaced), held);
}

/// Checks that rows = accepted + rejected + duplicate + merged, and accepted = the sum over states.
pub fn the_numbers_add_up(summary: &serde_json::Value) {
    let list = |name: &str| summary["list"][name].as_u64().expect("a number");
    assert_eq!(list("read"), list("accepted") + list("rejected") + list("duplicate") + list("merged"), "{summary}");
    let entries = summary["entries"].as_object().expect("states");
    let sum: u64 = entries.values().map(|count| count.as_u64().expect("a number")).sum();
    assert_eq!(list("accepted"), sum, "{summary}");
}
