//! A run as a workbook: a sheet with the columns of the CSV and a row for each patient, and a sheet with the summary.

use rust_xlsxwriter::{Format, Workbook, Worksheet};

use crate::ledger::EntryRow;

use super::csv::{CALLS, HEADER, cells};

/// The rows that a sheet can hold, including the header.
const MOST_ROWS: u32 = 1_048_576;

/// Collects a report row by row.
pub struct XlsxExporter {
    patients: Worksheet,
    /// Rows written, including the header.
    written: u32,
}

/// Why a workbook could not be made.
#[derive(Debug, thiserror::Error)]
pub enum XlsxError {
    /// More patients than a sheet holds.
    #[error("a workbook holds {} patients at most: ask for --format csv", MOST_ROWS - 1)]
    TooLong,
    /// The workbook could not be written.
    #[error("the workbook cannot be written: {0}")]
    Unwritten(#[from] rust_xlsxwriter::XlsxError),
}

impl XlsxExporter {
    /// A workbook with only the header.
    pub fn new() -> Result<Self, XlsxError> {
        let mut patients = Worksheet::new();
        let bold = Format::new().set_bold();
        patients.set_name("patients")?.set_freeze_panes(1, 0)?;
        for (column, name) in (0..).zip(HEADER) {
            patients.write_string_with_format(0, column, name, &bold)?;
        }
        Ok(Self { patients, written: 1 })
    }

    /// Adds a patient's row. Every cell except the count of calls is text, so that none is a formula.
    pub fn add(&mut self, row: &EntryRow) -> Result<(), XlsxError> {
        if self.written == MOST_ROWS {
            return Err(XlsxError::TooLong);
        }
        for (column, cell) in cells(row).iter().enumerate() {
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

    /// The workbook's bytes, with the lines of `summary` on a second sheet.
    pub fn finish(mut self, summary: &str) -> Result<Vec<u8>, XlsxError> {
        self.patients.autofilter(0, 0, self.written - 1, HEADER.len() as u16 - 1)?;
        let mut run = Worksheet::new();
        run.set_name("run")?;
        for (at, line) in (0..).zip(summary.lines()) {
            run.write_string(at, 0, line)?;
        }
        let mut book = Workbook::new();
        book.push_worksheet(self.patients);
        book.push_worksheet(run);
        Ok(book.save_to_buffer()?)
    }
}
