//! Lists in every format, from the command line: read, refused, corrected and fed back, and changed between two runs.

use std::fmt::Write;
use std::time::Instant;

use crate::support::harness::{Practice, recall};
use crate::support::oracle;
use crate::support::remote_run;
use crate::support::vendor::{MORNING, Vendor};

fn campaign() -> String {
    recall(&format!(
        r#"max_reject_rate = 0.9
[calling]
consent = "on_file"
[redial]
max_attempts = 1
[vendor]
kind = "simulator"
start = "{MORNING}"
speed = 600
"#
    ))
}

const RUN: [&str; 3] = ["run", "campaigns/recall.toml", "--json"];

/// The patients who were called, in order.
fn called(practice: &Practice) -> Vec<String> {
    oracle::embedded_calls(practice).into_iter().filter_map(|call| call.patient_id).collect()
}

#[test]
fn a_list_is_read_from_standard_input_whatever_separates_it() {
    let rows = [["patient_id", "first_name", "phone"], ["1", "Ana", "773-555-0110"], ["2", "Zoë", "773-555-0111"]];
    let separated = |by: &str| rows.map(|row| row.join(by) + "\n").concat();
    let record = |row: [&str; 3]| {
        let fields = rows[0].iter().zip(row).map(|(name, cell)| format!("{name:?}: {cell:?}"));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
    };
    let lists = [
        separated(","),
        separated(";"),
        separated("\t"),
        separated("|"),
        format!("{}\n{}\n", record(rows[1]), record(rows[2])),
        format!("[{}, {}]", record(rows[1]), record(rows[2])),
        format!("{{\"total\": 2, \"patients\": [{}, {}]}}", record(rows[1]), record(rows[2])),
        format!("\u{feff}{}", separated(",").replace('\n', "\r\n")),
    ];
    std::thread::scope(|scope| {
        for list in lists {
            scope.spawn(move || {
                let practice = Practice::with(&campaign(), "");
                let ended = practice.run_with_input(&[RUN.as_slice(), &["--list", "-"]].concat(), &list);
                assert_eq!(ended.code, 0, "{list}: {ended:?}");
                let mut called = called(&practice);
                called.sort();
                assert_eq!(called, ["1", "2"], "{list}");
                let names = practice.report()["patients"].clone();
                assert_eq!(names[1]["first_name"], "Zoë", "{list}");
            });
        }
    });
}

