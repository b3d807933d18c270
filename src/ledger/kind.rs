//! Whether a ledger holds live calls or a rehearsal's. The two never mix: the live run after a rehearsal would not call
//! the patients that the rehearsal "called", and a rehearsal in a live ledger would leave its patients uncalled.

use std::path::Path;

use rusqlite::Connection;

use super::error::LedgerError;
use super::reader::LedgerReader;
use super::sql::sql;

use crate::visible::DisplayPath;

/// Which calls a ledger holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerKind {
    /// Calls to patients.
    Live,
    /// Calls to a simulator, embedded or on this machine.
    Rehearsal,
}

impl LedgerKind {
    fn refusal(self, conn: &Connection, path: &Path) -> Result<LedgerError, LedgerError> {
        let path = path.shown();
        Ok(match self {
            Self::Live => LedgerError::Live { path },
            Self::Rehearsal => LedgerError::Rehearsed { and_suppressed: and_suppressed(conn, &path)?, path },
        })
    }
}

/// An opt-out holds whichever ledger it was recorded in.
fn and_suppressed(conn: &Connection, path: &str) -> Result<String, LedgerError> {
    let numbers: i64 = conn.query_row(sql!("suppressed_count"), [], |row| row.get(0))?;
    Ok(match numbers {
        0 => String::new(),
        _ => format!(
            "; but {numbers} suppressed {} on it, which the other one must have, too: `callrounds suppress list --ledger \
             {path}` shows them",
            if numbers == 1 { "number is" } else { "numbers are" },
        ),
    })
}

/// Sets the kind of a ledger that has no campaign yet; fails if the ledger is of the other kind.
pub(super) fn keep(conn: &Connection, wanted: LedgerKind, path: &Path) -> Result<(), LedgerError> {
    conn.execute(sql!("kind_note"), [wanted == LedgerKind::Rehearsal])?;
    match read(conn)? {
        Some(other) if other != wanted => Err(other.refusal(conn, path)?),
        Some(_) | None => Ok(()),
    }
}

fn read(conn: &Connection) -> Result<Option<LedgerKind>, LedgerError> {
    let rehearsal: Option<bool> = conn.query_row(sql!("kind_read"), [], |row| row.get(0))?;
    Ok(rehearsal.map(|rehearsal| if rehearsal { LedgerKind::Rehearsal } else { LedgerKind::Live }))
}

impl LedgerReader {
    /// The ledger's kind; `None` before its first run.
    pub fn kind(&self) -> Result<Option<LedgerKind>, LedgerError> {
        read(&self.conn)
    }

    /// Fails if the ledger is of the other kind.
    pub fn refuse_other_kind(&self, wanted: LedgerKind, path: &Path) -> Result<(), LedgerError> {
        match self.kind()? {
            Some(other) if other != wanted => Err(other.refusal(&self.conn, path)?),
            Some(_) | None => Ok(()),
        }
    }
}
