//! Lists as practices export them: `tests/lists` has one small file for each kind of mess. The snapshots keep what `check`
//! prints for each, to be read by people who have never seen the program.

use std::fs;
use std::path::PathBuf;

use crate::support::fixtures::{REQUIRED, SIMULATOR};
use crate::support::harness::{Practice, repository};
use crate::support::vendor::MORNING;

/// What its campaign adds.
const CAMPAIGN_REST: &str = r#"callback_number = "+13125550100"
[list]
max_reject_rate = 0.95
[calling]
consent = "on_file"
[message]
context = "{{ preferred_name }} {{ last_name | default('') }} is due.{% if household_names %} Also due: {{ household_names }}.{% endif %}"
"#;

fn lists() -> Vec<PathBuf> {
    let files = fs::read_dir(repository().join("tests/lists")).expect("the corpus");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    files
}

/// The exit code and the output of `check` for a list.
fn check_output(list: &PathBuf) -> String {
    let name = list.file_name().expect("a name").to_string_lossy().into_owned();
    // In a list, +13125550142 is a patient's number.
    let required = REQUIRED.replace("+13125550142", "+13125550198");
    let campaign = format!("{required}{CAMPAIGN_REST}{SIMULATOR}start = \"{MORNING}\"\n");
    let campaign = match name.as_str() {
        "mostly-bad.csv" => campaign.replace("0.95", "0.2"),
        "vip-mapped-in-the-campaign.csv" => {
            campaign.replace("0.95", "0.95\nvalues = { Status = { VIP = \"call\", hospice = \"do_not_call\" } }")
        }
        "ignore-and-values-that-no-column-has.csv" => {
            campaign.replace("0.95", "0.95\nignore = [\"Activ plan\"]\nvalues = { Statuss = { VIP = \"call\" } }")
        }
        "next-appointment-word-that-the-campaign-explains.csv" => campaign.replace(
            "0.95",
            "0.95\nvalues = { \"Next Appt\" = { \"VIP slot\" = \"call\", \"walk-in\" = \"do_not_call\" } }",
        ),
        "mapped-by-a-wrong-name-without-a-header.csv" => {
            campaign.replace("0.95", "0.95\ncolumns = { phone = \"Brand\" }")
        }
        "several-consent-columns.csv" => campaign.replace("on_file", "column"),
        "reminder-same-time-on-two-days.csv" | "reminder-notes-about-the-appointment.csv" => campaign
            .replace("\"recall\"", "\"reminder\"")
            .replace("0.95", "0.95\nkey = [\"patient_id\", \"appointment_start\"]"),
        name if name.starts_with("reminder-") => campaign.replace("\"recall\"", "\"reminder\""),
        _ => campaign,
    };
    let practice = Practice::with(&campaign, "");
    fs::copy(list, practice.path(&name)).expect("copied");
    let ended = practice.run(&["check", "campaigns/recall.toml", "--list", &name]);
    let folder = practice.folder().display().to_string();
    format!("exit code {}\n{}{}", ended.code, ended.stderr, ended.stdout).replace(&folder, "DIR")
}

#[test]
fn every_kind_of_mess_is_read_or_gets_a_clear_answer() {
    let lists = lists();
    assert!(lists.len() >= 30, "{} lists", lists.len());
    for list in lists {
        let name = list.file_name().expect("a name").to_string_lossy().replace('.', "-");
        insta::assert_snapshot!(format!("list_{name}"), check_output(&list));
    }
}
