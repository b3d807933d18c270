//! A ledger's file, and copies of it.

use std::os::unix::fs::OpenOptionsExt;

use super::*;

/// A closed ledger with one accepted call and one without an answer, and its path.
fn closed() -> (Fixture, PathBuf) {
    let (mut fixture, path) = with_file(&[entry("P-1", 101), entry("P-2", 102)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.close();
    (fixture, path)
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
    let (_fixture, path) = closed();
    let copy = copied(&path);
    assert!(refused_as_a_copy(Ledger::open(&copy, noon())));
    assert!(refused_as_a_copy(Operator::open(&copy, noon())));
    LedgerReader::open(&copy).map(drop).expect("reading harms nobody");
    Ledger::open(&path, noon()).map(drop).expect("the original may still be written");
}

#[test]
fn a_ledger_that_is_moved_or_overwritten_in_place_is_the_same() {
    let (_fixture, path) = closed();
    let backup = std::fs::read(&path).expect("its bytes");
    let moved = path.with_file_name("moved.db");
    std::fs::rename(&path, &moved).expect("moved");
    Ledger::open(&moved, noon()).map(drop).expect("moved");
    std::fs::write(&moved, backup).expect("overwritten");
    Ledger::open(&moved, noon()).map(drop).expect("that it is older, the vendor's list shows");
}

#[test]
fn a_copy_under_the_old_name_is_a_copy() {
    let (_fixture, path) = closed();
    let copy = copied(&path);
    std::fs::rename(&copy, &path).expect("put in its place");
    assert!(refused_as_a_copy(Ledger::open(&path, noon())));
}

#[test]
fn an_adopted_copy_is_written_and_takes_over_calls_that_it_lacks() {
    let (_fixture, path) = closed();
    let copy = copied(&path);
    let at = noon() + TimeDelta::hours(1);
    let adoption = adopt(&copy, "Pat", at).expect("adopted");
    assert_eq!(adoption, Adoption { unanswered: 1, future_events: 0 });

    let ledger = Ledger::open_inline(&copy, at).expect("it may be written now");
    let states = "SELECT group_concat(state) FROM attempt";
    assert_eq!(text(&copy, states), "open,unknown");
    assert_eq!(text(&path, states), "open,submitting", "the other one is left as it is");
    assert_ne!(text(&copy, "SELECT identity FROM ledger"), text(&path, "SELECT identity FROM ledger"));
    let event = "SELECT kind || ' ' || at || ' ' || detail FROM event WHERE run_id IS NULL";
    let expected = format!("adopted_ledger {} decided by Pat; 1 call without an answer", at.timestamp_millis());
    assert_eq!(text(&copy, event), expected);

    let other = CallerId { from: number(199), ..our_caller_id() };
    let watermark_of = |caller_id: &CallerId| committed(ledger.watermark(caller_id.clone())).expect("read");
    let watermark = || watermark_of(&our_caller_id());
    assert!(watermark().takes_over, "calls that it lacks are taken over");
    let reopened = committed(ledger.reopen_run(None)).expect("its run").handle;
    committed(ledger.take_over_calls(reopened, our_caller_id(), Vec::new(), at)).expect("advanced");
    assert_eq!(watermark(), Watermark { at, takes_over: false, adopted_at: Some(at) });
    assert!(watermark_of(&other).takes_over, "a scan for one number is none for another");
}

#[test]
fn a_missing_ledger_cannot_be_adopted() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path_in(&folder);
    assert!(matches!(adopt(&path, "Pat", noon()), Err(LedgerError::Missing { .. })));
}

#[test]
fn a_ledger_in_use_is_not_adopted() {
    let (_fixture, path) = with_file(&[]);
    assert!(matches!(adopt(&path, "Pat", noon()), Err(LedgerError::Locked { .. })));
}

#[test]
fn a_ledger_without_a_file_identity_stores_its_own() {
    let (_fixture, path) = closed();
    let conn = Connection::open(&path).expect("the file");
    conn.execute_batch("UPDATE ledger SET inode = NULL, born_at = NULL").expect("as it was");
    drop(conn);
    let copy = copied(&path);
    Ledger::open(&copy, noon()).map(drop).expect("no other file is known");
    let again = path.with_file_name("again.db");
    std::fs::copy(&copy, &again).expect("copied");
    assert!(refused_as_a_copy(Ledger::open(&again, noon())));
}

#[test]
fn an_emptied_ledger_is_not_taken_for_a_new_one() {
    let (_fixture, path) = closed();
    let whole = std::fs::read(&path).expect("the ledger");
    std::fs::write(&path, "").expect("emptied");
    for _ in 0..2 {
        assert!(matches!(Ledger::open(&path, noon()), Err(LedgerError::Emptied { .. })));
        assert!(matches!(Operator::open(&path, noon()), Err(LedgerError::NotALedger { .. })));
    }
    std::fs::write(&path, whole).expect("restored");
    Ledger::open(&path, noon()).map(drop).expect("it is as it was");

    std::fs::remove_file(&path).expect("removed");
    Ledger::open(&path, noon()).map(drop).expect("removing the file starts a new ledger");
}

#[test]
fn a_ledger_whose_creation_was_interrupted_is_created_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path_in(&folder);
    std::fs::write(path.with_file_name("ledger.db.lock"), "4711\n").expect("killed while it held the lock");
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).expect("made");
    assert_eq!(file.metadata().expect("its size").len(), 0);
    Ledger::open(&path, noon()).map(drop).expect("created again");
}
