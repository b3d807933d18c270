//! The demonstration campaigns: each runs from its list to its last conversation, and all counts agree with the simulator's
//! log.

use std::collections::BTreeSet;

use crate::support::harness::{Practice, ProgramOutput};
use crate::support::oracle;

/// Ids of the patients that the demonstration's list excludes: do not call, booked, inactive.
const EXCLUDED: [&str; 3] = ["1066", "1067", "1068"];

fn a_demonstration_ends_well(campaign: &str) -> (Practice, ProgramOutput) {
    let practice = Practice::new();
    let ended = practice.run(&["run", campaign, "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let summary = ended.summary();
    oracle::the_numbers_add_up(&summary);
    assert_eq!(summary["ending"], "done");
    assert_eq!(summary["exit_code"], 0);

    let calls = oracle::embedded_calls(&practice);
    assert!(calls.len() > 10, "{} calls", calls.len());
    oracle::nobody_is_over_the_caps(&calls);
    oracle::the_ledger_agrees(&practice, &calls);
    oracle::the_report_agrees(&practice, &calls);
    assert_eq!(summary["attempts"]["placed"], calls.len());
    assert_eq!(summary["attempts"]["ended"], calls.len());
    check_events(&ended, calls.len());
    (practice, ended)
}

/// Checks that each call has one `dialling`, one `accepted` and one `ended` event, in that order.
fn check_events(ended: &ProgramOutput, calls: usize) {
    let events = ended.events();
    assert_eq!(events[0]["type"], "started");
    let count = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    for kind in ["dialling", "accepted", "ended"] {
        assert_eq!(count(kind), calls, "{kind}");
    }
    let position = |kind: &str, attempt: u64| {
        events.iter().position(|event| event["type"] == kind && event["attempt"] == attempt).expect(kind)
    };
    for attempt in 1..=calls as u64 {
        assert!(position("dialling", attempt) < position("accepted", attempt), "attempt {attempt}");
        assert!(position("accepted", attempt) < position("ended", attempt), "attempt {attempt}");
    }
    assert_eq!(count("summary"), 1);
}

#[test]
fn recall_calls_everybody_who_is_due_and_nobody_who_is_excluded() {
    let (practice, ended) = a_demonstration_ends_well("campaigns/demo-recall.toml");
    let summary = ended.summary();
    assert!(summary["list"]["read"].as_u64() >= Some(60), "{summary}");
    for (what, count) in [("rejected", 2), ("duplicate", 1), ("merged", 10)] {
        assert_eq!(summary["list"][what], count, "{what}");
    }
    for reason in ["do_not_call", "booked", "inactive"] {
        assert_eq!(summary["reasons"][reason], 1, "{reason}");
    }
    let calls = oracle::embedded_calls(&practice);
    let called: BTreeSet<_> = calls.iter().filter_map(|call| call.patient_id.as_deref()).collect();
    for patient in EXCLUDED {
        assert!(!called.contains(patient), "{patient} was called");
    }
    nobody_is_called_after_opting_out(&practice);
    assert!(oracle::by_number(&calls).values().any(|count| *count > 1), "no redial was made");
}

/// Checks that a patient who opts out or books is not called again: that call is the last to the number in the log.
fn nobody_is_called_after_opting_out(practice: &Practice) {
    let text = oracle::embedded_log(practice);
    let log: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect("a call")).collect();
    let ends_it = |call: &&serde_json::Value| call["behaviour"] == "opts-out" || call["behaviour"] == "books";
    let mut seen = 0;
    for last in log.iter().filter(ends_it) {
        let later =
            |call: &&serde_json::Value| call["toNumber"] == last["toNumber"] && call["patientId"] == last["patientId"];
        let calls = log.iter().filter(later).collect::<Vec<_>>();
        assert_eq!(calls.last().expect("itself")["conversationId"], last["conversationId"]);
        seen += 1;
    }
    assert!(seen > 2, "the demonstration has too few of them");
}

#[test]
fn reminders_name_the_appointment() {
    let (practice, _) = a_demonstration_ends_well("campaigns/demo-reminder.toml");
    for call in oracle::embedded_calls(&practice) {
        assert!(call.appointment_id.as_deref().is_some_and(|id| id.starts_with("A-70")), "{call:?}");
    }
}

#[test]
fn follow_ups_are_called_the_day_after() {
    a_demonstration_ends_well("campaigns/demo-follow-up.toml");
}

#[test]
fn the_same_command_right_after_calls_nobody_and_says_so() {
    for campaign in ["campaigns/demo-recall.toml", "campaigns/demo-follow-up.toml"] {
        let practice = Practice::new();
        assert_eq!(practice.run(&["run", campaign, "--quiet", "--speed", "600"]).code, 0);
        let log = oracle::embedded_log(&practice);

        let again = practice.run(&["run", campaign]);
        assert_eq!(again.code, 0, "{again:?}");
        assert_eq!(again.stdout, "");
        assert!(again.stderr.contains("none placed by this run"), "{}", again.stderr);
        assert!(again.stderr.contains("nothing is left to call"), "{}", again.stderr);
        assert_eq!(oracle::embedded_log(&practice), log, "{campaign}: somebody was called");
        oracle::the_ledger_agrees(&practice, &oracle::embedded_calls(&practice));
    }
}

#[test]
fn quiet_says_nothing_of_a_run_that_ends_well() {
    let practice = Practice::new();
    let ended = practice.run(&["run", "campaigns/demo-follow-up.toml", "--quiet"]);
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", ""));
}

#[test]
fn the_demonstrations_share_a_ledger_and_not_a_time() {
    let practice = Practice::new();
    for (campaign, calls) in [("demo-recall", 90), ("demo-reminder", 24), ("demo-follow-up", 21)] {
        let before = oracle::embedded_calls(&practice).len();
        let ended = practice.run(&["run", &format!("campaigns/{campaign}.toml"), "--speed", "600", "--quiet"]);
        assert_eq!((ended.code, oracle::embedded_calls(&practice).len() - before), (0, calls), "{campaign}: {ended:?}");
    }
    oracle::the_ledger_agrees(&practice, &oracle::embedded_calls(&practice));
}
