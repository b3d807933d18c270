//! A ledger, its file, and copies of it.

use std::os::unix::fs::OpenOptionsExt;

use super::lines::our_line;
use super::*;

/// A ledger with one call that was accepted and one without an answer, closed; and where it is.
fn closed() -> (TempDir, PathBuf) {
    let desk = Desk::with(&[draft("P-1", 101), draft("P-2", 102)]);
    let claimed = desk.claim();
    desk.record(vec![happened(&claimed[0], Fact::Accepted)]).expect("recorded");
    let path = path_in(&desk.folder);
    (desk.folder, path)
}

fn copied(path: &Path) -> PathBuf {
    let copy = path.with_file_name("copy.db");
    std::fs::copy(path, &copy).expect("copied");
    copy
}

fn refused_as_a_copy<T>(opened: Result<T, LedgerError>) -> bool {
    matches!(opened.map(drop), Err(LedgerError::Copied { .. }))
}

fn text(path: &Path, query: &str) -> String {
    Connection::open(path).expect("the file").query_row(query, [], |row| row.get(0)).expect("one text")
}

#[test]
fn a_copy_is_read_and_not_written() {
    let (_folder, path) = closed();
    let copy = copied(&path);
    assert!(refused_as_a_copy(Ledger::open(&copy, noon())));
    assert!(refused_as_a_copy(Operator::open(&copy, noon())));
    Reader::open(&copy).map(drop).expect("reading harms nobody");
    Ledger::open(&path, noon()).map(drop).expect("the one that was copied goes on");
}

#[test]
fn a_ledger_that_is_moved_or_overwritten_in_place_is_the_same() {
    let (_folder, path) = closed();
    let backup = std::fs::read(&path).expect("its bytes");
    let moved = path.with_file_name("moved.db");
    std::fs::rename(&path, &moved).expect("moved");
    Ledger::open(&moved, noon()).map(drop).expect("moved");
    std::fs::write(&moved, backup).expect("overwritten");
    Ledger::open(&moved, noon()).map(drop).expect("that it is older, the vendor's list shows");
}

#[test]
fn a_copy_under_the_old_name_is_a_copy() {
    let (_folder, path) = closed();
    let copy = copied(&path);
    std::fs::rename(&copy, &path).expect("put in its place");
    assert!(refused_as_a_copy(Ledger::open(&path, noon())));
}

#[test]
fn an_adopted_copy_goes_on_and_knows_what_it_may_not_know() {
    let (_folder, path) = closed();
    let copy = copied(&path);
    let at = noon() + TimeDelta::hours(1);
    let adoption = adopt(&copy, "Pat", at).expect("adopted");
    assert_eq!(adoption, Adoption { unanswered: 1, future_events: 0 });

    let ledger = Ledger::open_inline(&copy, at).expect("it is the one now");
    let states = "SELECT group_concat(state) FROM attempt";
    assert_eq!(text(&copy, states), "open,unknown");
    assert_eq!(text(&path, states), "open,submitting", "the other one is left as it is");
    assert_ne!(text(&copy, "SELECT identity FROM ledger"), text(&path, "SELECT identity FROM ledger"));
    let event = "SELECT kind || ' ' || at || ' ' || detail FROM event WHERE run_id IS NULL";
    let told = format!("adopted_ledger {} decided by Pat; 1 calls without an answer", at.timestamp_millis());
    assert_eq!(text(&copy, event), told);

    let other = OurLine { from: number(199), ..our_line() };
    let in_step_of = |line: &OurLine| now_or_never(ledger.in_step_at(line.clone())).expect("read");
    let in_step = || in_step_of(&our_line());
    assert!(in_step().takes_over, "what it lacks is taken over");
    let reopened = now_or_never(ledger.reopen_run(None)).expect("its run").handle;
    now_or_never(ledger.in_step(reopened, our_line(), Vec::new(), at)).expect("in step");
    assert_eq!(in_step(), InStep { at, takes_over: false, adopted_at: Some(at) });
    assert!(in_step_of(&other).takes_over, "the look of one number is not that of another");
}

#[test]
fn a_ledger_that_is_not_there_cannot_be_adopted() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path_in(&folder);
    assert!(matches!(adopt(&path, "Pat", noon()), Err(LedgerError::Missing { .. })));
}

#[test]
fn a_ledger_in_use_is_not_adopted() {
    let desk = Desk::new();
    assert!(matches!(adopt(&path_in(&desk.folder), "Pat", noon()), Err(LedgerError::Locked { .. })));
}

#[test]
fn a_ledger_from_before_places_were_noted_notes_its_own() {
    let (_folder, path) = closed();
    let conn = Connection::open(&path).expect("the file");
    conn.execute_batch("UPDATE ledger SET inode = NULL, born_at = NULL").expect("as it was");
    drop(conn);
    let copy = copied(&path);
    Ledger::open(&copy, noon()).map(drop).expect("nothing is known of another");
    let again = path.with_file_name("again.db");
    std::fs::copy(&copy, &again).expect("copied");
    assert!(refused_as_a_copy(Ledger::open(&again, noon())));
}

#[test]
fn an_emptied_ledger_is_not_taken_for_a_new_one() {
    let (_folder, path) = closed();
    let whole = std::fs::read(&path).expect("the ledger");
    std::fs::write(&path, "").expect("emptied");
    for _ in 0..2 {
        assert!(matches!(Ledger::open(&path, noon()), Err(LedgerError::Emptied { .. })));
        assert!(matches!(Operator::open(&path, noon()), Err(LedgerError::NotALedger { .. })));
    }
    std::fs::write(&path, whole).expect("restored");
    Ledger::open(&path, noon()).map(drop).expect("it is as it was");

    std::fs::remove_file(&path).expect("removed");
    Ledger::open(&path, noon()).map(drop).expect("who removes the file begins a new one");
}

#[test]
fn a_ledger_that_was_never_made_to_its_end_is_begun_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path_in(&folder);
    std::fs::write(path.with_file_name("ledger.db.lock"), "4711\n").expect("killed while it held the lock");
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).expect("made");
    assert_eq!(file.metadata().expect("its size").len(), 0);
    Ledger::open(&path, noon()).map(drop).expect("begun again");
}
