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
    let said = "recall is paused: no run of it places a call, and calls under way are followed to their end";
    assert!(paused.stderr.contains(said), "{paused:?}");
    let ended = running.wait();
    assert_eq!(ended.code, 4, "{ended:?}");
    let summary = ended.summary();
    let calls = oracle::embedded_calls(&practice).len();
    assert!((3..6).contains(&calls), "{calls} calls");
    assert_eq!((&summary["ending"], &summary["entries"]["finished"]), (&"paused".into(), &calls.into()), "{summary}");
    let status = practice.run(&["status"]).stdout;
    assert!(status.contains("recall, run 1: paused\n") && status.contains("why           paused by "), "{status}");
    assert!(status.contains("  paused        by "), "{status}");

    assert_eq!(practice.run(&["pause", "7"]).code, 2);
    let resumed = practice.run(&["resume", "--json", "--speed", "600"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(oracle::embedded_calls(&practice).len(), 9);
    assert_eq!(practice.count("SELECT count(*) FROM event WHERE kind = 'paused' AND detail LIKE 'decided by %'"), 1);
    assert_eq!(practice.count("SELECT count(*) FROM event WHERE kind = 'pause_lifted'"), 1);
}

/// A campaign of which nobody opts out, so that no rule stops it.
fn calm_practice() -> Practice {
    let practice = practice();
    let people = practice.read("campaigns/people.toml").replace("opts-out", "declines");
    practice.write("campaigns/people.toml", &people);
    practice
}

#[test]
fn a_pause_holds_over_the_next_nights_run_until_it_is_resumed() {
    let practice = calm_practice();
    let running = practice.start_until(1 + 2, &RUN, None);
    let paused = practice.run(&["pause", "--campaign", "campaigns/recall.toml"]);
    assert_eq!(paused.code, 0, "{paused:?}");
    running.kill();
    let before = oracle::embedded_calls(&practice).len();
    let nightly = practice.run(&[RUN.as_slice(), &["--speed", "600"]].concat());
    assert_eq!(nightly.code, 4, "{nightly:?}");
    assert!(
        nightly.stderr.contains("recall is paused by ") && nightly.stderr.contains(": nobody is called"),
        "{nightly:?}"
    );
    assert!(nightly.stderr.contains("error: paused by ") && nightly.stderr.contains(" since "), "{nightly:?}");
    assert_eq!(oracle::embedded_calls(&practice).len(), before, "nobody is called");
    assert_eq!(practice.count("SELECT count(*) FROM attempt WHERE state IN ('submitting', 'open', 'unknown')"), 0);
    assert_eq!(practice.run(&["resume", "--quiet", "--speed", "600"]).code, 0);
    assert_eq!(oracle::embedded_calls(&practice).len(), 9);
}

#[test]
fn a_pause_can_be_said_while_no_run_goes_and_ends_by_itself() {
    let practice = calm_practice();
    let unknown = practice.run(&["pause", "--campaign", "recall"]);
    assert_eq!(unknown.code, 2, "there is no ledger: {unknown:?}");
    let few = practice.read("campaigns/recall.toml");
    practice.write("campaigns/recall.toml", &few.replace("[safety]\n", "[safety]\nmax_calls = 1\n"));
    assert_eq!(practice.run(&[RUN.as_slice(), &["--speed", "600"]].concat()).code, 4);
    practice.write("campaigns/recall.toml", &few);
    let unknown = practice.run(&["pause", "--campaign", "recal"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("has no campaign recal; it has recall"), "{unknown:?}");
    let past = practice.run(&["pause", "--campaign", "recall", "--until", "2020-01-01"]);
    assert!(past.code == 2 && past.stderr.contains("--until is in the past"), "{past:?}");
    let paused = practice.run(&["pause", "--campaign", "recall", "--until", "2099-06-01"]);
    assert!(paused.stderr.contains("the pause ends on Tue 2099-06-02 00:00"), "{paused:?}");
    let on = |day: &str| practice.run(&[RUN.as_slice(), &["--speed", "600", "--at", day]].concat()).code;
    assert_eq!((on("2099-06-01T16:00:00Z"), oracle::embedded_calls(&practice).len()), (4, 1));
    assert_eq!((on("2099-06-02T16:00:00Z"), oracle::embedded_calls(&practice).len()), (0, 9));
}

#[test]
fn a_cancelled_campaign_follows_its_open_calls_and_redials_nobody_until_that_is_taken_back() {
    let practice = calm_practice();
    let again = practice.read("campaigns/recall.toml").replace("max_attempts = 1", "max_attempts = 3");
    practice.write("campaigns/recall.toml", &again);
    let people = practice.read("campaigns/people.toml").replace("declines", "no-answer");
    practice.write("campaigns/people.toml", &people.replace("seconds = 20", "seconds = 600"));
    // The first call is in flight, for ten seconds.
    let running = practice.start_until(1 + 2, &RUN, None);
    let refused = practice.run(&["cancel", "--campaign", "recall"]);
    assert!(refused.code == 2 && refused.stderr.contains("add --yes"), "{refused:?}");
    assert!(refused.stderr.contains("8 ready to call: cancelled, and not called any more"), "{refused:?}");
    assert_eq!(practice.run(&["cancel", "--yes"]).code, 2, "what to cancel is named");
    let cancelled = practice.run(&["cancel", "--campaign", "recall", "--yes", "--json"]);
    assert_eq!(cancelled.code, 0, "{cancelled:?}");
    let report: serde_json::Value = serde_json::from_str(&cancelled.stdout).expect("JSON");
    assert_eq!(report["cancelled"]["ready"], 8, "{report}");
    assert_eq!(report["followed"].as_object().expect("states").len(), 1, "{report}");
    let ended = running.wait();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.summary()["entries"]["cancelled"], 9, "{ended:?}");
    assert_eq!(oracle::embedded_calls(&practice).len(), 1, "the open call was followed, and nobody is redialled");
    assert_eq!(practice.run(&[RUN.as_slice(), &["--speed", "600"]].concat()).code, 0);
    assert_eq!(oracle::embedded_calls(&practice).len(), 1, "not by the next run either");
    practice.write("campaigns/people.toml", &people);

    let undone = practice.run(&["cancel", "--undo", "--campaign", "recall"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    let said = "recall: the cancellation is taken back: 8 ready to call, 1 waiting";
    assert!(undone.stderr.contains(said), "{undone:?}");
    assert_eq!(
        practice.count("SELECT count(*) FROM event WHERE kind = 'reinstated' AND detail LIKE 'decided by %'"),
        9
    );
    assert_eq!(practice.run(&[RUN.as_slice(), &["--speed", "600"]].concat()).code, 0);
    assert!(oracle::embedded_calls(&practice).len() > 9, "everybody is called again");
}

#[test]
fn a_killed_run_is_resumed_with_its_stop_rule_counts() {
    let practice = practice();
    // After `started`, four calls were dialled and accepted, and three of them have ended: the next one is dialled while a
    // conversation is closing.
    let running = practice.start_until(1 + 4 * 2 + 3, &RUN, None);
    running.kill();
    let finished = practice.count("SELECT count(*) FROM attempt WHERE state = 'ended'");
    assert!((3..5).contains(&finished), "{finished} finished: it was killed too late to show anything");
    let ended = practice.run(&RUN);
    assert_eq!(ended.code, 4, "{ended:?}");
    let why = ended.summary()["why"].as_str().expect("a sentence").to_owned();
    assert!(why.starts_with("stop_on.opt_out_rate: 3 of 5 finished calls"), "{why}");
    // A call may be dialled while the last one is closing.
    let calls = oracle::embedded_calls(&practice).len();
    assert!((5..=6).contains(&calls), "the resumed run counted the earlier calls: {calls}");
}
