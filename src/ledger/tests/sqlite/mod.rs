//! SQLite's own: its file, what is beside it, its schema; and the openers with which it runs the cases of every store.

mod file_identity;
mod high_water;
mod indexes;
mod opening;
mod purged;
mod schema;
mod words;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use super::fixture::Store;
use super::*;

type OpenLedger = fn(&Path, DateTime<Utc>) -> Result<Ledger, LedgerError>;

/// A ledger's file in a folder of its own.
struct SqliteFile {
    folder: TempDir,
    open: OpenLedger,
    /// Another connection, which sees only what is committed.
    committed: OnceCell<Connection>,
}

/// A new file in memory whose ledger commits on the caller's thread.
pub(super) fn inline() -> Box<dyn Store> {
    in_memory(Ledger::open_inline)
}

/// A new file in memory whose ledger commits on a thread of its own, as in production.
pub(super) fn on_a_thread() -> Box<dyn Store> {
    in_memory(Ledger::open)
}

fn in_memory(open: OpenLedger) -> Box<dyn Store> {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(parent).expect("a folder");
    Box::new(SqliteFile { folder, open, committed: OnceCell::new() })
}

/// A ledger on disk with these entries, and the path of its file.
fn with_file(entries: &[NewEntry]) -> (Fixture, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path_in(&folder);
    let fixture = Fixture::on(Box::new(SqliteFile { folder, open: Ledger::open_inline, committed: OnceCell::new() }));
    fixture.enrol(entries);
    (fixture, path)
}

impl Store for SqliteFile {
    fn ledger(&self, now: DateTime<Utc>) -> Ledger {
        (self.open)(&path_in(&self.folder), now).expect("a ledger")
    }

    fn reader(&self) -> LedgerReader {
        LedgerReader::open(&path_in(&self.folder)).expect("a reader")
    }

    fn operator(&self, now: DateTime<Utc>) -> Operator {
        Operator::open(&path_in(&self.folder), now).expect("an operator")
    }

    fn attempt_states(&self) -> Vec<AttemptState> {
        let conn = self.committed.get_or_init(|| connection(&path_in(&self.folder)));
        let mut statement = conn.prepare_cached("SELECT state FROM attempt ORDER BY id").expect("a statement");
        let words = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
        words.map(|word| AttemptState::named(&word.expect("a word")).expect("a state")).collect()
    }
}

fn path_in(folder: &TempDir) -> PathBuf {
    folder.path().join("ledger.db")
}

/// Another connection, which sees only what is committed.
fn connection(path: &Path) -> Connection {
    Connection::open(path).expect("the ledger's file")
}
