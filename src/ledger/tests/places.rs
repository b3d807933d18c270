//! A ledger, its file, and copies of it.

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
    assert_eq!(adoption, Adoption { unanswered: 1, behind_since: Some(noon()) });

    let ledger = Ledger::open_inline(&copy, at).expect("it is the one now");
    let states = "SELECT group_concat(state) FROM attempt";
    assert_eq!(text(&copy, states), "open,unknown");
    assert_eq!(text(&path, states), "open,submitting", "the other one is left as it is");
    assert_ne!(text(&copy, "SELECT identity FROM ledger"), text(&path, "SELECT identity FROM ledger"));
    let event = "SELECT kind || ' ' || at || ' ' || detail FROM event WHERE run_id IS NULL";
    let told = format!("adopted_ledger {} decided by Pat; 1 calls without an answer", at.timestamp_millis());
    assert_eq!(text(&copy, event), told);

    assert_eq!(now_or_never(ledger.behind_since()).expect("read"), Some(noon()));
    now_or_never(ledger.clear_behind_since(at)).expect("cleared");
    assert_eq!(now_or_never(ledger.behind_since()).expect("read"), None);
    now_or_never(ledger.clear_behind_since(at)).expect("nothing to clear");
    assert_eq!(text(&copy, "SELECT CAST(count(*) AS TEXT) FROM event WHERE kind = 'caught_up'"), "1");
}

#[test]
fn a_second_adoption_looks_back_as_far_as_the_first() {
    let (_folder, path) = closed();
    for hours in [1, 2] {
        let adoption = adopt(&path, "Pat", noon() + TimeDelta::hours(hours)).expect("adopted in its place");
        assert_eq!(adoption.behind_since, Some(noon()));
    }
}

#[test]
fn a_new_ledger_that_is_adopted_is_behind_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path_in(&folder);
    assert!(matches!(adopt(&path, "Pat", noon()), Err(LedgerError::Missing { .. })));
    Ledger::open(&path, noon()).map(drop).expect("a new ledger");
    let adoption = adopt(&path, "Pat", noon()).expect("adopted");
    assert_eq!(adoption, Adoption { unanswered: 0, behind_since: None });
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
