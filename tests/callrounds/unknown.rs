//! A lost answer, or a refusal, as the person on duty sees it: what `explain` tells of it, what `resolve` shows before it
//! decides, and what the next run makes of the decision.

use crate::kill;
use crate::oracle;
use crate::practice::{Ended, Practice};
use crate::vendor::Vendor;

/// A Tuesday so far ahead that an operator's decision, which bears the wall clock's date, is never later.
const MORNING: &str = "2036-11-25T15:30:00Z";

fn vendor(practice: &Practice, faults: &[&str]) -> Vendor {
    let faults = faults.iter().flat_map(|fault| ["--fault", fault]);
    let options: Vec<_> = ["--requests-per-minute", "600"].into_iter().chain(faults).collect();
    Vendor::start_at(MORNING, practice, "60", &options)
}

fn run(practice: &Practice, vendor: &Vendor) -> Ended {
    let time = vendor.time();
    practice.run_against(&vendor.base_url, &["run", "campaigns/recall.toml", "--json", "--at", &time, "--speed", "60"])
}

/// One patient's story after a run in which this always happened to a call's answer.
fn after(fault: &str) -> (Practice, Vendor, Ended, Vec<String>) {
    let practice = Practice::with(&kill::campaign("hold"), &kill::list(1));
    let vendor = vendor(&practice, &[fault]);
    let ended = run(&practice, &vendor);
    let story = practice.run(&["explain", "5000"]);
    assert_eq!(story.code, 0, "{story:?}");
    let story = story.stdout.lines().map(ToOwned::to_owned).collect();
    (practice, vendor, ended, story)
}

/// The lines hold these words, in this order.
#[track_caller]
fn reads(story: &[String], chapters: &[&str]) {
    let mut lines = story.iter();
    for words in chapters {
        assert!(lines.any(|line| line.contains(words)), "{words:?} is missing, or out of order, in {story:#?}");
    }
}

#[test]
fn a_lost_call_that_was_found_reads_as_a_story() {
    let (_practice, vendor, ended, story) = after("reset-after=1");
    assert_eq!((ended.code, vendor.calls().len()), (0, 1), "{ended:?}");
    let conversation = vendor.calls()[0].conversation_id.clone();
    reads(
        &story,
        &[
            "read from the list → ready",
            "every rule allows the call: on record, then sent",
            "no answer that says whether the call was placed (",
            &format!("found on the vendor's list, conversation {conversation}"),
            "conversation over: ",
        ],
    );
}

#[test]
fn a_lost_call_that_was_not_found_is_decided_upon_with_the_evidence_in_view() {
    let (practice, _vendor, ended, story) = after("500-before=1");
    assert_eq!(ended.code, 5, "{ended:?}");
    let scan = "looked for on the vendor's list (0 conversations on 1 page; the list was read to its end; begun 2036-11-25T15:3";
    let evidence = [
        "every rule allows the call: on record, then sent",
        "no answer that says whether the call was placed (status 500) → unknown",
        scan,
        scan,
        "not on the vendor's list (two complete scans) → held: the answer was lost, and the vendor's list does not show the call",
    ];
    reads(&story, &evidence);

    let decided = practice.run(&["resolve", "1", "--not-placed"]);
    assert_eq!(decided.code, 0, "{decided:?}");
    let shown: Vec<_> = decided.stderr.lines().map(ToOwned::to_owned).collect();
    reads(&shown, &[["what the ledger holds of the last call of entry 1"].as_slice(), &evidence].concat());
    reads(&shown, &["entry 1 is now ready"]);

    // Another vendor, whose answers arrive; the first one has not placed any call.
    let other = self::vendor(&practice, &[]);
    let ended = run(&practice, &other);
    assert_eq!((ended.code, other.calls().len()), (0, 1), "{ended:?}");
    oracle::the_ledger_agrees(&practice, &other.calls());
    let story = practice.run(&["explain", "5000"]).stdout;
    assert!(story.contains("not placed, says an operator (decided by "), "{story}");
}

