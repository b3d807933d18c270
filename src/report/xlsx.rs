//! A run as a workbook: a sheet with the columns of the CSV and a row for each patient, and a sheet with the summary.

use std::io::Write;

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use crate::ledger::EntryRow;
use crate::zone::Zone;

use super::csv::{CALLS, HEADER, cells};
use super::exporter::{ExportError, Exporter};
use super::summary::RunSummary;
use super::text;

/// The rows that a sheet can hold, including the header.
const MOST_ROWS: u32 = 1_048_576;

/// Collects a report row by row.
pub struct XlsxExporter<'o> {
    out: &'o mut dyn Write,
    patients: Worksheet,
    /// Rows written, including the header.
    written: u32,
    /// The summary, for the second sheet.
    summary: String,
}

impl<'o> Exporter<'o> for XlsxExporter<'o> {
    fn begin(out: &'o mut dyn Write, summary: &RunSummary, zone: &Zone) -> Result<Self, ExportError> {
        let mut patients = Worksheet::new();
        let bold = Format::new().set_bold();
        patients.set_name("patients")?.set_freeze_panes(1, 0)?;
        for (column, name) in (0..).zip(HEADER) {
            patients.write_string_with_format(0, column, name, &bold)?;
        }
        Ok(Self { out, patients, written: 1, summary: text::summary(summary, zone) })
    }

    /// Every cell except the count of calls is text, so that none is a formula.
    fn row(&mut self, row: EntryRow) -> Result<(), ExportError> {
        if self.written == MOST_ROWS {
            let most = MOST_ROWS - 1;
            return Err(ExportError::Format(format!("a workbook holds {most} patients at most: ask for --format csv")));
        }
        for (column, cell) in cells(&row).iter().enumerate() {
            let at = column as u16;
            if column == CALLS {
                self.patients.write_number(self.written, at, row.calls as f64)?;
            } else if !cell.is_empty() {
                self.patients.write_string(self.written, at, cell)?;
            }
        }
        self.written += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<(), ExportError> {
        self.patients.autofilter(0, 0, self.written - 1, HEADER.len() as u16 - 1)?;
        let mut run = Worksheet::new();
        run.set_name("run")?;
        for (at, line) in (0..).zip(self.summary.lines()) {
            run.write_string(at, 0, line)?;
        }
        let mut book = Workbook::new();
        book.push_worksheet(self.patients);
        book.push_worksheet(run);
        Ok(self.out.write_all(&book.save_to_buffer()?)?)
    }
}

impl From<XlsxError> for ExportError {
    fn from(error: XlsxError) -> Self {
        Self::Format(format!("the workbook cannot be written: {error}"))
    }
}
