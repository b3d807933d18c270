//! A lost answer or a refusal, as the operator sees it: what `explain` shows, what `resolve` shows before it decides, and
//! what the next run does with the decision.

use crate::support::harness::{Practice, ProgramOutput};
use crate::support::oracle;
use crate::support::remote_run;
use crate::support::vendor::Vendor;

/// A Tuesday in the far future: an operator's decision, which has the wall clock's date, must not be later.
const MORNING: &str = "2036-11-25T15:30:00Z";

fn vendor(practice: &Practice, faults: &[&str]) -> Vendor {
    let faults = faults.iter().flat_map(|fault| ["--fault", fault]);
    let options: Vec<_> = ["--requests-per-minute", "600"].into_iter().chain(faults).collect();
    Vendor::start_at(MORNING, practice, "60", &options)
}

fn run(practice: &Practice, vendor: &Vendor) -> ProgramOutput {
    let time = vendor.time();
    practice.run_against(&vendor.base_url, &["run", "campaigns/recall.toml", "--json", "--at", &time, "--speed", "60"])
}

/// Runs one patient against a vendor with this fault on every call; returns the lines of `explain`, too.
fn run_with_fault(fault: &str) -> (Practice, Vendor, ProgramOutput, Vec<String>) {
    let practice = Practice::with(&remote_run::campaign("hold"), &remote_run::list(1));
    let vendor = vendor(&practice, &[fault]);
    let ended = run(&practice, &vendor);
    let explained = practice.run(&["explain", "5000"]);
    assert_eq!(explained.code, 0, "{explained:?}");
    let lines = explained.stdout.lines().map(ToOwned::to_owned).collect();
    (practice, vendor, ended, lines)
}

/// Checks that lines contain these words, in this order.
#[track_caller]
fn assert_in_order(lines: &[String], expected: &[&str]) {
    let mut lines = lines.iter();
    for words in expected {
        assert!(lines.any(|line| line.contains(words)), "{words:?} is missing, or out of order, in {lines:#?}");
    }
}

#[test]
fn a_lost_call_that_was_found_is_explained_step_by_step() {
    let (_practice, vendor, ended, lines) = run_with_fault("reset-after=1");
    assert_eq!((ended.code, vendor.calls().len()), (0, 1), "{ended:?}");
    let conversation = vendor.calls()[0].conversation_id.clone();
    assert_in_order(
        &lines,
        &[
            "read from the list → ready to call",
            "every rule allows the call; recorded, then sent",
            "no answer that says whether the call was placed (",
            &format!("found on the vendor's list, conversation {conversation}"),
            "conversation over: ",
        ],
    );
}

#[test]
fn resolve_shows_the_evidence_about_a_lost_call_that_was_not_found() {
    let (practice, _vendor, ended, lines) = run_with_fault("500-before=1");
    assert_eq!(ended.code, 5, "{ended:?}");
    let scan = "looked for on the vendor's list (0 conversations on 1 page; the list was read to its end; begun 2036-11-25T15:3";
    let evidence = [
        "every rule allows the call; recorded, then sent",
        "no answer that says whether the call was placed (status 500) → maybe called",
        scan,
        scan,
        "not on the vendor's list (two complete scans) → held for a person: the answer was lost, and the vendor's list does not show the call",
    ];
    assert_in_order(&lines, &evidence);

    let decided = practice.run(&["resolve", "1", "--not-placed"]);
    assert_eq!(decided.code, 0, "{decided:?}");
    let shown: Vec<_> = decided.stderr.lines().map(ToOwned::to_owned).collect();
    assert_in_order(&shown, &[["the ledger's record of the last call of patient #1"].as_slice(), &evidence].concat());
    assert_in_order(&shown, &["#1 is now ready to call"]);

    // Another vendor, whose answers arrive; the first one has placed no call.
    let other = self::vendor(&practice, &[]);
    let ended = run(&practice, &other);
    assert_eq!((ended.code, other.calls().len()), (0, 1), "{ended:?}");
    oracle::the_ledger_agrees(&practice, &other.calls());
    let text = practice.run(&["explain", "5000"]).stdout;
    assert!(text.contains("not placed, says an operator (decided by "), "{text}");
}

#[test]
fn a_refused_patient_is_explained_in_the_vendors_words_and_can_be_readied_or_cancelled() {
    let practice = Practice::with(&remote_run::campaign("hold"), &remote_run::list(3));
    let refuse = |number, message: &str| format!("+1773555{number}=405:{message}");
    let first = refuse("0110", "calls to landlines such as +1 (773) 555-0110 are not supported");
    let second = refuse("0111", "recipient\u{1b}[31m has opted out");
    let options = ["--requests-per-minute", "600", "--refuse", &first, "--refuse", &second];
    let vendor = Vendor::start_at(MORNING, &practice, "60", &options);
    let ended = run(&practice, &vendor);
    assert_eq!((ended.code, vendor.calls().len()), (5, 1), "{ended:?}");
    assert!(!ended.stdout.contains("0110") && !ended.stderr.contains("0110"), "{ended:?}");

    let text = practice.run(&["explain", "5000"]).stdout;
    let words = "refused by the vendor (status 405: \"calls to landlines such as … are not supported\") → refused by the vendor";
    assert!(text.contains(words), "{text}");
    let text = practice.run(&["explain", "5001"]).stdout;
    assert!(text.contains("(status 405: \"recipient\u{fffd}[31m has opted out\") → refused by the vendor"), "{text}");

    let placed = practice.run(&["resolve", "1", "--placed", "c-1"]);
    assert!(placed.code == 2 && placed.stderr.contains("use --not-placed or --cancel"), "{placed:?}");
    let readied = practice.run(&["resolve", "1", "--not-placed"]);
    assert!(readied.code == 0 && readied.stderr.contains("patient #1 is now ready to call"), "{readied:?}");
    assert_eq!(practice.run(&["resolve", "2", "--cancel"]).code, 0);
    let time = vendor.time();
    drop(vendor);
    let second_vendor = Vendor::start_at(&time, &practice, "60", &["--requests-per-minute", "600"]);
    let ended = run(&practice, &second_vendor);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(practice.count("SELECT count(*) FROM entry WHERE state = 'finished'"), 2);
    assert_eq!(practice.count("SELECT count(*) FROM entry WHERE state = 'cancelled'"), 1);
}

#[test]
fn a_refused_account_ends_the_run_with_the_vendors_words_and_leaves_everybody_ready() {
    let practice = Practice::with(&remote_run::campaign("hold"), &remote_run::list(20));
    let refuse = "any=402:monthly limit of this account reached";
    let vendor = Vendor::start_at(MORNING, &practice, "60", &["--requests-per-minute", "600", "--refuse", refuse]);
    let ended = run(&practice, &vendor);
    assert_eq!((ended.code, vendor.calls().len()), (6, 0), "{ended:?}");
    let expected = "the vendor refuses calls of this account (status 402: \"monthly limit of this account reached\")";
    assert!(ended.stderr.contains(expected) && ended.stderr.contains("resolve it with Annie"), "{ended:?}");
    assert_eq!(practice.count("SELECT count(*) FROM entry WHERE state = 'ready'"), 20);
    assert_eq!(practice.count("SELECT count(*) FROM attempt"), 3);
}