#[test]
fn a_lost_call_that_somebody_found_by_hand_is_followed() {
    let (practice, vendor, ended, _) = after("500-before=1");
    assert_eq!(ended.code, 5, "{ended:?}");
    for (verdict, code) in
        [(["resolve", "1", "--placed", "c-by-hand"].as_slice(), 0), (&["resolve", "1", "--cancel"], 2)]
    {
        let decided = practice.run(verdict);
        assert_eq!(decided.code, code, "{decided:?}");
    }
    assert_eq!(practice.count("SELECT count(*) FROM attempt WHERE state = 'open' AND conversation = 'c-by-hand'"), 1);
    assert_eq!(vendor.calls().len(), 0, "to decide sends nothing");
}

#[test]
fn who_was_refused_is_explained_in_the_vendors_words_and_brought_back_or_cancelled() {
    let practice = Practice::with(&kill::campaign("hold"), &kill::list(3));
    let refuse = |number, said: &str| format!("+1773555{number}=405:{said}");
    let first = refuse("0110", "calls to landlines such as +1 (773) 555-0110 are not supported");
    let second = refuse("0111", "recipient\u{1b}[31m has opted out");
    let options = ["--requests-per-minute", "600", "--refuse", &first, "--refuse", &second];
    let vendor = Vendor::start_at(MORNING, &practice, "60", &options);
    let ended = run(&practice, &vendor);
    assert_eq!((ended.code, vendor.calls().len()), (5, 1), "{ended:?}");
    assert!(!ended.stdout.contains("0110") && !ended.stderr.contains("0110"), "{ended:?}");

    let told = practice.run(&["explain", "5000"]).stdout;
    let words = "refused by the vendor (status 405: \"calls to landlines such as … are not supported\") → failed";
    assert!(told.contains(words), "{told}");
    let told = practice.run(&["explain", "5001"]).stdout;
    assert!(told.contains("(status 405: \"recipient\u{fffd}[31m has opted out\") → failed"), "{told}");

    let placed = practice.run(&["resolve", "1", "--placed", "c-1"]);
    assert!(placed.code == 2 && placed.stderr.contains("use --not-placed or --cancel"), "{placed:?}");
    let back = practice.run(&["resolve", "1", "--not-placed"]);
    assert!(back.code == 0 && back.stderr.contains("entry 1 is now ready"), "{back:?}");
    assert_eq!(practice.run(&["resolve", "2", "--cancel"]).code, 0);
    let time = vendor.time();
    drop(vendor);
    let mended = Vendor::start_at(&time, &practice, "60", &["--requests-per-minute", "600"]);
    let ended = run(&practice, &mended);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(practice.count("SELECT count(*) FROM entry WHERE state = 'finished'"), 2);
    assert_eq!(practice.count("SELECT count(*) FROM entry WHERE state = 'cancelled'"), 1);
}

#[test]
fn an_account_that_is_refused_ends_the_run_with_its_words_and_a_way_out_and_everybody_is_still_to_be_called() {
    let practice = Practice::with(&kill::campaign("hold"), &kill::list(20));
    let refuse = "any=402:monthly limit of this account reached";
    let vendor = Vendor::start_at(MORNING, &practice, "60", &["--requests-per-minute", "600", "--refuse", refuse]);
    let ended = run(&practice, &vendor);
    assert_eq!((ended.code, vendor.calls().len()), (6, 0), "{ended:?}");
    let said = "the vendor refuses calls of this account (status 402: \"monthly limit of this account reached\")";
    assert!(ended.stderr.contains(said) && ended.stderr.contains("settle it with Annie"), "{ended:?}");
    assert_eq!(practice.count("SELECT count(*) FROM entry WHERE state = 'ready'"), 20);
    assert_eq!(practice.count("SELECT count(*) FROM attempt"), 3);
}
