//! Who may open a ledger, of whichever format.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::ledger::Disk;

#[test]
fn a_second_writer_is_refused_while_the_first_lives_and_let_in_after() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path_in(&folder);
    let first = Ledger::open(&path, noon()).expect("a new ledger");
    let Err(LedgerError::Locked { holder }) = Ledger::open(&path, noon()).map(drop) else { panic!("it is locked") };
    assert_eq!(holder, format!(" by process {}", std::process::id()));
    Reader::open(&path).expect("readers work meanwhile");
    let clone = first.clone();
    drop(first);
    assert!(Ledger::open(&path, noon()).is_err(), "a clone still writes");
    drop(clone);
    Ledger::open(&path, noon()).map(drop).expect("the lock is free");
}

/// A disk on which somebody else tries to commit while the log is being written again.
struct Beset<'t> {
    path: &'t Path,
    /// Whether that was refused.
    refused: Cell<bool>,
}

impl Disk for Beset<'_> {
    fn write_again(&self, _: &Path) -> std::io::Result<()> {
        let other = Connection::open(self.path).expect("the ledger");
        other.busy_timeout(Duration::ZERO).expect("set");
        let tried = other.execute_batch("BEGIN IMMEDIATE; ROLLBACK");
        let is_busy = |error: rusqlite::Error| error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy);
        self.refused.set(tried.is_err_and(is_busy));
        Ok(())
    }
}

/// What an operator decided at that instant would be written over.
#[test]
fn nobody_commits_while_the_log_is_written_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path_in(&folder);
    Ledger::open(&path, noon()).map(drop).expect("a new ledger");
    let disk = Beset { path: &path, refused: Cell::new(false) };
    Ledger::open_inline_on(&disk, &path, noon()).map(drop).expect("opened");
    assert!(disk.refused.get());
    // Afterwards anybody may.
    let other = Connection::open(&path).expect("the ledger");
    other.execute_batch("BEGIN IMMEDIATE; ROLLBACK").expect("nothing is in the way");
}

#[test]
fn a_newer_ledger_is_refused_untouched() {
    let desk = Desk::new();
    let path = path_in(&desk.folder);
    drop(desk.ledger);
    Connection::open(&path).expect("the file").pragma_update(None, "user_version", 999).expect("set");
    let Err(LedgerError::TooNew { found: 999, .. }) = Ledger::open(&path, noon()).map(drop) else { panic!("too new") };
    let Err(LedgerError::TooNew { found: 999, .. }) = Reader::open(&path).map(drop) else { panic!("too new") };
}

#[test]
fn an_older_ledger_is_brought_up_to_date() {
    let folder = made_before(1);
    let path = path_in(&folder);
    Ledger::open(&path, noon()).map(drop).expect("brought up to date");
    let conn = Connection::open(&path).expect("the file");
    let identity: String = conn.query_row("SELECT identity FROM ledger", [], |row| row.get(0)).expect("kept");
    assert_eq!(identity, "old");
    conn.prepare("SELECT meanwhile FROM entry").expect("the newest format");
}

#[test]
fn what_an_older_ledger_says_is_read_as_it_is_and_once_it_is_brought_up_to_date() {
    for formats in 1..=open::MIGRATIONS.len() {
        let folder = made_before(formats);
        let path = path_in(&folder);
        let read = || {
            let reader = Reader::open(&path).expect("a ledger");
            let events = reader.events_of(EntryId(1)).expect("events");
            let mut rows = Vec::new();
            let run = RunHandle { run: RunId(1), campaign: CampaignId(1) };
            let see = |row: EntryRow| {
                rows.push((row.patient.first_name, row.key));
                Ok::<_, LedgerError>(())
            };
            reader.each_entry(run, see).expect("rows");
            (events.iter().map(|event| event.kind.clone()).collect::<Vec<_>>(), rows)
        };
        let as_it_is = read();
        assert_eq!(as_it_is, (vec!["enrolled".to_owned()], vec![("Pat".to_owned(), EntryKey::new("P-1"))]));
        Ledger::open(&path, noon()).map(drop).expect("brought up to date");
        assert_eq!(read(), as_it_is);
        let conn = Connection::open(&path).expect("the file");
        let sound: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
        assert_eq!(sound, "ok");
        let again = "INSERT INTO entry (campaign_id, run_id, key, line, organisation, phone, alternatives, zones, content, \
                     state, due_at, created_at, updated_at) SELECT campaign_id, run_id, key, line, organisation, phone, \
                     alternatives, zones, content, state, due_at, created_at, updated_at FROM entry";
        assert!(conn.execute(again, []).is_err(), "two entries of one key");
    }
}

#[test]
fn a_ledger_that_others_can_read_is_refused() {
    let desk = Desk::new();
    let path = path_in(&desk.folder);
    drop(desk.ledger);
    set_mode(&path, 0o640);
    assert!(matches!(Ledger::open(&path, noon()).map(drop), Err(LedgerError::Exposed { .. })));
    assert!(matches!(Reader::open(&path).map(drop), Err(LedgerError::Exposed { .. })));
}

pub(super) fn set_mode(path: &Path, mode: u32) {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(path, permissions).expect("its mode is set");
}

#[test]
fn a_new_ledger_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    let mode = std::fs::metadata(path_in(&desk.folder)).expect("its mode").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
