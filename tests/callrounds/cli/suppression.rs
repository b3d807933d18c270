//! The suppression list, from the command line: sources, expiry, and long imports.

use std::fmt::Write;

use crate::support::harness::{Practice, recall};
use crate::support::oracle;

/// What its campaign adds to [`recall`].
const CAMPAIGN_REST: &str = r#"[calling]
consent = "on_file"
[redial]
max_attempts = 1
[vendor]
kind = "simulator"
speed = 600
"#;

const LIST: &str = "patient_id,first_name,phone\n1,Ana,773-555-0110\n2,Bo,773-555-0111\n";

/// Runs `suppress` with `arguments` on the campaign's ledger; returns its standard output.
fn suppress(practice: &Practice, arguments: &[&str]) -> String {
    let ledger = ["--ledger", "campaigns/callrounds.db"];
    let ended = practice.run(&[&["suppress"], arguments, &ledger].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stdout
}

#[test]
fn a_suppression_says_until_when_and_who_says_so_and_ends_then() {
    let practice = Practice::with(&recall(CAMPAIGN_REST), LIST);
    suppress(&practice, &["add", "773-555-0110", "--expires", "2099-12-31", "--source", "by letter"]);
    suppress(&practice, &["add", "773-555-0111", "--scope", "reminder"]);
    let listed = suppress(&practice, &["list"]);
    // No campaign is on the ledger yet, so the day ends with the last zone's; instants are in UTC.
    assert!(listed.contains("until 2100-01-01 10:00, by letter"), "{listed}");
    assert!(listed.contains("reminder") && listed.contains(", operator"), "{listed}");

    let called = |at: &str| {
        assert_eq!(practice.run(&["run", "campaigns/recall.toml", "--at", at, "--quiet"]).code, 0);
        oracle::embedded_calls(&practice).into_iter().filter_map(|call| call.patient_id).collect::<Vec<_>>()
    };
    assert_eq!(called("2099-12-29T16:00:00Z"), ["2"]);
}

#[test]
fn a_number_that_stays_barred_with_another_scope_is_said() {
    let practice = Practice::with(&recall(CAMPAIGN_REST), LIST);
    suppress(&practice, &["add", "773-555-0111", "--scope", "reminder"]);
    let remove = ["suppress", "remove", "773-555-0111", "--ledger", "campaigns/callrounds.db"];
    let said = practice.run(&remove).stderr;
    assert!(said.contains("was not on the suppression list with `--scope all`"), "{said}");
    assert!(said.contains("it is still on it with `--scope reminder`"), "{said}");
    let said = practice.run(&[&remove[..], &["--scope", "reminder"]].concat()).stderr;
    assert_eq!(said, "the number was removed from the suppression list\n");
}

#[test]
fn a_ban_that_ends_never_shortens_one_for_good() {
    let practice = Practice::with(&recall(CAMPAIGN_REST), LIST);
    suppress(&practice, &["add", "773-555-0110"]);
    practice.write("dnc.csv", "number\n773-555-0110\n773-555-0111\n");
    suppress(&practice, &["import", "dnc.csv", "--expires", "2099-12-31"]);
    suppress(&practice, &["import", "dnc.csv", "--expires", "2099-06-30"]);
    let listed = suppress(&practice, &["list"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert!(!lines[0].contains("until") && lines[0].ends_with(", operator"), "{listed}");
    assert!(lines[1].contains("until 2100-01-01 10:00"), "{listed}");
}

#[test]
fn a_long_list_is_imported_whole_and_an_expiry_in_the_past_is_refused() {
    let practice = Practice::with(&recall(CAMPAIGN_REST), LIST);
    let mut list = String::from("number\n");
    for n in 0..50_000_u64 {
        // Unsorted, as such lists are.
        writeln!(list, "{}", 3_122_200_000 + n * 7_919 % 50_000).expect("written");
    }
    practice.write("dnc.csv", &list);
    suppress(&practice, &["import", "dnc.csv"]);
    assert_eq!(practice.count("SELECT count(*) FROM suppression"), 50_000);

    let late = practice.run(&["suppress", "add", "773-555-0110", "--expires", "2001-01-01"]);
    assert_eq!(late.code, 2, "{late:?}");
    assert!(late.stderr.contains("--expires is in the past"), "{}", late.stderr);
}

#[test]
fn a_list_of_any_format_and_encoding_is_imported_and_a_note_on_a_number_frees_nobody() {
    let practice = Practice::with(&recall(CAMPAIGN_REST), LIST);
    for (name, bytes) in [
        ("bare.csv", b"312-555-0110\n312-555-0111 (wrong number)\n".to_vec()),
        ("named.csv", "Name;Phone\r\nAna;312-555-0112\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("list.json", br#"{"patients":[{"name":"Ana","phone":"312-555-0113"}]}"#.to_vec()),
        ("latin.csv", b"Name,Phone\nJos\xe9,312-555-0114\n".to_vec()),
    ] {
        std::fs::write(practice.path(name), bytes).expect("written");
        suppress(&practice, &["import", name]);
    }
    let listed = suppress(&practice, &["list"]);
    for number in 110..=114 {
        assert!(listed.contains(&format!("+13125550{number}")), "{number}: {listed}");
    }
}

#[test]
fn a_day_ends_in_the_practices_zone_and_a_number_that_is_added_again_keeps_its_source() {
    let practice = Practice::with(&recall(CAMPAIGN_REST), LIST);
    assert_eq!(practice.run(&["run", "campaigns/recall.toml", "--at", "2026-11-24T16:00:00Z", "--quiet"]).code, 0);
    suppress(&practice, &["add", "312-555-0142", "--expires", "2099-12-31", "--source", "by letter"]);
    suppress(&practice, &["add", "312-555-0142", "--expires", "2099-12-30"]);
    let listed = suppress(&practice, &["list"]);
    assert!(listed.contains("until 2100-01-01 00:00, by letter\n"), "{listed}");
    let json: serde_json::Value = serde_json::from_str(&suppress(&practice, &["list", "--json"])).expect("JSON");
    assert_eq!(json[0]["expires"], "2100-01-01T06:00:00Z");
    suppress(&practice, &["add", "312-555-0142", "--source", "front desk"]);
    assert!(suppress(&practice, &["list"]).contains(", by letter; front desk\n"));
}

#[test]
fn explain_and_reports_show_that_a_number_is_suppressed_also_of_nobody_on_the_ledger() {
    let practice = Practice::with(&recall(CAMPAIGN_REST), LIST);
    let early = practice.run(&["explain", "312-555-0142", "--ledger", "campaigns/callrounds.db"]);
    assert_eq!(early.code, 2, "there is no ledger: {early:?}");
    suppress(&practice, &["add", "312-555-0142", "--source", "by letter"]);
    let explained = practice.run(&["explain", "(312) 555-0142"]);
    let line = "+13125550142: the number is on the suppression list for all calls since ";
    assert!(explained.code == 0 && explained.stdout.starts_with(line), "{explained:?}");
    assert!(explained.stdout.ends_with(": by letter\n"), "{explained:?}");

    assert_eq!(practice.run(&["run", "campaigns/recall.toml", "--at", "2026-11-24T16:00:00Z", "--quiet"]).code, 0);
    let opted_out = practice.count("SELECT count(*) FROM suppression");
    suppress(&practice, &["add", "773-555-0110", "--source", "front desk"]);
    let report = practice.run(&["report", "--format", "csv"]).stdout;
    let of_ana = report.lines().find(|line| line.starts_with("1,Ana,")).expect("a row");
    assert!(of_ana.ends_with(",yes") && of_ana.contains(",'+17735550110,yes,"), "{opted_out}: {report}");
    let text = practice.run(&["report"]).stdout;
    assert!(text.contains("the number is on the suppression list"), "{text}");
    let patients = &practice.report()["patients"];
    assert_eq!(patients[0]["number_suppressed"], true, "{patients}");
    let explained = practice.run(&["explain", "1"]).stdout;
    assert!(explained.contains("the number is on the suppression list for all calls since "), "{explained}");
}
