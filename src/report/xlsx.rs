//! A run as a workbook: a sheet with the columns of the CSV and a row for each patient, and a sheet with the summary.

use std::io::Write;

use crate::ledger::EntryRow;
use crate::zone::Zone;

use super::csv::{CALLS, HEADER, cells};
use super::exporter::{ExportError, Exporter};
use super::summary::RunSummary;
use super::table::Sheet;
use super::text;

/// Collects a report row by row.
pub struct XlsxExporter<'o> {
    out: &'o mut dyn Write,
    patients: Sheet,
    /// The summary, for the second sheet.
    summary: String,
}

impl<'o> Exporter<'o> for XlsxExporter<'o> {
    fn begin(out: &'o mut dyn Write, summary: &RunSummary, zone: &Zone) -> Result<Self, ExportError> {
        let patients = Sheet::begin("patients", &HEADER, Some(CALLS))?;
        Ok(Self { out, patients, summary: text::summary(summary, zone) })
    }

    fn row(&mut self, row: EntryRow) -> Result<(), ExportError> {
        self.patients.row(&cells(&row))
    }

    fn finish(self) -> Result<(), ExportError> {
        self.patients.save(("run", &self.summary), self.out)
    }
}
