//! Opening a ledger: lock, format, permissions.

use std::cell::Cell;
use std::time::Duration;

use super::*;
use crate::ledger::LedgerDisk;

#[test]
fn a_second_writer_is_refused_while_the_first_lives_and_let_in_after() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path_in(&folder);
    let first = Ledger::open(&path, noon()).expect("a new ledger");
    let Err(LedgerError::Locked { holder }) = Ledger::open(&path, noon()).map(drop) else { panic!("it is locked") };
    assert_eq!(holder, format!(" by process {}", std::process::id()));
    LedgerReader::open(&path).expect("readers work meanwhile");
    let clone = first.clone();
    drop(first);
    assert!(Ledger::open(&path, noon()).is_err(), "a clone still writes");
    drop(clone);
    Ledger::open(&path, noon()).map(drop).expect("the lock is free");
}

/// A disk on which somebody else tries to commit while the log is being rewritten.
struct ContendedDisk<'t> {
    path: &'t Path,
    /// Whether that commit was refused.
    refused: Cell<bool>,
}

impl LedgerDisk for ContendedDisk<'_> {
    fn write_again(&self, _: &Path) -> std::io::Result<()> {
        let other = Connection::open(self.path).expect("the ledger");
        other.busy_timeout(Duration::ZERO).expect("set");
        let tried = other.execute_batch("BEGIN IMMEDIATE; ROLLBACK");
        let is_busy = |error: rusqlite::Error| error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy);
        self.refused.set(tried.is_err_and(is_busy));
        Ok(())
    }
}

/// An operator's decision at that instant would be overwritten.
#[test]
fn nobody_commits_while_the_log_is_rewritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path_in(&folder);
    Ledger::open(&path, noon()).map(drop).expect("a new ledger");
    let disk = ContendedDisk { path: &path, refused: Cell::new(false) };
    Ledger::open_inline_on(&disk, &path, noon()).map(drop).expect("opened");
    assert!(disk.refused.get());
    // Afterwards, others may commit.
    let other = Connection::open(&path).expect("the ledger");
    other.execute_batch("BEGIN IMMEDIATE; ROLLBACK").expect("nothing is in the way");
}

#[test]
fn a_ledger_of_another_format_is_refused_untouched() {
    let (mut fixture, path) = with_file(&[]);
    fixture.close();
    let conn = Connection::open(&path).expect("the file");
    let known: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a format");
    for other in [-1, known - 1, known + 1, 16, 999].into_iter().filter(|other| *other != 0) {
        conn.pragma_update(None, "user_version", other).expect("set");
        let is_refused =
            |error| matches!(error, LedgerError::OtherFormat { found, known: k } if (found, k) == (other, known));
        assert!(Ledger::open(&path, noon()).map(drop).is_err_and(is_refused), "{other}");
        assert!(LedgerReader::open(&path).map(drop).is_err_and(is_refused), "{other}");
        assert!(Operator::open(&path, noon()).map(drop).is_err_and(is_refused), "{other}");
        let left: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a format");
        assert_eq!(left, other);
    }
    conn.pragma_update(None, "user_version", known).expect("set");
    Ledger::open(&path, noon()).map(drop).expect("as it was");
}

#[test]
fn a_new_ledger_is_sound_and_keeps_its_identity() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path_in(&folder);
    let opened = || {
        Ledger::open(&path, noon()).map(drop).expect("a ledger");
        let conn = Connection::open(&path).expect("the file");
        let sound: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
        assert_eq!(sound, "ok");
        conn.query_row("SELECT identity FROM ledger", [], |row| row.get::<_, String>(0)).expect("an identity")
    };
    assert_eq!(opened(), opened());
}

#[test]
fn every_statement_fits_the_schema() {
    use rusqlite::fallible_iterator::FallibleIterator as _;
    let (_fixture, path) = with_file(&[]);
    let conn = connection(&path);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger/sql");
    let files: Vec<_> = std::fs::read_dir(folder).expect("sql/").map(|file| file.expect("a file").path()).collect();
    assert!(files.len() > 100, "{} files", files.len());
    // An existing index cannot be created, and a temporary table is not there yet.
    let is_excepted =
        |path: &Path| path.ends_with("entry_by_phone_make.sql") || name_of(path).ends_with("_rewrite.sql");
    for path in files.iter().filter(|path| !is_excepted(path)) {
        let text = std::fs::read_to_string(path).expect("text");
        let mut statements = rusqlite::Batch::new(&conn, &text);
        while statements.next().unwrap_or_else(|error| panic!("{}: {error}", path.display())).is_some() {}
    }
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("a name")
}

#[test]
fn a_ledger_that_others_can_read_is_refused() {
    let (mut fixture, path) = with_file(&[]);
    fixture.close();
    set_mode(&path, 0o640);
    assert!(matches!(Ledger::open(&path, noon()).map(drop), Err(LedgerError::Exposed { .. })));
    assert!(matches!(LedgerReader::open(&path).map(drop), Err(LedgerError::Exposed { .. })));
}

fn set_mode(path: &Path, mode: u32) {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(path, permissions).expect("its mode is set");
}

#[test]
fn a_new_ledger_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_fixture, path) = with_file(&[]);
    let mode = std::fs::metadata(path).expect("its mode").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_commit_waits_for_another_program_that_holds_the_file() {
    let (fixture, path) = with_file(&[]);
    let other = connection(&path);
    other.execute_batch("BEGIN IMMEDIATE").expect("the file is free");
    let holder = std::thread::spawn(move || {
        // Longer than SQLite waits.
        std::thread::sleep(std::time::Duration::from_millis(2_300));
        other.execute_batch("ROLLBACK").expect("rolled back");
    });
    assert_eq!(fixture.enrol(&[entry("P-1", 101)]).new, 1);
    holder.join().expect("it has let go");
}
