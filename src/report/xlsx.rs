//! A run as a workbook: the columns of the CSV, a row for each patient, and the run's summary on a sheet of its own.

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use crate::ledger::EntryRow;

use super::csv::{CALLS, HEADER, cells};

/// A workbook holds no more rows on a sheet, the header among them.
const MOST_ROWS: u32 = 1_048_576;

/// Collects a report row by row.
pub struct Rows {
    patients: Worksheet,
    /// Rows written, with the header.
    written: u32,
}

/// Why there is no workbook.
#[derive(Debug, thiserror::Error)]
pub enum XlsxProblem {
    /// More patients than a sheet holds.
    #[error("a workbook holds {} patients at most: ask for --format csv", MOST_ROWS - 1)]
    TooLong,
    /// It could not be put together.
    #[error("the workbook cannot be written: {0}")]
    Unwritten(#[from] XlsxError),
}

impl Rows {
    /// The header.
    pub fn new() -> Result<Self, XlsxProblem> {
        let mut patients = Worksheet::new();
        let bold = Format::new().set_bold();
        patients.set_name("patients")?.set_freeze_panes(1, 0)?;
        for (column, name) in (0..).zip(HEADER) {
            patients.write_string_with_format(0, column, name, &bold)?;
        }
        Ok(Self { patients, written: 1 })
    }

    /// Adds a patient. Every cell but the count of calls is a text: none of them is a formula.
    pub fn add(&mut self, row: &EntryRow) -> Result<(), XlsxProblem> {
        if self.written == MOST_ROWS {
            return Err(XlsxProblem::TooLong);
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

    /// The workbook's bytes, with `summary` line by line on a sheet of its own.
    pub fn finish(mut self, summary: &str) -> Result<Vec<u8>, XlsxProblem> {
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