#[test]
fn rejected_rows_say_where_and_why_and_can_be_fed_back() {
    let list = "patient_id;first_name;phone\n1;Ana;773-555-0110\n2;;773-555-0111\n3;Li;773-555\n";
    let practice = Practice::with(&campaign(), list);
    let ended = practice.run(&RUN);
    assert_eq!(ended.code, 0, "{ended:?}");
    oracle::the_numbers_add_up(&ended.summary());
    assert_eq!(ended.summary()["list"]["rejected"], 2);
    assert!(ended.stderr.contains("2 rows of the list were rejected; the reasons are in "), "{}", ended.stderr);

    let rejects = practice.read("campaigns/recall.rejects.csv");
    insta::assert_snapshot!(rejects, @"
    line,reason,patient_id,first_name,phone
    3,first_name: missing,2,,773-555-0111
    4,phone: too short,3,Li,773-555
    ");
    practice.write("corrected.csv", &rejects.replace(",2,,", ",2,Bo,").replace("773-555\n", "773-555-0112\n"));
    // The corrected rows are not the whole list: without `keep`, the patients of the first list would be withdrawn.
    let keep = campaign().replace("[list]\n", "[list]\non_absent = \"keep\"\n");
    practice.write("campaigns/recall.toml", &keep);
    let ended = practice.run(&[RUN.as_slice(), &["--list", "corrected.csv"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.summary()["list"]["accepted"], 2, "{ended:?}");
    assert_eq!(called(&practice), ["1", "2", "3"]);
    assert!(!practice.path("campaigns/recall.rejects.csv").exists(), "it is outdated");
}

#[test]
fn a_rejects_file_may_be_fed_back_under_its_own_name() {
    let list = "patient_id,first_name,phone\n1,Ana,773-555-0110\n2,,773-555-0111\n3,Li,773-555\n";
    let practice = Practice::with(&campaign(), list);
    assert_eq!(practice.run(&RUN).code, 0);
    let rejects = practice.read("campaigns/recall.rejects.csv");
    practice.write("campaigns/recall.rejects.csv", &rejects.replace(",2,,", ",2,Bo,"));
    let ended = practice.run(&[RUN.as_slice(), &["--list", "campaigns/recall.rejects.csv"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(called(&practice), ["1", "2"]);
    // The row that is still bad is still there, and no patient of the first list was withdrawn.
    insta::assert_snapshot!(practice.read("campaigns/recall.rejects.csv"), @"
    line,reason,patient_id,first_name,phone
    3,phone: too short,3,Li,773-555
    ");
}

#[test]
fn patients_missing_from_the_new_list_are_withdrawn_and_new_ones_are_called() {
    let head = "patient_id,first_name,phone,do_not_call\n";
    let first = format!("{head}1,Ana,773-555-0110,\n2,Bo,773-555-0111,\n3,Li,773-555-0112,\n");
    let stopped = campaign().replace("[vendor]", "[safety]\nmax_calls = 1\n[vendor]");
    let practice = Practice::with(&stopped, &first);
    let ended = practice.run(&RUN);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert_eq!(called(&practice), ["1"]);

    // The second is gone, the third must not be called any more, the fourth is new; the order has changed.
    let second = format!("{head}4,Su,773-555-0113,\n3,Li,773-555-0112,yes\n1,Ana,773-555-0110,\n");
    practice.write("campaigns/recall.toml", &campaign());
    practice.write("campaigns/recall.csv", &second);
    let ended = practice.run(&RUN);
    assert_eq!(ended.code, 0, "{ended:?}");
    let summary = ended.summary();
    oracle::the_numbers_add_up(&summary);
    assert_eq!(called(&practice), ["1", "4"]);
    assert_eq!(summary["entries"], serde_json::json!({ "finished": 2, "suppressed": 1 }));
    assert_eq!(summary["earlier_entries"], serde_json::json!({ "withdrawn": 1 }));
}

#[test]
fn ten_thousand_rows_are_checked_in_little_time_and_memory() {
    let mut list = "patient_id,last_name,first_name,dob,phone,due,last_visit,preference\n".to_owned();
    for row in 0..10_000 {
        let (area, number) = (["773", "630", "708", "847", "815", "224"][row % 6], 10 + row % 90);
        writeln!(
            list,
            "{row},O'Brien-{row},Zoë,19{:02}-03-15,({area}) 555-01{number},2026-10-{:02},2026-04-01,mornings",
            row % 90 + 10,
            row % 28 + 1
        )
        .expect("a string");
    }
    let practice = Practice::with(&campaign(), &list);
    let since = Instant::now();
    let mut child = practice.command(&["check", "campaigns/recall.toml"]).spawn().expect("the program");
    let mut peak = 0;
    while child.try_wait().expect("its state").is_none() {
        // The kernel keeps the maximum, but only as long as the process exists.
        peak = peak.max(high_water(child.id()).unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let took = since.elapsed();
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("10000 rows = "));
    eprintln!("10,000 rows checked in {took:?}, {peak} KiB at most (unoptimised)");
    assert!(peak > 1_000, "{peak} KiB: nothing was measured");
    assert!(peak < 100 * 1024, "{peak} KiB");
    assert!(took.as_secs() < 20, "{took:?}");
}

/// The peak memory of a process, in KiB.
fn high_water(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[test]
fn every_member_of_a_household_has_a_row_of_its_own_in_the_report() {
    let list = "patient_id,first_name,dob,phone,guarantor\n11,Ben,2015-05-01,773-555-0110,10\n\
                10,Ana,1980-05-01,773-555-0110,10\n12,Cai,2017-05-01,773-555-0110,10\n20,Dee,1970-01-02,773-555-0111,20\n";
    let practice = Practice::with(&campaign(), list);
    let ended = practice.run(&RUN);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(called(&practice), ["10", "20"]);
    let report = practice.report();
    let patients = report["patients"].as_array().expect("patients");
    let rows: Vec<String> = patients
        .iter()
        .map(|patient| {
            format!(
                "{} {} {}",
                patient["patient_id"],
                patient["covered_by_household"],
                patient["outcome"] != serde_json::Value::Null
            )
        })
        .collect();
    assert_eq!(rows, ["\"11\" true true", "\"10\" false true", "\"12\" true true", "\"20\" false true"]);
}

#[test]
fn a_list_that_is_refused_for_its_rows_leaves_no_run_behind() {
    let list = "patient_id,first_name,phone\n1,Ana,773-555-0110\n2,Bo,773-555\n3,Li,773\n";
    let practice = Practice::with(&campaign().replace("0.9", "0.2"), list);
    let ended = practice.run(&RUN);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(practice.path("campaigns/recall.rejects.csv").exists(), "the rejected rows can be corrected");
    let status = practice.run(&["status", "--ledger", "campaigns/callrounds.db"]);
    assert!(status.stderr.contains("the ledger has no run yet"), "{status:?}");
}

#[test]
fn a_line_of_totals_is_named_by_the_run_too() {
    let practice = Practice::new();
    practice.write(
        "campaigns/l.csv",
        "patient_id,first_name,phone,last_visit\n1,Ana,+13125550111,2026-01-02\n2,Ben,+13125550112,2026-01-03\nTotal: 2,,,\n",
    );
    let ended = practice.run(&["run", "campaigns/demo-recall.toml", "--list", "campaigns/l.csv", "--speed", "600"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("line 4 is not a patient row"), "{}", ended.stderr);
}

#[test]
fn a_list_that_was_cut_short_withdraws_nobody_until_the_campaign_allows_it() {
    let with = |text: &str| remote_run::campaign("hold").replace("[safety]\n", &format!("[safety]\n{text}"));
    let practice = Practice::with(&with("max_calls = 1\n"), &remote_run::list(31));
    let vendor = Vendor::start(&practice, "60", &["--requests-per-minute", "600"]);
    assert_eq!(practice.run_against(&vendor.base_url, &remote_run::RUN).code, 4);
    let waiting = || practice.count("SELECT count(*) FROM entry WHERE state = 'ready'");
    assert_eq!(waiting(), 30);

    practice.write("campaigns/recall.csv", &remote_run::list(12));
    practice.write("campaigns/recall.toml", &with(""));
    let ended = practice.run_against(&vendor.base_url, &remote_run::RUN);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("lacks 19 of the 30 patients that are still to be called"), "{}", ended.stderr);
    assert_eq!((waiting(), vendor.calls().len()), (30, 1), "nothing was changed, and nobody called");

    practice.write("campaigns/recall.toml", &with("").replace("[list]\n", "[list]\nmax_withdraw_rate = 1.0\n"));
    let ended = practice.run_against(&vendor.base_url, &remote_run::RUN);
    assert_eq!((ended.code, vendor.calls().len()), (0, 12), "{ended:?}");
}
