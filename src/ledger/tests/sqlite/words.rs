//! What was said in calls leaves the ledger's file without a trace.

use super::*;
use crate::entry::{ConversationWords, OutcomeSignals};
use crate::ledger::{backup, purge};

/// Enough calls that the table has many pages.
const CALLS: u32 = 400;

/// Words with `canary` in every field, of a length that differs from call to call: SQLite moves rows between pages.
fn words(canary: &str, at: u32) -> ConversationWords {
    let long = |of: u32| format!("{canary} ").repeat(1 + (at * 97 % of) as usize);
    ConversationWords::bounded(&OutcomeSignals {
        tags: vec![canary.into(), long(7)],
        topic: Some(long(11)),
        summary: Some(long(if at.is_multiple_of(9) { 350 } else { 23 })),
        actions: vec![long(5), canary.into()],
        duration: Some(f64::from(at)),
    })
}

/// Whether one of the files has the word.
fn holds(files: &[PathBuf], word: &str) -> bool {
    let has = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(word.len()).any(|window| window == word.as_bytes())
    };
    files.iter().any(has)
}

#[test]
fn words_that_have_been_kept_long_enough_are_in_no_byte_of_the_file_the_log_or_a_backup() {
    let entries: Vec<_> = (0..CALLS).map(|n| entry(&format!("P-{n}"), 100 + n)).collect();
    let (mut fixture, path) = with_file(&entries);
    let files = [path.clone(), path.with_extension("db-wal"), path.with_extension("backup")];
    let claimed = fixture.claim_for(fixture.run, noon(), CALLS).claimed;
    fixture.record(claimed.iter().map(|claim| update(claim, Fact::Accepted)).collect()).expect("recorded");
    // The calls end in another order than they began, half of them long after the others.
    let (old, new) = (noon(), noon() + TimeDelta::days(60));
    for half in [0, 1] {
        for step in 0..CALLS {
            let n = step * 37 % CALLS;
            if n % 2 == half {
                let (canary, at) = if half == 0 { ("Oldquilla", old) } else { ("Newquilla", new) };
                let said = Some(words(canary, n));
                let ended = ended(&claimed[n as usize], Outcome::Booked, None);
                fixture.record(vec![AttemptUpdate { at, words: said, ..ended }]).expect("recorded");
            }
        }
    }
    let remove = |now| committed(fixture.ledger().remove_old_words(now)).expect("removed");
    assert!(!remove(noon() + TimeDelta::days(89)), "they are kept for 90 days");
    assert!(holds(&files, "Oldquilla"));
    assert!(remove(noon() + TimeDelta::days(91)));
    let kept: usize = claimed.iter().map(|claim| fixture.reader().words_of(claim.entry).expect("words").len()).sum();
    assert_eq!(kept, CALLS as usize / 2);
    fixture.close();
    backup(&path, &files[2]).expect("copied");
    assert!(!holds(&files, "Oldquilla") && holds(&files, "Newquilla"));

    purge(&path, new + TimeDelta::days(1), "somebody", new + TimeDelta::days(2)).expect("purged");
    std::fs::remove_file(&files[2]).expect("the backup of before");
    backup(&path, &files[2]).expect("copied");
    assert!(!holds(&files, "Newquilla"));
}

#[test]
fn notes_and_write_back_files_that_have_been_kept_long_enough_are_in_no_byte_either() {
    let entries: Vec<_> = (0..CALLS).map(|n| entry(&format!("P-{n}"), 100 + n)).collect();
    let (mut fixture, path) = with_file(&entries);
    let files = [path.clone(), path.with_extension("db-wal"), path.with_extension("backup")];
    let claimed = fixture.claim_for(fixture.run, noon(), CALLS).claimed;
    let mut operator = fixture.operator(noon());
    let (old, new) = (noon(), noon() + TimeDelta::days(60));
    for (half, canary, at) in [(0, "Oldquilla", old), (1, "Newquilla", new)] {
        for claim in claimed.iter().filter(|claim| claim.entry.0 % 2 == half) {
            fixture.record(vec![update(claim, Fact::Accepted)]).expect("recorded");
            fixture.record(vec![ended(claim, Outcome::CallbackRequested, None)]).expect("recorded");
            let note = format!("{canary} ").repeat(1 + (claim.entry.0 * 97 % 60) as usize);
            operator.tick(claim.entry, "ana", Some(&note), at).expect("ticked");
        }
        let render = |contacts: Vec<Contact>| BatchContent {
            content: canary.repeat(3_000).into_bytes(),
            calls: contacts.iter().map(|contact| contact.attempt).collect(),
        };
        operator.write_back(&fixture.campaign.name, "csv", "ana", at, render).expect("written").expect("a batch");
    }
    let remove = |now| committed(fixture.ledger().remove_old_words(now)).expect("removed");
    assert!(!remove(noon() + TimeDelta::days(89)) && holds(&files, "Oldquilla"));
    assert!(remove(noon() + TimeDelta::days(91)));
    let front_desk = fixture.reader().run(Some(fixture.run.run)).expect("a run").front_desk;
    assert_eq!(front_desk, 0, "what is done stays done");
    let kept = |number| fixture.reader().writeback_content(number).expect("asked");
    assert_eq!(kept(1), KeptContent::Removed);
    assert_eq!(kept(2), KeptContent::Bytes("Newquilla".repeat(3_000).into_bytes()));
    drop(operator);
    fixture.close();
    backup(&path, &files[2]).expect("copied");
    assert!(!holds(&files, "Oldquilla") && holds(&files, "Newquilla"));
    purge(&path, new + TimeDelta::days(1), "somebody", new + TimeDelta::days(2)).expect("purged");
    std::fs::remove_file(&files[2]).expect("the backup of before");
    backup(&path, &files[2]).expect("copied");
    assert!(!holds(&files, "Newquilla"));
}

#[test]
fn words_are_removed_once_a_day_at_most() {
    let (fixture, _) = with_file(&[entry("P-1", 101), entry("P-2", 102)]);
    let claimed = fixture.claim();
    let minute = TimeDelta::minutes(1);
    for (claim, at) in claimed.iter().zip([noon(), noon() + minute]) {
        let over = AttemptUpdate { at, words: Some(words("Quilla", 1)), ..ended(claim, Outcome::Booked, None) };
        fixture.record(vec![update(claim, Fact::Accepted), over]).expect("recorded");
    }
    let old_enough = noon() + TimeDelta::days(90);
    let days = [old_enough, old_enough + minute, old_enough + TimeDelta::days(1), old_enough + TimeDelta::days(3)];
    let removed = days.map(|now| committed(fixture.ledger().remove_old_words(now)).expect("removed"));
    assert_eq!(removed, [true, false, true, false]);
}
