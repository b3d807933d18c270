//! The rejects file of a campaign's last list, as reports read it.

use std::path::{Path, PathBuf};

use csv::StringRecord;

use crate::campaign::Campaign;
use crate::error::CommandError;
use crate::ledger::{LedgerKind, LedgerReader};

use super::list_input;

/// The rejects file of the campaign's last list: a rehearsal's ledger has one of its own.
pub(super) fn path_of_last_list(
    reader: &LedgerReader,
    campaign: &Campaign,
    ledger: &Path,
) -> Result<PathBuf, CommandError> {
    let of_rehearsal = list_input::rehearsal_rejects_path(campaign, ledger);
    let is_rehearsed = reader.kind()? == Some(LedgerKind::Rehearsal) && of_rehearsal.exists();
    Ok(if is_rehearsed { of_rehearsal } else { list_input::rejects_path(campaign, ledger) })
}

/// What a rejects file holds.
#[derive(Default)]
pub(super) struct RejectedRows {
    /// The names of the columns.
    pub(super) header: StringRecord,
    /// The rows: line, reason, and the list's own cells.
    pub(super) rows: Vec<StringRecord>,
}

/// The rows of a rejects file that can be read; none if the file is missing or unreadable.
pub(super) fn read(path: &Path) -> RejectedRows {
    let read = || -> Result<RejectedRows, csv::Error> {
        let mut file = csv::ReaderBuilder::new().flexible(true).from_path(path)?;
        let header = file.headers()?.clone();
        Ok(RejectedRows { header, rows: file.into_records().filter_map(Result::ok).collect() })
    };
    read().unwrap_or_default()
}
