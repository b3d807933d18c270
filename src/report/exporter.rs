//! A report's formats: what each of them does, and the one place that feeds it from the ledger.

use std::io::{self, Write};

use chrono::{DateTime, Utc};

use crate::ledger::{EntryRow, LedgerError, LedgerReader, RunReport};
use crate::zone::Zone;

use super::summary::RunSummary;

/// A format of a report, while a report is written to `out`.
pub trait Exporter<'o>: Sized {
    /// Begins with the run's summary; instants for people are in `zone`.
    fn begin(out: &'o mut dyn Write, summary: &RunSummary, zone: &Zone) -> Result<Self, ExportError>;

    /// Adds a patient.
    fn row(&mut self, row: EntryRow) -> Result<(), ExportError>;

    /// Writes what is left to write.
    fn finish(self) -> Result<(), ExportError>;
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The output could not be written.
    #[error(transparent)]
    Output(#[from] io::Error),
    /// The format cannot hold this report; the text says why.
    #[error("{0}")]
    Format(String),
}

/// Writes a report of the run as of `now`, a row for each patient of its campaign.
pub fn export<'o, E: Exporter<'o>>(
    reader: &LedgerReader,
    run: &RunReport,
    summary: &RunSummary,
    zone: &Zone,
    now: DateTime<Utc>,
    out: &'o mut dyn Write,
) -> Result<(), ExportError> {
    let mut exporter = E::begin(out, summary, zone)?;
    reader.each_patient(run.handle, now, |row| exporter.row(row))?;
    exporter.finish()
}
