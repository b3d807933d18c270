//! Each fault of a call's request, on every request (`faults.md`, row 3): whatever arrives instead of an answer, no patient
//! is called twice and none is forgotten.

use crate::support::harness::{Practice, ProgramOutput};
use crate::support::oracle::{self, Call, everything_is_settled};
use crate::support::remote_run::{RUN, campaign, list};
use crate::support::vendor::Vendor;

const PATIENTS: usize = 50;

/// Runs fifty patients against a vendor with one fault or with other options; returns how many are held, and the calls.
fn run_with_fault(habit: &str) -> (ProgramOutput, usize, Vec<Call>) {
    let practice = Practice::with(&campaign("hold"), &list(PATIENTS));
    let options: Vec<_> = habit.split(' ').collect();
    let options = if let [fault] = *options { vec!["--fault", fault] } else { options };
    let vendor = Vendor::start(&practice, "60", &[["--requests-per-minute", "600"].as_slice(), &options].concat());
    let ended = practice.run_against(&vendor.base_url, &RUN);
    let calls = vendor.calls();
    everything_is_settled(&practice, &calls, &ended);
    let held = practice.count("SELECT count(*) FROM entry WHERE state = 'held'");
    (ended, usize::try_from(held).expect("a count"), calls)
}

fn for_each_fault(faults: &'static [&'static str], check: impl Fn(&str, &ProgramOutput, usize, &[Call]) + Sync) {
    std::thread::scope(|scope| {
        for fault in faults {
            let check = &check;
            scope.spawn(move || {
                let (ended, held, calls) = run_with_fault(fault);
                assert!(oracle::by_number(&calls).values().all(|count| *count == 1), "{fault}: one call each");
                check(fault, &ended, held, &calls);
            });
        }
    });
}

#[test]
fn an_answer_that_is_always_lost_after_the_call_was_placed_is_found_every_time() {
    let faults = &["reset-after=1", "500-after=1", "truncated=1", "bad-json=1", "id-missing=1", "big-body=1", "303=1"];
    for_each_fault(faults, |fault, ended, held, calls| {
        assert_eq!((ended.code, held, calls.len()), (0, 0, PATIENTS), "{fault}");
    });
}

#[test]
fn an_answer_that_is_always_lost_before_the_call_is_placed_holds_a_few_and_leaves_the_others_to_be_called() {
    std::thread::scope(|scope| {
        for fault in ["reset-before=1", "500-before=1", "307=1"] {
            scope.spawn(move || {
                let campaign = campaign("hold").replace("[safety]\n", "[safety]\noutage = \"10m\"\n");
                let practice = Practice::with(&campaign, &list(PATIENTS));
                let options = ["--requests-per-minute", "600", "--fault", fault];
                let vendor = Vendor::start(&practice, "60", &options);
                let ended = practice.run_against(&vendor.base_url, &RUN);
                oracle::the_numbers_add_up(&ended.summary());
                assert_eq!((ended.code, vendor.calls().len()), (4, 0), "{fault}: {ended:?}");
                let count = |state| practice.count(&format!("SELECT count(*) FROM entry WHERE state = '{state}'"));
                let (in_doubt, ready) = (count("held") + count("unknown"), count("ready") + count("waiting"));
                assert_eq!(in_doubt + ready, PATIENTS as i64, "{fault}");
                assert!((3..7).contains(&in_doubt), "{fault}: {in_doubt}");
            });
        }
    });
}

#[test]
fn a_gateway_that_always_fails_leaves_everybody_called_once_or_held() {
    for_each_fault(&["502=1", "503=1", "504=1"], |fault, ended, held, calls| {
        assert_eq!(held + calls.len(), PATIENTS, "{fault}");
        assert!(held > 5 && calls.len() > 5 && ended.code == 5, "{fault}: {held} held, {} called", calls.len());
    });
}

