//! Whether a ledger keeps live calls or a rehearsal's. The two never mix: whoever a rehearsal "called" would be left
//! uncalled by the live run after it, and a rehearsal in a live ledger would use up its patients.

use std::path::Path;

use rusqlite::Connection;

use super::error::LedgerError;
use super::{Reader, sql};

use crate::visible::Shown;

/// What a ledger keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerKind {
    /// Calls to patients.
    Live,
    /// Calls to a simulator, embedded or on this machine.
    Rehearsal,
}

impl LedgerKind {
    fn refused(self, conn: &Connection, path: &Path) -> Result<LedgerError, LedgerError> {
        let path = path.shown();
        Ok(match self {
            Self::Live => LedgerError::Live { path },
            Self::Rehearsal => LedgerError::Rehearsed { and_suppressed: and_suppressed(conn, &path)?, path },
        })
    }
}

/// Who asked not to be called asked whatever ledger it was written into.
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

/// Notes the kind of a ledger that keeps nothing yet, and refuses one of the other.
pub(super) fn keep(conn: &Connection, wanted: LedgerKind, path: &Path) -> Result<(), LedgerError> {
    conn.execute(sql!("kind_note"), [wanted == LedgerKind::Rehearsal])?;
    match of(conn)? {
        Some(other) if other != wanted => Err(other.refused(conn, path)?),
        Some(_) | None => Ok(()),
    }
}

fn of(conn: &Connection) -> Result<Option<LedgerKind>, LedgerError> {
    let rehearsal: Option<bool> = conn.query_row(sql!("kind_read"), [], |row| row.get(0))?;
    Ok(rehearsal.map(|rehearsal| if rehearsal { LedgerKind::Rehearsal } else { LedgerKind::Live }))
}

impl Reader {
    /// What the ledger keeps; `None` before its first run.
    pub fn kind(&self) -> Result<Option<LedgerKind>, LedgerError> {
        of(&self.conn)
    }

    /// Refuses a ledger that keeps the other kind.
    pub fn refuse_other_kind(&self, wanted: LedgerKind, path: &Path) -> Result<(), LedgerError> {
        match self.kind()? {
            Some(other) if other != wanted => Err(other.refused(&self.conn, path)?),
            Some(_) | None => Ok(()),
        }
    }
}
