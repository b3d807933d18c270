//! Stop rules: the message names the rule, its counts and how to go on, and the counts survive a kill.

use std::fmt::Write;

use crate::support::fixtures::{CONSENT, ONE_CALL_EACH, SIMULATOR};
use crate::support::harness::{Practice, recall};
use crate::support::oracle;
use crate::support::vendor::MORNING;

/// Nine patients; the first three opt out. The stop rule applies after five calls.
fn practice() -> Practice {
    let campaign = recall(&format!(
        "{CONSENT}{ONE_CALL_EACH}[rate]\nopen_calls = 1\n[safety]\nstop_on = {{ opt_out_rate = 0.3, at_least = 5 }}\n\
         {SIMULATOR}start = \"{MORNING}\"\nspeed = 60\npeople = \"people.toml\"\n"
    ));
    let (mut list, mut people) = ("patient_id,first_name,phone\n".to_owned(), String::new());
    for id in 1..10 {
        writeln!(list, "{id},Pat,773-555-011{id}").expect("a string");
        let takes_it = if id <= 3 { "opts-out" } else { "declines" };
        writeln!(people, "\"+1773555011{id}\" = [{{ behaviour = \"{takes_it}\", seconds = 20 }}]").expect("a string");
    }
    let practice = Practice::with(&campaign, &list);
    practice.write("campaigns/people.toml", &people);
    practice
}

const RUN: [&str; 3] = ["run", "campaigns/recall.toml", "--json"];

#[test]
fn a_run_that_a_rule_stopped_says_which_with_the_numbers_and_goes_on_when_it_is_run_again() {
    let practice = practice();
    let ended = practice.run(&[RUN.as_slice(), &["--speed", "600"]].concat());
    assert_eq!(ended.code, 4, "{ended:?}");
    let summary = ended.summary();
    assert_eq!(summary["ending"], "stop_rule");
    let why = summary["why"].as_str().expect("a sentence");
    assert!(why.starts_with("stop_on.opt_out_rate: 3 of 5 finished calls"), "{why}");
    assert!(why.ends_with("run again: the run continues and counts from zero"), "{why}");
    let status = practice.run(&["status"]).stdout;
    assert!(status.contains("stopped by a stop_on rule") && status.contains("3 of 5 finished calls"), "{status}");

    let ended = practice.run(&[RUN.as_slice(), &["--speed", "600"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(oracle::embedded_calls(&practice).len(), 9);
}

#[test]
fn a_paused_run_follows_what_is_under_way_and_goes_on_once_it_is_resumed() {
    let practice = practice();
    let campaign = practice.read("campaigns/recall.toml").replace("at_least = 5", "at_least = 50");
    practice.write("campaigns/recall.toml", &campaign);
    // Two calls are over, a third is in flight.
    let running = practice.start_until(1 + 2 * 3 + 2, &RUN, None);
    let paused = practice.run(&["pause"]);
    assert_eq!(paused.code, 0, "{paused:?}");
    assert!(paused.stderr.contains("run 1 is paused: it places no further call"), "{paused:?}");
    let ended = running.wait();
    assert_eq!(ended.code, 4, "{ended:?}");
    let summary = ended.summary();
    let calls = oracle::embedded_calls(&practice).len();
    assert!((3..6).contains(&calls), "{calls} calls");
    assert_eq!((&summary["ending"], &summary["entries"]["finished"]), (&"paused".into(), &calls.into()), "{summary}");
    let status = practice.run(&["status"]).stdout;
    assert!(status.contains("recall, run 1: paused\n") && status.contains("why           paused by "), "{status}");

    let again = practice.run(&["pause", "1"]);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.stderr.contains("run 1 has ended: it places no call until it is resumed"), "{again:?}");
    assert_eq!(practice.run(&["pause", "7"]).code, 2);
    let resumed = practice.run(&["resume", "--json", "--speed", "600"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(oracle::embedded_calls(&practice).len(), 9);
    assert_eq!(practice.count("SELECT count(*) FROM event WHERE kind = 'paused' AND detail LIKE 'decided by %'"), 1);
}

/// A run that is killed while paused is still paused until it is run again.
#[test]
fn a_pause_outlives_the_run_that_it_stops() {
    let practice = practice();
    let running = practice.start_until(1 + 2, &RUN, None);
    assert_eq!(practice.run(&["pause"]).code, 0);
    running.kill();
    assert_eq!(practice.count("SELECT count(*) FROM run WHERE paused_by IS NOT NULL"), 1);
    assert_eq!(practice.run(&[RUN.as_slice(), &["--speed", "600"]].concat()).code, 4, "the stop rule");
    assert!(oracle::embedded_calls(&practice).len() >= 5);
}

#[test]
fn a_killed_run_is_resumed_with_its_stop_rule_counts() {
    let practice = practice();
    // After `started`, three events for each of three calls, and the first of a fourth.
    let running = practice.start_until(1 + 3 * 3 + 1, &RUN, None);
    running.kill();
    let finished = practice.count("SELECT count(*) FROM attempt WHERE state = 'ended'");
    assert!((3..5).contains(&finished), "{finished} finished: it was killed too late to show anything");
    let ended = practice.run(&RUN);
    assert_eq!(ended.code, 4, "{ended:?}");
    let why = ended.summary()["why"].as_str().expect("a sentence").to_owned();
    assert!(why.starts_with("stop_on.opt_out_rate: 3 of 5 finished calls"), "{why}");
    assert_eq!(oracle::embedded_calls(&practice).len(), 5, "the resumed run counted the earlier calls");
}