#[test]
fn a_call_that_provably_was_not_placed_is_placed_later() {
    let faults = &[
        "429=0.2",
        "--fault 429=0.2 --retry-after absent",
        "--fault 429=0.2 --retry-after date",
        "--fault 429=0.2 --retry-after garbage",
        "slow-body=0.05",
        "--list-order oldest-first --list-lag 40 --other-calls-every 5 --other-requests 300",
    ];
    for_each_fault(faults, |fault, ended, held, calls| {
        assert_eq!((ended.code, held, calls.len()), (0, 0, PATIENTS), "{fault}");
    });
    // A connection made just before the vendor refuses connections is reset, which proves nothing.
    for_each_fault(&["refuse=0.2"], |fault, _, held, calls| {
        assert_eq!(held + calls.len(), PATIENTS, "{fault}");
        assert!(held < 10, "{fault}: {held} held");
    });
}

#[test]
fn a_list_that_shows_calls_only_after_twice_the_settle_time_holds_the_lost_ones_and_calls_nobody_twice() {
    let practice = Practice::with(&campaign("hold"), &list(PATIENTS));
    // In the vendor's seconds: twice the campaign's settle time of 60 s.
    let options = ["--requests-per-minute", "600", "--list-lag", "120", "--fault", "reset-after=0.2"];
    let vendor = Vendor::start(&practice, "60", &options);
    let ended = practice.run_against(&vendor.base_url, &RUN);
    let calls = vendor.calls();
    assert_eq!(oracle::by_number(&calls).values().max(), Some(&1), "nobody twice");
    assert_eq!((ended.code, calls.len()), (5, PATIENTS), "{ended:?}");
    let lost = calls.iter().filter(|call| call.answered.is_some()).count() as i64;
    assert!(lost > 3, "{lost} lost answers");
    assert_eq!(practice.count("SELECT count(*) FROM entry WHERE state = 'held' AND reason = 'answer_lost'"), lost);
    assert_eq!(practice.count("SELECT count(*) FROM entry WHERE state = 'finished'"), PATIENTS as i64 - lost);
}

#[test]
fn a_server_that_speaks_no_tls_gets_no_request_and_everybody_is_called_once_it_is_the_right_one() {
    let campaign = campaign("hold").replace("[safety]\n", "[safety]\noutage = \"5m\"\n");
    let practice = Practice::with(&campaign, &list(PATIENTS));
    let vendor = Vendor::start(&practice, "60", &["--requests-per-minute", "600"]);
    let ended = practice.run_against(&vendor.base_url.replace("http://", "https://"), &RUN);
    assert_eq!((ended.code, vendor.calls().len()), (4, 0), "{ended:?}");
    assert!(ended.stderr.contains("nothing was enrolled and nobody was called"), "{}", ended.stderr);
    let ledger = practice.path("campaigns/callrounds.db");
    assert!(!ledger.exists(), "a vendor must answer before anything is written");

    let time = vendor.time();
    let again = ["run", "campaigns/recall.toml", "--json", "--at", &time, "--speed", "60"];
    let ended = practice.run_against(&vendor.base_url, &again);
    let calls = vendor.calls();
    everything_is_settled(&practice, &calls, &ended);
    assert_eq!((ended.code, calls.len()), (0, PATIENTS), "{ended:?}");
}

#[test]
fn a_vendors_list_that_cannot_be_read_is_reported_and_nobody_is_called() {
    let practice = Practice::with(&campaign("hold"), &list(PATIENTS));
    let vendor = Vendor::start(&practice, "60", &["--requests-per-minute", "600", "--habit", "failing-at=0"]);
    let ended = practice.run_against(&vendor.base_url, &RUN);
    assert_eq!((ended.code, vendor.calls().len()), (8, 0), "{ended:?}");
    assert!(ended.stderr.contains("the vendor's list proves nothing; nobody was called"), "{}", ended.stderr);
    assert_eq!(practice.count("SELECT count(*) FROM entry WHERE state = 'ready'"), PATIENTS as i64);
}

#[test]
fn a_clock_that_is_not_the_vendors_writes_nothing() {
    let practice = Practice::with(&campaign("hold"), &list(PATIENTS));
    let vendor = Vendor::start(&practice, "1", &[]);
    let ended = practice.run_against(&vendor.base_url, &["run", "campaigns/recall.toml", "--json"]);
    assert_eq!((ended.code, vendor.calls().len()), (4, 0), "{ended:?}");
    assert!(ended.stderr.contains("this machine's clock differs from the vendor's by about"), "{}", ended.stderr);
    assert!(!practice.path("campaigns/callrounds.db").exists(), "nothing is enrolled");
}
