//! Every fault of a request for a call, all the time (`faults.md`, row 3): whatever comes instead of an answer, nobody is
//! called twice, and nobody is forgotten.

use crate::kill::{RUN, campaign, everything_is_settled, list, vendor};
use crate::oracle::{self, Call};
use crate::practice::{Ended, Practice};

const PATIENTS: usize = 50;

/// Runs fifty patients against a vendor with one fault; how many are held at the end, and the calls.
fn all_the_time(fault: &str, on_lost_answer: &str) -> (Ended, usize, Vec<Call>) {
    let practice = Practice::with(&campaign(on_lost_answer), &list(PATIENTS));
    let vendor = vendor(&practice, 3, &[fault]);
    let ended = practice.run_against(&vendor.base_url, &RUN);
    let calls = vendor.calls();
    everything_is_settled(&practice, &calls, &ended);
    let held = practice.count("SELECT count(*) FROM entry WHERE state = 'held'");
    (ended, usize::try_from(held).expect("a count"), calls)
}

fn each(faults: &'static [&'static str], check: impl Fn(&str, &Ended, usize, &[Call]) + Sync) {
    std::thread::scope(|scope| {
        for fault in faults {
            let check = &check;
            scope.spawn(move || {
                let (ended, held, calls) = all_the_time(fault, "hold");
                assert!(oracle::by_number(&calls).values().all(|count| *count == 1), "{fault}: one call each");
                check(fault, &ended, held, &calls);
            });
        }
    });
}

#[test]
fn an_answer_that_is_always_lost_after_the_call_was_placed_is_found_every_time() {
    let faults = &["reset-after=1", "500-after=1", "truncated=1", "bad-json=1", "id-missing=1", "big-body=1"];
    each(faults, |fault, ended, held, calls| {
        assert_eq!((ended.code, held, calls.len()), (0, 0, PATIENTS), "{fault}");
    });
}

#[test]
fn an_answer_that_is_always_lost_before_the_call_is_placed_holds_everybody() {
    each(&["reset-before=1", "500-before=1", "307=1"], |fault, ended, held, calls| {
        assert_eq!((ended.code, held, calls.len()), (5, PATIENTS, 0), "{fault}");
    });
}

#[test]
fn a_gateway_that_always_fails_leaves_everybody_called_once_or_held() {
    each(&["502=1", "503=1", "504=1"], |fault, ended, held, calls| {
        assert_eq!(held + calls.len(), PATIENTS, "{fault}");
        assert!(held > 5 && calls.len() > 5 && ended.code == 5, "{fault}: {held} held, {} called", calls.len());
    });
}

#[test]
fn what_provably_was_not_placed_is_placed_later() {
    each(&["429=0.2", "slow-body=0.05"], |fault, ended, held, calls| {
        assert_eq!((ended.code, held, calls.len()), (0, 0, PATIENTS), "{fault}");
    });
    // A connection that was made just before the door was shut is reset, which proves nothing.
    each(&["refuse=0.2"], |fault, _, held, calls| {
        assert_eq!(held + calls.len(), PATIENTS, "{fault}");
        assert!(held < 10, "{fault}: {held} held");
    });
}
