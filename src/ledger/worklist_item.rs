//! Whether an entry is on the worklist, for a decision about several entries at once.

use rusqlite::{OptionalExtension, Row};

use super::codec::state_at;
use super::operator::OperatorError;
use super::reader::LedgerReader;
use super::sql::sql;
use super::worklist_ticks::group_at;
use crate::ids::EntryId;

impl LedgerReader {
    /// Refuses an entry that the ledger does not have, or that is still called.
    pub fn refuse_unless_on_worklist(&self, entry: EntryId) -> Result<(), OperatorError> {
        let item = |row: &Row<'_>| Ok((state_at(row, "state"), group_at(row)));
        let found = self.conn.prepare_cached(sql!("worklist_item"))?.query_row([entry.0], item).optional()?;
        let (state, group) = found.ok_or(OperatorError::NoSuchEntry(entry))?;
        match group? {
            Some(_) => Ok(()),
            None => Err(OperatorError::StillCalled { entry, state: state? }),
        }
    }
}
