//! `kill -9` and lost answers: whatever happens to the program or to an answer, no patient is called twice and none is
//! forgotten.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::harness::{Practice, ProgramOutput};
use crate::support::oracle::{self, Call, everything_is_settled};
use crate::support::remote_run::{RUN, campaign, list, vendor};
use crate::support::seeded_rng::SeededRng;

#[test]
fn a_demonstration_killed_at_any_instant_goes_on_and_calls_nobody_twice() {
    std::thread::scope(|scope| {
        for seed in 0..8 {
            scope.spawn(move || kill_the_demonstration(seed));
        }
    });
}

fn kill_the_demonstration(seed: u64) {
    let mut rng = SeededRng::new(seed);
    let practice = Practice::new();
    let run = ["run", "campaigns/demo-recall.toml", "--json", "--speed", "600"];
    // About 285 events in all. A second kill hits the resumed run.
    for _ in 0..=rng.below(2) {
        let events = 1 + rng.below(120) as usize;
        let run = practice.start_until(events, &run, None);
        std::thread::sleep(Duration::from_micros(rng.below(20_000)));
        run.kill();
    }
    let ended =
        if seed.is_multiple_of(2) { practice.run(&run) } else { practice.run(&["resume", "--json", "--speed", "600"]) };
    everything_is_settled(&practice, &oracle::embedded_calls(&practice), &ended);
}

#[test]
fn killed_before_the_list_was_enrolled_nothing_is_lost() {
    let practice = Practice::new();
    for milliseconds in [1, 10, 20, 30, 50, 80] {
        let mut child = practice.command(&["run", "campaigns/demo-follow-up.toml"]).spawn().expect("the program");
        std::thread::sleep(Duration::from_millis(milliseconds));
        child.kill().expect("killed");
        child.wait().expect("gone");
    }
    let ended = practice.run(&["run", "campaigns/demo-follow-up.toml", "--json"]);
    everything_is_settled(&practice, &oracle::embedded_calls(&practice), &ended);
    assert_eq!(ended.summary()["list"]["accepted"], 15);
}

/// Runs sixty patients against a vendor with faults, and checks that everything is settled.
fn run_with_faults(on_lost_answer: &str, faults: &[&str]) -> (Practice, ProgramOutput, Vec<Call>) {
    let practice = Practice::with(&campaign(on_lost_answer), &list(60));
    let vendor = vendor(&practice, 7, faults);
    let ended = practice.run_against(&vendor.base_url, &RUN);
    let calls = vendor.calls();
    everything_is_settled(&practice, &calls, &ended);
    (practice, ended, calls)
}

fn event_counts(ended: &ProgramOutput) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in ended.events() {
        *counts.entry(event["type"].as_str().expect("a type").to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn a_call_whose_answer_was_lost_is_found_and_followed() {
    std::thread::scope(|scope| {
        // A timeout takes 30 s of real time, in which few other calls are placed; the other faults run at the same time.
        let faults = ["reset-after", "500-after", "truncated", "bad-json", "id-missing"];
        let faults =
            faults.map(|kind| (format!("{kind}=0.2"), 3)).into_iter().chain([("timeout-after=0.05".into(), 0)]);
        for (fault, least) in faults {
            scope.spawn(move || {
                let (_, ended, calls) = run_with_faults("hold", &[&fault]);
                let lost = calls.iter().filter(|call| call.answered.is_some()).count();
                assert!(lost > least, "{fault}: the log shows {lost} lost answers");
                assert_eq!(event_counts(&ended).get("answer_lost"), Some(&lost), "{fault}");
                assert_eq!(event_counts(&ended).get("adopted"), Some(&lost), "{fault}");
                assert_eq!((ended.code, calls.len()), (0, 60), "{fault}");
            });
        }
    });
}

#[test]
fn a_call_that_was_not_placed_is_held_for_a_person_or_made_again_if_the_practice_says_so() {
    std::thread::scope(|scope| {
        for fault in ["reset-before=0.15", "500-before=0.15"] {
            scope.spawn(move || {
                let (practice, ended, calls) = run_with_faults("hold", &[fault]);
                let held = practice.count("SELECT count(*) FROM entry WHERE state = 'held'") as usize;
                assert!(held > 3, "{fault}: {held}");
                assert_eq!((ended.code, calls.len()), (5, 60 - held), "{fault}");
                assert_eq!(event_counts(&ended).get("absent"), Some(&held), "{fault}");
            });
            scope.spawn(move || {
                let (_, ended, calls) = run_with_faults("retry", &[fault, "reset-after=0.1"]);
                assert!(event_counts(&ended).get("absent") > Some(&3), "{fault}: {ended:?}");
                assert_eq!((ended.code, calls.len()), (0, 60), "{fault}");
            });
        }
    });
}
