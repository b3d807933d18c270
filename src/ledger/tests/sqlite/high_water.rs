//! The high-water mark beside a ledger.

use super::*;

/// A closed ledger that has placed one call, its path, and a copy of its file from before the call.
fn with_an_older_copy() -> (Fixture, PathBuf, Vec<u8>) {
    let (mut fixture, path) = with_file(&[entry("P-1", 101)]);
    fixture.close();
    let before = std::fs::read(&path).expect("the file");
    fixture.reopen(noon());
    assert_eq!(fixture.claim().len(), 1);
    fixture.close();
    (fixture, path, before)
}

/// Writes the older copy into the same file, as `cp` does.
fn put_back(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("put back");
    for suffix in ["-wal", "-shm"] {
        let mut name = path.to_owned().into_os_string();
        name.push(suffix);
        drop(std::fs::remove_file(name));
    }
}

fn mark_of(path: &Path) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(".high-water");
    name.into()
}

#[test]
fn an_older_copy_in_the_same_file_is_behind_its_mark_until_it_is_adopted() {
    let (_fixture, path, before) = with_an_older_copy();
    assert_eq!(mark_status(&path).expect("read"), MarkStatus::Reached);
    put_back(&path, &before);
    assert_eq!(mark_status(&path).expect("read"), MarkStatus::Behind);
    let refused = Ledger::open_inline(&path, noon()).map(drop).expect_err("an older copy");
    assert!(matches!(refused, LedgerError::BehindMark { .. }), "{refused}");
    adopt(&path, "Pat", noon()).expect("adopted");
    assert_eq!(mark_status(&path).expect("read"), MarkStatus::Reached);
    Ledger::open_inline(&path, noon()).map(drop).expect("it may be written now");
}

#[test]
fn a_mark_that_is_gone_or_torn_is_ignored_and_replaced() {
    for torn in [None, Some("callrounds high-water mark 1\n")] {
        let (_fixture, path, _) = with_an_older_copy();
        match torn {
            Some(text) => std::fs::write(mark_of(&path), text).expect("torn"),
            None => std::fs::remove_file(mark_of(&path)).expect("gone"),
        }
        assert_eq!(mark_status(&path).expect("read"), MarkStatus::Missing);
        assert!(Ledger::open_inline(&path, noon()).expect("opened").mark_was_missing());
        assert!(!Ledger::open_inline(&path, noon()).expect("opened").mark_was_missing(), "{torn:?}");
    }
}

#[test]
fn a_new_ledger_at_the_path_of_a_removed_one_ignores_its_mark() {
    let (_fixture, path, _) = with_an_older_copy();
    put_back(&path, &[]);
    std::fs::remove_file(&path).expect("removed");
    let ledger = Ledger::open_inline(&path, noon()).expect("a new one");
    assert!(!ledger.mark_was_missing());
}

#[test]
fn future_events_are_counted_and_an_operator_disowns_them() {
    let (_fixture, path, _) = with_an_older_copy();
    let yesterday = noon() - TimeDelta::days(1);
    let future = |path: &Path| LedgerReader::open(path).expect("a reader").future_events(yesterday).expect("read");
    assert!(future(&path).is_some_and(|(events, newest)| events > 1 && newest == noon()));
    let adoption = adopt(&path, "Pat", yesterday).expect("adopted");
    assert!(adoption.future_events > 1 && adoption.unanswered == 1, "{adoption:?}");
    assert_eq!(future(&path), None);
    let reader = LedgerReader::open(&path).expect("a reader");
    let newest = reader.newest_event().expect("read").expect("the adoption");
    assert_eq!(newest, yesterday, "the adoption is newer than every event that counts");
    let future_attempts: i64 = reader
        .conn
        .query_row("SELECT count(*) FROM attempt WHERE intent_at > ?1", [yesterday.timestamp_millis()], |row| {
            row.get(0)
        })
        .expect("counted");
    assert_eq!(future_attempts, 0, "caps and gaps end no later than after a call made just now");
}
